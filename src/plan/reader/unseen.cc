#include "plan/reader/unseen.h"

#include "base/printable.h"
#include "base/utf8.h"

namespace anclora::plan {
namespace {

bool is_unseen(char32_t point) {
  return (point >= 0x80 && point < 0xa0) || point == 0x2028 || point == 0x2029 || reorders(point) || point == 0x200e ||
         point == 0x200f || point == 0xfeff;
}

}  // namespace

std::optional<std::pair<std::size_t, char32_t>> first_unseen(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto point = decode_utf8(text.substr(at));
    if (!point) return std::nullopt;
    if (is_unseen(point->value)) return std::pair(at, point->value);
    at += point->size;
  }
  return std::nullopt;
}

}  // namespace anclora::plan
