// One command of a replication stream as indexing sees it. Whoever parses the stream fills it in.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "redis/offset.h"

namespace anclora::storage {

// The views need to live only during the call they are given to.
struct CommandView {
  std::string_view name;                        // upper case
  std::span<const std::string_view> arguments;  // those after the name, or the first of them; each may be cut after
                                                // 512 bytes
  std::uint64_t argument_count = 0;             // all of those after the name
  std::uint32_t database = 0;                   // in force while it runs
  redis::Offset first;                          // of its first byte
  redis::Offset last;                           // of its last byte
  std::optional<redis::Offset> transaction;     // first byte of the MULTI it runs in
  WallTime time;                                // of receipt
};

// The point to restore to so that the command did not happen: never inside a MULTI.
inline redis::Offset point_before(const CommandView& command) {
  const redis::Offset first = command.transaction.value_or(command.first);
  return first.value == 0 ? first : first - 1;
}

}  // namespace anclora::storage
