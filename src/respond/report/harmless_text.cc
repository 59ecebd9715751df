#include "respond/report/harmless_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace anclora::respond {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

Character next_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1, true};
  const std::size_t size = first >= 0xF0 && first < 0xF5 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (size == 0 || first >= 0xF5 || text.size() < size) return {};
  std::uint32_t code = first & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {};
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[size] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return {};
  return {code, size, true};
}

bool is_white(std::uint32_t code) {
  return (code >= 0x09 && code <= 0x0D) || code == 0x85 || code == 0xA0 || code == 0x1680 ||
         (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F ||
         code == 0x3000;
}

// Unseen, or changing how others are seen: control, direction, zero width, language tags, private interlinear marks.
bool is_deceptive(std::uint32_t code) {
  constexpr std::array<std::pair<std::uint32_t, std::uint32_t>, 14> kRanges = {{{0x00, 0x1F},
                                                                                {0x7F, 0x9F},
                                                                                {0xAD, 0xAD},
                                                                                {0x34F, 0x34F},
                                                                                {0x61C, 0x61C},
                                                                                {0x115F, 0x1160},
                                                                                {0x180B, 0x180F},
                                                                                {0x200B, 0x200F},
                                                                                {0x202A, 0x202E},
                                                                                {0x2060, 0x206F},
                                                                                {0xFEFF, 0xFEFF},
                                                                                {0xFFF0, 0xFFFB},
                                                                                {0xFFFE, 0xFFFF},
                                                                                {0xE0000, 0xE0FFF}}};
  return std::ranges::any_of(kRanges,
                             [code](const auto& range) { return code >= range.first && code <= range.second; });
}

}  // namespace

std::string plain_text(std::string_view text, std::string_view cut, std::size_t limit) {
  std::string out;
  while (!text.empty()) {
    const Character each = next_character(text);
    if (out.size() + each.bytes > limit) {
      out.append(" [").append(cut).append(" ").append(std::to_string(text.size())).append("]");
      return out;
    }
    if (each.valid && is_white(each.code))
      out.push_back(' ');
    else if (!each.valid || is_deceptive(each.code))
      out.append(kReplacement);
    else
      out.append(text.substr(0, each.bytes));
    text.remove_prefix(each.bytes);
  }
  return out;
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char each : text) {
    switch (each) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out.push_back(each);
    }
  }
  return out;
}

std::string escape_markdown(std::string_view text) {
  constexpr std::string_view kAlways = "\\`*_[]<>|~&$@!{}^";
  std::string out;
  bool only_digits = true;  // so far: "1." begins a list
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char each = text[i];
    const bool ends_word = i + 1 == text.size() || text[i + 1] == ' ';
    const bool rule = each == '#' || each == '=' || (i + 1 < text.size() && text[i + 1] == each);
    const bool begins =
        i == 0 && (each == '#' || each == '+' || each == '-' || each == '=' || each == ':') && (rule || ends_word);
    const bool numbers = i > 0 && only_digits && (each == '.' || each == ')') && ends_word;
    const bool link =
        (each == ':' && text.substr(i).starts_with("://")) || (each == '.' && i >= 3 && (text[i - 1] | 32) == 'w');
    if (begins || numbers || link || kAlways.find(each) != std::string_view::npos) out.push_back('\\');
    out.push_back(each);
    only_digits = only_digits && each >= '0' && each <= '9';
  }
  return out;
}

}  // namespace anclora::respond
