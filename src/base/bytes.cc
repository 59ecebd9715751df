#include "base/bytes.h"

#include <sodium.h>

#include <cstring>

namespace anclora {
namespace {

Error truncated() { return Error(ErrorKind::kDataLoss, "the bytes end in the middle of a field"); }

template <class T>
void append_little_endian(Bytes& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Hash256 hash256(ByteView bytes) {
  [[maybe_unused]] static const int kReady = sodium_init();  // picks the fastest code for this processor
  Hash256 hash;
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                     nullptr, 0);
  return hash;
}

std::string to_hex(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    hex.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    hex.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return hex;
}

std::string to_hex(const Hash256& hash) {
  return to_hex(ByteView(reinterpret_cast<const char*>(hash.data()), hash.size()));
}

Result<Bytes> from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return Error(ErrorKind::kInvalidArgument, "an odd number of hexadecimal digits");
  Bytes bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = hex_digit(hex[i]);
    const int low = hex_digit(hex[i + 1]);
    if (high < 0 || low < 0) return Error(ErrorKind::kInvalidArgument, "not a hexadecimal digit");
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return bytes;
}

void ByteWriter::u8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
void ByteWriter::u16(std::uint16_t value) { append_little_endian(out_, value); }
void ByteWriter::u32(std::uint32_t value) { append_little_endian(out_, value); }
void ByteWriter::u64(std::uint64_t value) { append_little_endian(out_, value); }

void ByteWriter::varint(std::uint64_t value) {
  while (value >= 0x80) {
    out_.push_back(static_cast<char>((value & 0x7f) | 0x80));
    value >>= 7;
  }
  out_.push_back(static_cast<char>(value));
}

void ByteWriter::sized(ByteView bytes) {
  varint(bytes.size());
  raw(bytes);
}

template <class T>
Result<T> ByteReader::fixed() {
  if (rest_.size() < sizeof(T)) return truncated();
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    value = static_cast<T>(value | (static_cast<T>(static_cast<unsigned char>(rest_[i])) << (8 * i)));
  rest_.remove_prefix(sizeof(T));
  return value;
}

Result<std::uint8_t> ByteReader::u8() { return fixed<std::uint8_t>(); }
Result<std::uint16_t> ByteReader::u16() { return fixed<std::uint16_t>(); }
Result<std::uint32_t> ByteReader::u32() { return fixed<std::uint32_t>(); }
Result<std::uint64_t> ByteReader::u64() { return fixed<std::uint64_t>(); }

Result<std::uint64_t> ByteReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    ASSIGN_OR_RETURN(const std::uint8_t byte, u8());
    if (shift == 63 && byte > 1) break;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return Error(ErrorKind::kDataLoss, "a variable-length number is longer than 64 bits");
}

Result<ByteView> ByteReader::raw(std::size_t size) {
  if (rest_.size() < size) return truncated();
  const ByteView view = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return view;
}

Result<Hash256> ByteReader::hash() {
  ASSIGN_OR_RETURN(const ByteView view, raw(Hash256{}.size()));
  Hash256 hash;
  std::memcpy(hash.data(), view.data(), hash.size());
  return hash;
}

Result<ByteView> ByteReader::sized() {
  ASSIGN_OR_RETURN(const std::uint64_t size, varint());
  if (size > rest_.size()) return truncated();
  return raw(static_cast<std::size_t>(size));
}

Status ByteReader::expect_end() const {
  if (!rest_.empty()) return Error(ErrorKind::kDataLoss, "bytes are left after the last field");
  return {};
}

}  // namespace anclora
