// Reads a plan file's YAML into a Value. A subset on purpose: one document; no anchors, aliases, tags, merge keys or
// directives; keys are texts and unique. Everything refused is an error finding with its place.
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "plan/finding.h"
#include "plan/value.h"

namespace anclora::plan {

inline constexpr std::size_t kMaxPlanBytes = kMiB;
inline constexpr std::size_t kMaxPlanDepth = 32;
inline constexpr std::size_t kMaxPlanNodes = 200'000;

// The document's root, or nothing when it cannot be read as a whole; then `findings` says where it breaks.
// With a root there may be errors too (a duplicate key, a tag): the value then holds the first of the duplicates.
// Columns count characters, from 1. Thread rule: any thread.
std::optional<Value> read_yaml(std::string_view bytes, Findings& findings);

}  // namespace anclora::plan
