#include "storage/journal/time_mark_codec.h"

#include <limits>

namespace anclora::storage {
namespace {

// The shortest mark is three one-byte varints, so the bytes that are left bound how many there can be.
constexpr std::size_t kMinMarkBytes = 3;

// Differences are taken modulo 2^64, so that every pair of times has one; zigzag keeps small negative ones short.
std::uint64_t difference(std::int64_t later, std::int64_t earlier) {
  const std::uint64_t bits = static_cast<std::uint64_t>(later) - static_cast<std::uint64_t>(earlier);
  return (bits << 1) ^ (~(bits >> 63) + 1);
}

std::int64_t advance(std::int64_t earlier, std::uint64_t coded) {
  const std::uint64_t bits = (coded >> 1) ^ (~(coded & 1) + 1);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(earlier) + bits);
}

std::int64_t micros(WallTime time) { return time.time_since_epoch().count(); }
std::int64_t micros(MonoTime time) { return time.time_since_epoch().count(); }

}  // namespace

void encode_time_marks(ByteWriter& writer, redis::Offset from, const std::vector<TimeMark>& marks) {
  writer.varint(marks.size());
  TimeMark previous{from, WallTime(), MonoTime()};
  for (const TimeMark& mark : marks) {
    writer.varint(mark.offset - previous.offset);
    writer.varint(difference(micros(mark.wall), micros(previous.wall)));
    writer.varint(difference(micros(mark.mono), micros(previous.mono)));
    previous = mark;
  }
}

Result<std::vector<TimeMark>> decode_time_marks(ByteReader& reader, redis::Offset from, std::size_t limit) {
  ASSIGN_OR_RETURN(const std::uint64_t count, reader.varint());
  if (count > limit || count > reader.rest().size() / kMinMarkBytes)
    return Error(ErrorKind::kDataLoss, "more time marks than there can be");
  std::vector<TimeMark> marks;
  marks.reserve(static_cast<std::size_t>(count));
  TimeMark mark{from, WallTime(), MonoTime()};
  for (std::uint64_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(const std::uint64_t bytes, reader.varint());
    ASSIGN_OR_RETURN(const std::uint64_t wall, reader.varint());
    ASSIGN_OR_RETURN(const std::uint64_t mono, reader.varint());
    if (bytes > std::numeric_limits<std::uint64_t>::max() - mark.offset.value)
      return Error(ErrorKind::kDataLoss, "a time mark at an impossible offset");
    mark.offset = mark.offset + bytes;
    mark.wall = WallTime(Duration(advance(micros(mark.wall), wall)));
    mark.mono = MonoTime(Duration(advance(micros(mark.mono), mono)));
    marks.push_back(mark);
  }
  return marks;
}

void encode_wall_time(ByteWriter& writer, WallTime time) { writer.u64(static_cast<std::uint64_t>(micros(time))); }

Result<WallTime> decode_wall_time(ByteReader& reader) {
  ASSIGN_OR_RETURN(const std::uint64_t us, reader.u64());
  return WallTime(Duration(static_cast<std::int64_t>(us)));
}

}  // namespace anclora::storage
