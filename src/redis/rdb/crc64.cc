#include "redis/rdb/crc64.h"

#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace anclora::redis {
namespace {

// In reflected form bit 63 is the coefficient of x^0.
constexpr std::uint64_t kPolynomial = 0x95ac9329ac4bc9b5;
constexpr std::uint64_t kOne = 1ULL << 63;

constexpr std::uint64_t times_x(std::uint64_t value) { return (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0); }

constexpr std::uint64_t x_to_the(unsigned power) {
  std::uint64_t value = kOne;
  for (unsigned i = 0; i < power; ++i) value = times_x(value);
  return value;
}

using Table = std::array<std::uint64_t, 256>;

constexpr std::array<Table, 8> make_tables() {
  std::array<Table, 8> tables{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    std::uint64_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = times_x(value);
    tables[0][byte] = value;
  }
  for (std::size_t t = 1; t < 8; ++t)
    for (std::size_t byte = 0; byte < 256; ++byte)
      tables[t][byte] = (tables[t - 1][byte] >> 8) ^ tables[0][tables[t - 1][byte] & 0xff];
  return tables;
}

constexpr std::array<Table, 8> kTables = make_tables();

std::uint64_t load_u64(const char* at) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, sizeof value);
  if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
  return value;
}

std::uint64_t multiply(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  for (; b != 0; b <<= 1) {
    if ((b & kOne) != 0) product ^= a;
    a = times_x(a);
  }
  return product;
}

}  // namespace

namespace crc64_ways {

std::uint64_t by_tables(std::uint64_t crc, ByteView bytes) {
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    const std::uint64_t word = crc ^ load_u64(at);
    crc = 0;
    for (std::size_t i = 0; i < 8; ++i) crc ^= kTables[7 - i][(word >> (8 * i)) & 0xff];
  }
  for (; left > 0; --left, ++at) crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<unsigned char>(*at)) & 0xff];
  return crc;
}

#if defined(__x86_64__)

bool has_carryless_multiply() {
  static const bool has = __builtin_cpu_supports("pclmul") != 0 && __builtin_cpu_supports("sse4.1") != 0;
  return has;
}

namespace {

// Moves a 128-bit remainder `distance` bits on: its earlier half (the low one, in reflected form) times
// x^(distance+64), its later half times x^distance. The product of two reflected numbers comes out one power of x too
// high, hence the -1.
struct FoldConstants {
  std::uint64_t earlier;
  std::uint64_t later;
};

template <unsigned distance>
constexpr FoldConstants kFold = {x_to_the(distance + 64 - 1), x_to_the(distance - 1)};

__attribute__((target("pclmul,sse4.1"))) inline __m128i constants(const FoldConstants& fold) {
  return _mm_set_epi64x(static_cast<long long>(fold.later), static_cast<long long>(fold.earlier));
}

__attribute__((target("pclmul,sse4.1"))) inline __m128i fold(__m128i value, __m128i by, __m128i next) {
  const __m128i earlier = _mm_clmulepi64_si128(value, by, 0x00);
  const __m128i later = _mm_clmulepi64_si128(value, by, 0x11);
  return _mm_xor_si128(_mm_xor_si128(earlier, later), next);
}

__attribute__((target("pclmul,sse4.1"))) inline __m128i load(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

}  // namespace

__attribute__((target("pclmul,sse4.1"))) std::uint64_t by_carryless_multiply(std::uint64_t crc, ByteView bytes) {
  constexpr std::size_t kLanes = 8;
  constexpr std::size_t kStride = 16 * kLanes;
  if (bytes.size() < 2 * kStride) return by_tables(crc, bytes);
  const char* at = bytes.data();
  std::size_t left = bytes.size();

  __m128i lanes[kLanes];
  for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = load(at + 16 * i);
  lanes[0] = _mm_xor_si128(lanes[0], _mm_set_epi64x(0, static_cast<long long>(crc)));
  at += kStride;
  left -= kStride;
  const __m128i by_stride = constants(kFold<8 * kStride>);
  for (; left >= kStride; left -= kStride, at += kStride)
    for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = fold(lanes[i], by_stride, load(at + 16 * i));

  const __m128i by_block = constants(kFold<128>);
  __m128i value = lanes[0];
  for (std::size_t i = 1; i < kLanes; ++i) value = fold(value, by_block, lanes[i]);
  for (; left >= 16; left -= 16, at += 16) value = fold(value, by_block, load(at));

  // What is left is 16 bytes that have the same remainder as all before them.
  std::array<char, 16> remainder{};
  _mm_storeu_si128(reinterpret_cast<__m128i*>(remainder.data()), value);
  return by_tables(by_tables(0, ByteView(remainder.data(), remainder.size())), ByteView(at, left));
}

#else

bool has_carryless_multiply() { return false; }
std::uint64_t by_carryless_multiply(std::uint64_t crc, ByteView bytes) { return by_tables(crc, bytes); }

#endif

}  // namespace crc64_ways

std::uint64_t crc64(std::uint64_t crc, ByteView bytes) {
  return crc64_ways::has_carryless_multiply() ? crc64_ways::by_carryless_multiply(crc, bytes)
                                              : crc64_ways::by_tables(crc, bytes);
}

std::uint64_t crc64_combine(std::uint64_t first, std::uint64_t second, std::uint64_t second_size) {
  std::uint64_t shift = kOne;
  std::uint64_t square = x_to_the(8);
  for (std::uint64_t bytes = second_size; bytes != 0; bytes >>= 1) {
    if ((bytes & 1) != 0) shift = multiply(shift, square);
    square = multiply(square, square);
  }
  return multiply(first, shift) ^ second;
}

}  // namespace anclora::redis
