#include "redis/rdb/rdb_summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "redis/rdb/crc64.h"

namespace anclora::redis {
namespace {

constexpr std::size_t kHeadLimitBytes = 64 * kKiB;
constexpr std::size_t kTailSize = 1 + kRdbChecksumSize;

enum class Taken { kString, kMoreNeeded, kNotOurs };

std::uint64_t little_endian(ByteView bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
  return value;
}

// AUX names and values as Redis writes them: short plain strings or small integers. Anything else ends the search.
Taken take_string(ByteView& in, std::string& out) {
  if (in.empty()) return Taken::kMoreNeeded;
  const auto first = static_cast<unsigned char>(in[0]);
  std::size_t head = 1;
  std::size_t size = first & 0x3f;
  if ((first >> 6) == 1) {
    if (in.size() < 2) return Taken::kMoreNeeded;
    size = size << 8 | static_cast<unsigned char>(in[1]);
    head = 2;
  } else if ((first >> 6) == 3 && size <= 2) {
    const std::size_t width = std::size_t{1} << size;
    if (in.size() < 1 + width) return Taken::kMoreNeeded;
    const std::uint64_t raw = little_endian(in.substr(1, width));
    const auto shift = static_cast<unsigned>(64 - 8 * width);
    out = std::to_string(static_cast<std::int64_t>(raw << shift) >> shift);
    in.remove_prefix(1 + width);
    return Taken::kString;
  } else if ((first >> 6) != 0) {
    return Taken::kNotOurs;
  }
  if (in.size() < head + size) return Taken::kMoreNeeded;
  out.assign(in.substr(head, size));
  in.remove_prefix(head + size);
  return Taken::kString;
}

}  // namespace

void RdbSummary::read_head() {
  while (!head_done_) {
    ByteView rest = ByteView(head_).substr(head_read_);
    if (rest.empty()) return;
    head_done_ = static_cast<unsigned char>(rest[0]) != rdb_opcode::kAux;
    if (head_done_) break;
    rest.remove_prefix(1);
    std::string name;
    std::string value;
    Taken taken = take_string(rest, name);
    if (taken == Taken::kString) taken = take_string(rest, value);
    if (taken == Taken::kMoreNeeded && head_.size() < kHeadLimitBytes) return;
    head_done_ = taken != Taken::kString;
    if (head_done_) break;
    aux_.set(name, value);
    head_read_ = head_.size() - rest.size();
  }
  head_ = Bytes();
}

Status RdbSummary::feed(ByteView bytes) {
  fed_bytes_ += bytes.size();
  if (!head_done_) {
    head_.append(bytes.substr(0, kHeadLimitBytes));
    if (!magic_ && head_.size() >= kRdbMagicSize) {
      ASSIGN_OR_RETURN(magic_, parse_rdb_magic(ByteView(head_).substr(0, kRdbMagicSize)));
      head_read_ = kRdbMagicSize;
    }
    if (magic_) read_head();
  }
  if (bytes.size() >= kTailSize) {
    crc_ = crc64(crc_, tail_);
    crc_ = crc64(crc_, bytes.substr(0, bytes.size() - kTailSize));
    tail_.assign(bytes.substr(bytes.size() - kTailSize));
    return {};
  }
  tail_.append(bytes);
  if (tail_.size() > kTailSize) {
    const std::size_t settled = tail_.size() - kTailSize;
    crc_ = crc64(crc_, ByteView(tail_).substr(0, settled));
    tail_.erase(0, settled);
  }
  return {};
}

Result<RdbFacts> RdbSummary::finish() const {
  if (!magic_) return Error(ErrorKind::kDataLoss, fmt::format("not an RDB file: only {} bytes", fed_bytes_));
  RdbFacts facts{.magic = *magic_, .aux = aux_, .size_bytes = fed_bytes_};
  const auto truncated = [&] {
    return Error(ErrorKind::kDataLoss, fmt::format("the RDB is cut: no end mark where {} bytes end", fed_bytes_));
  };
  const std::size_t trailer = facts.magic.has_checksum() ? kTailSize : 1;
  if (fed_bytes_ < kRdbMagicSize + trailer) return truncated();
  const ByteView end = ByteView(tail_).substr(tail_.size() - trailer);
  if (static_cast<unsigned char>(end[0]) != rdb_opcode::kEnd) return truncated();
  if (!facts.magic.has_checksum()) return facts;
  facts.checksum_value = little_endian(end.substr(1));
  facts.checksum = facts.checksum_value == 0 ? RdbChecksum::kNotRecorded : RdbChecksum::kVerified;
  const std::uint64_t computed = crc64(crc_, end.substr(0, 1));
  if (facts.checksum_value != 0 && facts.checksum_value != computed)
    return Error(ErrorKind::kDataLoss,
                 fmt::format("the RDB is damaged: its checksum is {:016x}, its bytes give {:016x}",
                             facts.checksum_value, computed));
  return facts;
}

}  // namespace anclora::redis
