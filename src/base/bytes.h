// Bytes and the little-endian encoder and decoder that every binary format of ours uses.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace anclora {

using Bytes = std::string;
using ByteView = std::string_view;

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;

// 32 bytes of BLAKE2b-256.
using Hash256 = std::array<std::uint8_t, 32>;
Hash256 hash256(ByteView bytes);
std::string to_hex(ByteView bytes);
std::string to_hex(const Hash256& hash);
// kInvalidArgument unless `hex` is an even number of hexadecimal digits.
Result<Bytes> from_hex(std::string_view hex);

// Appends to a string it owns. Fixed-width integers are little-endian; varint is LEB128.
class ByteWriter {
 public:
  void u8(std::uint8_t value);
  void u16(std::uint16_t value);
  void u32(std::uint32_t value);
  void u64(std::uint64_t value);
  void varint(std::uint64_t value);
  void raw(ByteView bytes) { out_.append(bytes); }
  void raw(const Hash256& hash) { out_.append(reinterpret_cast<const char*>(hash.data()), hash.size()); }
  // A varint length, then the bytes.
  void sized(ByteView bytes);

  const Bytes& bytes() const { return out_; }
  Bytes take() { return std::move(out_); }
  std::size_t size() const { return out_.size(); }

 private:
  Bytes out_;
};

// Reads from a view that outlives it. Every method answers kDataLoss when the bytes run out or a varint is too long;
// a declared length larger than what is left is an error before anything is allocated.
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : rest_(bytes) {}
  Result<std::uint8_t> u8();
  Result<std::uint16_t> u16();
  Result<std::uint32_t> u32();
  Result<std::uint64_t> u64();
  Result<std::uint64_t> varint();
  Result<ByteView> raw(std::size_t size);
  Result<Hash256> hash();
  Result<ByteView> sized();

  ByteView rest() const { return rest_; }
  bool at_end() const { return rest_.empty(); }
  // kDataLoss when bytes are left: a reader that knows the whole format calls this last.
  Status expect_end() const;

 private:
  template <class T>
  Result<T> fixed();
  ByteView rest_;
};

}  // namespace anclora
