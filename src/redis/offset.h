// A place in a Redis replication stream.
#pragma once

#include <compare>
#include <cstdint>

namespace anclora::redis {

// "After byte N of the stream": master_repl_offset. A command is named by the offset of its first byte, so the point
// just before it is that offset minus one.
struct Offset {
  std::uint64_t value = 0;
  friend auto operator<=>(Offset, Offset) = default;
  friend Offset operator+(Offset offset, std::uint64_t bytes) { return Offset{offset.value + bytes}; }
  friend Offset operator-(Offset offset, std::uint64_t bytes) { return Offset{offset.value - bytes}; }
  friend std::uint64_t operator-(Offset later, Offset earlier) { return later.value - earlier.value; }
};

}  // namespace anclora::redis
