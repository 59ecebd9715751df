#include "plan/import/mojibake.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/utf8.h"

namespace anclora::plan {
namespace {

// Windows-1252 from 0x80 to 0x9f (the table of the Unicode Consortium); 0 where it has no character.
constexpr std::array<char32_t, 32> kWindows1252 = {0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                                   0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017d, 0,
                                                   0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                                   0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};

std::optional<char> windows_byte(char32_t point) {
  if (point >= 0x80 && point <= 0xff) return static_cast<char>(static_cast<unsigned char>(point));
  const auto found = std::ranges::find(kWindows1252, point);
  if (point == 0 || found == kWindows1252.end()) return std::nullopt;
  return static_cast<char>(static_cast<unsigned char>(0x80 + (found - kWindows1252.begin())));
}

// The run as it was, when all of it is Windows-1252 for valid UTF-8.
std::optional<std::string> unspoil(std::string_view run) {
  std::string bytes;
  while (!run.empty()) {
    const auto point = decode_utf8(run);
    if (!point) return std::nullopt;
    const auto byte = windows_byte(point->value);
    if (!byte) return std::nullopt;
    bytes.push_back(*byte);
    run.remove_prefix(point->size);
  }
  if (first_bad_utf8(bytes)) return std::nullopt;
  return bytes;
}

Repair repair_once(std::string_view text) {
  Repair repair;
  std::uint32_t line = 1;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && static_cast<unsigned char>(text[end]) >= 0x80) ++end;
    if (end == at) {
      line += text[at] == '\n' ? 1 : 0;
      repair.text.push_back(text[at++]);
      continue;
    }
    const std::string_view run = text.substr(at, end - at);
    if (const auto was = unspoil(run)) {
      repair.text += *was;
      if (repair.repaired++ == 0) repair.first_line = line;
    } else {
      repair.text += run;
    }
    at = end;
  }
  return repair;
}

std::string with_replacements(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const auto point = decode_utf8(bytes);
    append_utf8(text, point ? point->value : 0xfffd);
    bytes.remove_prefix(point ? point->size : 1);
  }
  return text;
}

}  // namespace

Repair repair_mojibake(std::string_view bytes) {
  Repair all;
  all.text = with_replacements(bytes);
  for (int pass = 0; pass < 3; ++pass) {
    Repair once = repair_once(all.text);
    if (once.repaired == 0) break;
    all.text = std::move(once.text);
    if (all.repaired == 0) all.first_line = once.first_line;
    all.repaired = std::max(all.repaired, once.repaired);
  }
  return all;
}

}  // namespace anclora::plan
