// Numbers in text, eight characters at a time: what the slots of a command frame hold as bytes. Pure.
// Every function reads or writes whole words of 8 bytes: kSlotReach bytes at and after the place must exist.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace anclora::storage {

static_assert(std::endian::native == std::endian::little, "text is compared and made as little-endian words");

inline constexpr unsigned kMaxDecimalDigits = 16;
inline constexpr unsigned kMaxHexadecimalDigits = 64;
inline constexpr unsigned kWordChars = 8;
inline constexpr std::size_t kSlotReach = kMaxHexadecimalDigits + kWordChars;

namespace slot_text {

inline constexpr std::uint64_t kZeros = 0x3030303030303030;  // "00000000"
inline constexpr std::uint64_t kTops = 0x8080808080808080;
inline constexpr std::uint64_t kEightDigits = 100'000'000;

inline std::uint64_t load(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}
inline void store(char* at, std::uint64_t word) { std::memcpy(at, &word, sizeof word); }

// The first `count` (1 to 8) characters, with "0" in front up to 8.
inline std::uint64_t right_aligned(std::uint64_t chars, unsigned count) {
  if (count == kWordChars) return chars;
  return (chars << ((kWordChars - count) * 8)) | (kZeros >> (count * 8));
}
// The top bit of each character that is no digit.
inline std::uint64_t not_digits(std::uint64_t chars) {
  const std::uint64_t value = chars ^ kZeros;  // digits: 0 to 9
  return (((value & ~kTops) + 0x7676767676767676) | value) & kTops;
}
// The top bit of each character that is `wanted` (a word of eight times it); bits above the lowest one may be wrong.
inline std::uint64_t equal_chars(std::uint64_t chars, std::uint64_t wanted) {
  const std::uint64_t difference = chars ^ wanted;
  return (difference - 0x0101010101010101) & ~difference & kTops;
}
// Of eight digits.
inline std::uint64_t decimal_value(std::uint64_t chars) {
  chars ^= kZeros;
  chars = chars * 10 + (chars >> 8);  // pairs, in the even bytes
  constexpr std::uint64_t kPairs = 0x000000FF000000FF;
  return ((chars & kPairs) * 0x000F424000000064 + ((chars >> 16) & kPairs) * 0x0000271000000001) >> 32;
}
// Eight digits of a value below 10^8.
inline std::uint64_t decimal_chars(std::uint64_t value) {
  const std::uint64_t halves = value / 10'000 | value % 10'000 << 32;
  const std::uint64_t hundreds = ((halves * 5243) >> 19) & 0x0000007F0000007F;
  const std::uint64_t pairs = hundreds | (halves - hundreds * 100) << 16;
  const std::uint64_t tens = ((pairs * 103) >> 10) & 0x000F000F000F000F;
  return (tens | (pairs - tens * 10) << 8) + kZeros;
}
// Four bytes of eight lower-case hexadecimal digits, the first pair lowest. False: others.
inline bool hexadecimal_value(std::uint64_t chars, std::uint64_t& value) {
  const std::uint64_t digits = not_digits(chars) ^ kTops;
  const std::uint64_t letter = chars ^ 0x6060606060606060;  // 'a' to 'f': 1 to 6
  const std::uint64_t above = (((letter & ~kTops) + 0x7979797979797979) | letter) & kTops;
  const std::uint64_t below = ~(((letter & ~kTops) + 0x7F7F7F7F7F7F7F7F) | letter) & kTops;
  const std::uint64_t letters = ~(above | below) & kTops;
  if ((digits | letters) != kTops) return false;
  std::uint64_t nibbles = (chars & 0x0F0F0F0F0F0F0F0F) + (letters >> 7) * 9;
  nibbles = (nibbles << 4 | nibbles >> 8) & 0x00FF00FF00FF00FF;
  nibbles = (nibbles | nibbles >> 8) & 0x0000FFFF0000FFFF;
  value = (nibbles | nibbles >> 16) & 0xFFFFFFFF;
  return true;
}
inline std::uint64_t hexadecimal_chars(std::uint32_t bytes) {
  std::uint64_t spread = bytes;
  spread = (spread | spread << 16) & 0x0000FFFF0000FFFF;
  spread = (spread | spread << 8) & 0x00FF00FF00FF00FF;
  spread = (spread >> 4 | spread << 8) & 0x0F0F0F0F0F0F0F0F;
  const std::uint64_t letters = ((spread + 0x0606060606060606) >> 4) & 0x0101010101010101;
  return spread + kZeros + letters * ('a' - '0' - 10);
}

}  // namespace slot_text

// Bytes that hold every number of `width` decimal digits (0 to 16).
inline constexpr std::array<std::uint8_t, kMaxDecimalDigits + 1> kDecimalBytes = [] {
  std::array<std::uint8_t, kMaxDecimalDigits + 1> bytes{};
  std::uint64_t largest = 0;
  for (std::size_t width = 1; width < bytes.size(); ++width) {
    largest = largest * 10 + 9;
    bytes[width] = static_cast<std::uint8_t>((std::bit_width(largest) + 7) / 8);
  }
  return bytes;
}();

inline constexpr std::array<std::uint64_t, kMaxDecimalDigits + 1> kPowersOfTen = [] {
  std::array<std::uint64_t, kMaxDecimalDigits + 1> powers{1};
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

// `width` (1 to 16) digits at `text`. False: others stand there.
inline bool read_decimal(const char* text, unsigned width, std::uint64_t& value) {
  using namespace slot_text;
  if (width <= kWordChars) {
    const std::uint64_t chars = right_aligned(load(text), width);
    value = decimal_value(chars);
    return not_digits(chars) == 0;
  }
  const std::uint64_t high = right_aligned(load(text), width - kWordChars);
  const std::uint64_t low = load(text + width - kWordChars);
  value = decimal_value(high) * kEightDigits + decimal_value(low);
  return (not_digits(high) | not_digits(low)) == 0;
}

// Writes `width` (1 to 16) digits of a value below 10^width.
inline void write_decimal(std::uint64_t value, unsigned width, char* text) {
  using namespace slot_text;
  if (width <= kWordChars) return store(text, decimal_chars(value) >> ((kWordChars - width) * 8));
  store(text, decimal_chars(value / kEightDigits) >> ((2 * kWordChars - width) * 8));
  store(text + width - kWordChars, decimal_chars(value % kEightDigits));
}

// How many digits (1 to 16) stand at `text`, and their value; 0 when none, more, or a needless zero in front.
inline unsigned read_number(const char* text, std::uint64_t& value) {
  using namespace slot_text;
  const std::uint64_t first = load(text);
  if (const std::uint64_t others = not_digits(first); others != 0) {
    const auto digits = static_cast<unsigned>(std::countr_zero(others)) / 8;
    if (digits == 0 || (digits > 1 && *text == '0')) return 0;
    value = decimal_value(right_aligned(first, digits));
    return digits;
  }
  if (*text == '0') return 0;
  const std::uint64_t second = load(text + kWordChars);
  const std::uint64_t others = not_digits(second);
  const unsigned digits = others == 0 ? kWordChars : static_cast<unsigned>(std::countr_zero(others)) / 8;
  if (digits == kWordChars && not_digits(load(text + 2UL * kWordChars)) << 56 == 0) return 0;  // a 17th digit
  value = decimal_value(first) * kPowersOfTen[digits];
  if (digits > 0) value += decimal_value(right_aligned(second, digits));
  return kWordChars + digits;
}

// Writes a value below 10^16 without zeros in front. Returns its digits.
inline unsigned write_number(std::uint64_t value, char* text) {
  using namespace slot_text;
  std::uint64_t rest = value;
  const bool is_long = value >= kEightDigits;
  if (is_long) rest = value / kEightDigits;
  const std::uint64_t chars = decimal_chars(rest);
  const std::uint64_t digits = chars ^ kZeros;
  const unsigned zeros = digits == 0 ? kWordChars - 1 : static_cast<unsigned>(std::countr_zero(digits)) / 8;
  store(text, chars >> (zeros * 8));
  if (!is_long) return kWordChars - zeros;
  store(text + kWordChars - zeros, decimal_chars(value % kEightDigits));
  return 2 * kWordChars - zeros;
}

// `width` (1 to 64) lower-case hexadecimal digits at `text` as bytes, with a 0 in front when `width` is odd: written at
// `bytes`, and how many is returned. 0: others stand there.
inline unsigned read_hexadecimal(const char* text, unsigned width, char* bytes) {
  using namespace slot_text;
  const unsigned head = (width - 1) % kWordChars + 1;
  std::uint64_t value = 0;
  if (!hexadecimal_value(right_aligned(load(text), head), value)) return 0;
  unsigned size = (head + 1) / 2;
  store(bytes, value >> ((kWordChars / 2 - size) * 8));
  for (unsigned at = head; at < width; at += kWordChars, size += kWordChars / 2) {
    if (!hexadecimal_value(load(text + at), value)) return 0;
    store(bytes + size, value);
  }
  return size;
}

// The inverse: `width` digits at `text` from (width + 1) / 2 bytes.
inline void write_hexadecimal(const char* bytes, unsigned width, char* text) {
  using namespace slot_text;
  const auto next = [&bytes](unsigned size) {
    const auto word = static_cast<std::uint32_t>(load(bytes));
    bytes += size;
    return hexadecimal_chars(word);
  };
  const unsigned head = (width - 1) % kWordChars + 1;
  store(text, next((head + 1) / 2) >> (head % 2 * 8));
  for (unsigned at = head; at < width; at += kWordChars) store(text + at, next(kWordChars / 2));
}

}  // namespace anclora::storage
