#include "redis/rdb/rdb_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "redis/rdb/crc64.h"
#include "redis/rdb/lzf.h"

namespace anclora::redis {
namespace {

constexpr std::size_t kBufferSize = 256 * kKiB;
constexpr std::size_t kAuxLimit = 4 * kKiB;
constexpr std::uint64_t kEncodingLzf = 3;

std::uint64_t little_endian(ByteView bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
  return value;
}

std::uint64_t big_endian(ByteView bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

}  // namespace

RdbReader::RdbReader(ByteSource& input) : input_(input) {}

Error RdbReader::malformed(std::string_view what, std::uint64_t at) const {
  return Error(ErrorKind::kDataLoss, fmt::format("the RDB is damaged at byte {}: {}", at, what));
}

void RdbReader::settle_checksum() {
  crc_ = crc64(crc_, ByteView(buffer_).substr(summed_, at_ - summed_));
  summed_ = at_;
}

Status RdbReader::need(std::size_t size) {
  if (buffer_.size() - at_ >= size) return {};
  settle_checksum();
  buffer_.erase(0, at_);
  buffer_offset_ += at_;
  at_ = summed_ = 0;
  while (buffer_.size() < size) {
    ASSIGN_OR_RETURN(const std::size_t got, input_.read_some(buffer_, kBufferSize));
    if (got == 0)
      return Error(ErrorKind::kDataLoss,
                   fmt::format("the RDB is cut: it ends at byte {}, in the middle of what begins at byte {}",
                               buffer_offset_ + buffer_.size(), offset()));
  }
  return {};
}

Result<std::uint64_t> RdbReader::fixed(std::size_t width) {
  RETURN_IF_ERROR(need(width));
  const std::uint64_t value = little_endian(ByteView(buffer_).substr(at_, width));
  at_ += width;
  return value;
}

Status RdbReader::skip(std::uint64_t size) {
  while (size > 0) {
    RETURN_IF_ERROR(need(1));
    const std::uint64_t step = std::min<std::uint64_t>(size, buffer_.size() - at_);
    at_ += static_cast<std::size_t>(step);
    size -= step;
  }
  return {};
}

Result<RdbReader::Length> RdbReader::length() {
  const std::uint64_t begin = offset();
  ASSIGN_OR_RETURN(const std::uint64_t first, fixed(1));
  const std::uint64_t low = first & 0x3f;
  if (first < 0x40) return Length{low, false};
  if (first < 0x80) {
    ASSIGN_OR_RETURN(const std::uint64_t second, fixed(1));
    return Length{low << 8 | second, false};
  }
  if (first >= 0xc0) return Length{low, true};
  if (low > 1) return malformed("not a length", begin);
  const std::size_t width = low == 0 ? 4 : 8;
  RETURN_IF_ERROR(need(width));
  const std::uint64_t value = big_endian(ByteView(buffer_).substr(at_, width));
  at_ += width;
  return Length{value, false};
}

Result<std::uint64_t> RdbReader::plain_length() {
  const std::uint64_t begin = offset();
  ASSIGN_OR_RETURN(const Length found, length());
  if (found.encoded) return malformed("a number was expected, not a string", begin);
  return found.value;
}

Status RdbReader::skip_lengths(int count) {
  for (int i = 0; i < count; ++i) RETURN_IF_ERROR(plain_length());
  return {};
}

Status RdbReader::skip_string() {
  Bytes none;
  RETURN_IF_ERROR(read_string(none, 0));
  return {};
}

Result<std::uint64_t> RdbReader::read_string(Bytes& out, std::size_t limit) {
  const std::uint64_t begin = offset();
  out.clear();
  ASSIGN_OR_RETURN(const Length found, length());
  if (!found.encoded) {
    std::uint64_t wanted = std::min<std::uint64_t>(found.value, limit);
    while (wanted > 0) {
      RETURN_IF_ERROR(need(1));
      const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, buffer_.size() - at_));
      out.append(buffer_, at_, step);
      at_ += step;
      wanted -= step;
    }
    RETURN_IF_ERROR(skip(found.value - out.size()));
    return found.value;
  }
  if (found.value < kEncodingLzf) {
    const std::size_t width = std::size_t{1} << found.value;
    ASSIGN_OR_RETURN(const std::uint64_t raw, fixed(width));
    const auto unused = static_cast<unsigned>(64 - 8 * width);
    const std::string text = std::to_string(static_cast<std::int64_t>(raw << unused) >> unused);
    out.assign(text, 0, limit);
    return text.size();
  }
  if (found.value != kEncodingLzf) return malformed("an unknown string encoding", begin);
  ASSIGN_OR_RETURN(const std::uint64_t packed_size, plain_length());
  ASSIGN_OR_RETURN(const std::uint64_t size, plain_length());
  if (size > limit || packed_size > limit) {
    RETURN_IF_ERROR(skip(packed_size));
    return size;
  }
  RETURN_IF_ERROR(need(static_cast<std::size_t>(packed_size)));
  auto unpacked = lzf_decompress(ByteView(buffer_).substr(at_, static_cast<std::size_t>(packed_size)),
                                 static_cast<std::size_t>(size));
  if (!unpacked) return malformed(unpacked.error().message(), begin);
  at_ += static_cast<std::size_t>(packed_size);
  out = std::move(*unpacked);
  return size;
}

Status RdbReader::read_magic() {
  if (Status there = need(kRdbMagicSize); !there) {
    if (there.error().kind() != ErrorKind::kDataLoss) return there;
    return Error(ErrorKind::kDataLoss, fmt::format("not an RDB file: only {} bytes", buffer_.size()));
  }
  ASSIGN_OR_RETURN(magic_, parse_rdb_magic(ByteView(buffer_).substr(0, kRdbMagicSize)));
  at_ += kRdbMagicSize;
  return {};
}

Status RdbReader::read_end() {
  settle_checksum();
  const std::uint64_t computed = crc_;
  ended_ = true;
  if (!magic_.has_checksum()) return {};
  const std::uint64_t begin = offset();
  ASSIGN_OR_RETURN(const std::uint64_t recorded, fixed(kRdbChecksumSize));
  checksum_ = recorded == 0 ? RdbChecksum::kNotRecorded : RdbChecksum::kVerified;
  if (recorded != 0 && recorded != computed)
    return malformed(fmt::format("the checksum is {:016x}, the bytes give {:016x}", recorded, computed), begin);
  return {};
}

Result<bool> RdbReader::has_more() {
  if (at_ < buffer_.size()) return true;
  Bytes byte;
  ASSIGN_OR_RETURN(const std::size_t got, input_.read_some(byte, 1));
  return got > 0;
}

Result<std::optional<RdbKey>> RdbReader::next() {
  if (failure_) return *failure_;
  Result<std::optional<RdbKey>> key = read_next();
  if (!key) failure_ = key.error();
  return key;
}

Result<std::optional<RdbKey>> RdbReader::read_next() {
  if (ended_) return std::nullopt;
  if (!started_) RETURN_IF_ERROR(read_magic());
  started_ = true;
  while (true) {
    const std::uint64_t begin = offset();
    ASSIGN_OR_RETURN(const std::uint64_t byte, fixed(1));
    const auto opcode = static_cast<std::uint8_t>(byte);
    if (opcode == rdb_opcode::kEnd) {
      RETURN_IF_ERROR(read_end());
      return std::nullopt;
    }
    if (opcode < rdb_opcode::kSlotImport) {
      ASSIGN_OR_RETURN(RdbKey key, read_key(opcode, begin));
      return std::optional<RdbKey>(std::move(key));
    }
    RETURN_IF_ERROR(skip_opcode(opcode));
  }
}

Result<RdbKey> RdbReader::read_key(std::uint8_t type, std::uint64_t type_offset) {
  if (rdb_type_name(type) == "unknown")
    return Error(ErrorKind::kUnsupported,
                 fmt::format("{} holds a value of type {} at byte {}, which this version of Anclora does not know",
                             magic_.to_string(), type, type_offset),
                 "its checksum can still be verified; the redis-check-rdb of the server that wrote it can read it");
  RdbKey key;
  key.database = database_;
  key.type = type;
  key.expires_at_ms = expires_at_ms_;
  key.file_offset = type_offset;
  expires_at_ms_.reset();
  ASSIGN_OR_RETURN(key.name_size, read_string(key.name, kRdbKeyNameLimit));
  const std::uint64_t value_offset = offset();
  RETURN_IF_ERROR(skip_value(type, key));
  key.value_size_bytes = offset() - value_offset;
  return key;
}

Status RdbReader::read_aux() {
  Bytes name;
  Bytes value;
  RETURN_IF_ERROR(read_string(name, kAuxLimit));
  RETURN_IF_ERROR(read_string(value, kAuxLimit));
  aux_.set(name, value);
  return {};
}

Status RdbReader::skip_opcode(std::uint8_t opcode) {
  const std::uint64_t begin = offset() - 1;
  switch (opcode) {
    case rdb_opcode::kAux:
      return read_aux();
    case rdb_opcode::kSelectDatabase: {
      ASSIGN_OR_RETURN(database_, plain_length());
      return {};
    }
    case rdb_opcode::kResizeDatabase:
      return skip_lengths(2);
    case rdb_opcode::kSlotInfo:
      return skip_lengths(3);
    case rdb_opcode::kExpireSeconds: {
      ASSIGN_OR_RETURN(const std::uint64_t seconds, fixed(4));
      expires_at_ms_ = static_cast<std::int64_t>(static_cast<std::int32_t>(seconds)) * 1000;
      return {};
    }
    case rdb_opcode::kExpireMilliseconds: {
      ASSIGN_OR_RETURN(const std::uint64_t milliseconds, fixed(8));
      expires_at_ms_ = static_cast<std::int64_t>(milliseconds);
      return {};
    }
    case rdb_opcode::kFrequency:
      return skip(1);
    case rdb_opcode::kIdle:
      return skip_lengths(1);
    case rdb_opcode::kFunction:
      ++functions_;
      return skip_string();
    case rdb_opcode::kModuleAux: {
      ASSIGN_OR_RETURN(const std::uint64_t module, plain_length());
      note_module(module);
      RETURN_IF_ERROR(skip_lengths(2));
      return skip_module_value();
    }
    default:
      return Error(ErrorKind::kUnsupported,
                   fmt::format("{} holds opcode {} at byte {}, which this version of Anclora does not know",
                               magic_.to_string(), opcode, begin),
                   "its checksum can still be verified; the redis-check-rdb of the server that wrote it can read it");
  }
}

}  // namespace anclora::redis
