// A frame of commands that repeat each other: what they have in common once, then what differs. Faster than zstd on
// them, and smaller. Format: docs/formats/command-frame.md.
#pragma once

#include <cstddef>
#include <cstdint>

#include "storage/journal/command_template.h"

namespace anclora::storage::command_frame {

// What the bytes of a body mean.
enum Op : std::uint8_t { kVerbatim = 0, kDefine = 1, kFirstTemplate = 2 };

inline constexpr std::size_t kMaxTemplates = 254;
inline constexpr std::size_t kMaxWordSlots = 1024;  // of all templates of a frame
inline constexpr std::uint8_t kNewWord = 255;       // instead of a number: the word follows
inline constexpr std::size_t kMaxNewWordBytes = 255;
// More than a template reads of a body, or makes, besides whole arguments.
inline constexpr std::size_t kReachBytes = kMaxTemplateTextBytes + kMaxTemplateSteps * 2 * kMaxNewWordBytes;

}  // namespace anclora::storage::command_frame
