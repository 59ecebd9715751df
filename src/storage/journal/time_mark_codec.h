// How time marks are written in log entries and indexes: differences to the mark before. Private to journal.
// Format: docs/formats/log-entry.md.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "redis/offset.h"
#include "storage/journal/log_entry.h"

namespace anclora::storage {

void encode_time_marks(ByteWriter& writer, redis::Offset from, const std::vector<TimeMark>& marks);
// kDataLoss: more than `limit`, truncated, or an offset beyond 2^64. What comes back ascends, from `from` on.
Result<std::vector<TimeMark>> decode_time_marks(ByteReader& reader, redis::Offset from, std::size_t limit);

// Fixed width, as microseconds since 1970.
void encode_wall_time(ByteWriter& writer, WallTime time);
Result<WallTime> decode_wall_time(ByteReader& reader);

}  // namespace anclora::storage
