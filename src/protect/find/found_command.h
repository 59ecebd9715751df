// One line of what `find` finds: where, when, what, and the command that brings the state just before it back.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "storage/journal/position.h"

namespace anclora::protect {

struct FoundCommand {
  storage::Position position;        // of its first byte
  storage::Position restore_before;  // the same, or the first byte of the MULTI it runs in: what `before:` takes
  WallTime time;                     // of receipt
  std::uint32_t database = 0;
  std::string kind;     // "command", "flushall", "flushdb", "swapdb", "mass-deletion"
  std::string command;  // escaped and bounded
  std::uint64_t keys = 0;
  std::string restore;  // "anclora restore --at before:T/N --to TARGET"
};

// Printable ASCII as it is, in double quotes when it needs them, everything else as \xNN; cut after `limit` bytes.
std::string escape_argument(std::string_view bytes, std::uint64_t length, std::size_t limit = 64);

// "3/1048577  2026-11-24T12:34:56.789012Z  db0  FLUSHALL" and the restore command on a line of its own.
std::string to_text(const FoundCommand& found);
// One JSON object on one line.
std::string to_json(const FoundCommand& found);

}  // namespace anclora::protect
