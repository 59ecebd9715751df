#include "base/printable.h"

#include <fmt/format.h>

#include "base/utf8.h"

namespace anclora {
namespace {

std::string spelt_out(std::string_view text, bool in_a_line) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto point = decode_utf8(text);
    const std::size_t size = point ? point->size : 1;
    const bool space = point && (point->value == '\n' || point->value == '\t');
    if (!point || (point->value < 0x20 && (!space || in_a_line)))
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    else if ((point->value >= 0x7f && point->value < 0xa0) || reorders(point->value))  // U+009B may be taken for ESC [
      out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(point->value));
    else
      out += text.substr(0, size);
    text.remove_prefix(size);
  }
  return out;
}

}  // namespace

bool reorders(char32_t point) { return (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069); }

std::string printable_text(std::string_view text) { return spelt_out(text, false); }
std::string printable_line(std::string_view text) { return spelt_out(text, true); }

std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@%+,=";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) return std::string(text);
  std::string word = "'";
  for (const char letter : text) {
    if (letter == '\'') {
      word += "'\\''";
    } else {
      word += letter;
    }
  }
  return word + "'";
}

std::size_t unfinished_character(std::string_view text) {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    const std::size_t size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1;
    if (size > 1) return size > back && byte <= 0xf4 ? back : 0;
    if (byte < 0x80) return 0;
  }
  return 0;
}

}  // namespace anclora
