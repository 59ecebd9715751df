#include "base/utf8.h"

namespace anclora {

std::optional<CodePoint> decode_utf8(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return CodePoint{first, 1};
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return std::nullopt;
  char32_t value = first & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return std::nullopt;
    value = (value << 6) | (byte(i) & 0x3fU);
  }
  const char32_t smallest = size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000;
  if (value < smallest || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return std::nullopt;
  return CodePoint{value, size};
}

void append_utf8(std::string& text, char32_t value) {
  const auto add = [&](char32_t byte) { text.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
  if (value < 0x80) {
    add(value);
  } else if (value < 0x800) {
    add(0xc0U | (value >> 6));
    add(0x80U | (value & 0x3fU));
  } else if (value < 0x10000) {
    add(0xe0U | (value >> 12));
    add(0x80U | ((value >> 6) & 0x3fU));
    add(0x80U | (value & 0x3fU));
  } else {
    add(0xf0U | (value >> 18));
    add(0x80U | ((value >> 12) & 0x3fU));
    add(0x80U | ((value >> 6) & 0x3fU));
    add(0x80U | (value & 0x3fU));
  }
}

std::optional<std::size_t> first_bad_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto point = decode_utf8(text.substr(at));
    if (!point) return at;
    at += point->size;
  }
  return std::nullopt;
}

}  // namespace anclora
