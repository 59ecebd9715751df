// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace anclora {

struct CodePoint {
  char32_t value = 0;
  std::size_t size = 0;  // bytes it takes
};

// The code point at the front, nothing when the bytes are not UTF-8 or `text` is empty.
std::optional<CodePoint> decode_utf8(std::string_view text);
void append_utf8(std::string& text, char32_t code_point);
// The offset of the first byte that is not UTF-8.
std::optional<std::size_t> first_bad_utf8(std::string_view text);

}  // namespace anclora
