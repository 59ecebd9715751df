// Where in a source's history: a timeline and an offset of its replication stream.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "redis/offset.h"

namespace anclora::storage {

// Counts from 1. A full resync, a new replication id without +CONTINUE, or a lost byte starts the next one.
struct TimelineId {
  std::uint32_t value = 0;
  friend auto operator<=>(TimelineId, TimelineId) = default;
  TimelineId next() const { return TimelineId{value + 1}; }
};

// Ordered by timeline, then offset. "After byte `offset` of timeline `timeline`."
struct Position {
  TimelineId timeline;
  redis::Offset offset;
  friend auto operator<=>(const Position&, const Position&) = default;
};

// "3/1048577".
std::string to_string(const Position& position);
// kInvalidArgument unless "T/N" with T in 1..2^32-1 and N in 0..2^63-1.
Result<Position> parse_position(std::string_view text);

}  // namespace anclora::storage
