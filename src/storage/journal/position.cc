#include "storage/journal/position.h"

#include <charconv>
#include <limits>

namespace anclora::storage {
namespace {

Error malformed(std::string_view text) {
  return Error(ErrorKind::kInvalidArgument, "\"" + std::string(text.substr(0, 64)) + "\" is not a position",
               "a position is TIMELINE/OFFSET, such as 3/1048577; see: anclora history");
}

// Plain decimal digits without a sign or leading zeros, so that one position has one spelling.
bool parse_number(std::string_view digits, std::uint64_t limit, std::uint64_t& value) {
  if (digits.empty() || (digits.size() > 1 && digits[0] == '0')) return false;
  const char* begin = digits.data();  // not terminated: the end is given
  const char* end = begin + digits.size();
  const auto [stop, code] = std::from_chars(begin, end, value);
  return code == std::errc() && stop == end && value <= limit;
}

}  // namespace

std::string to_string(const Position& position) {
  return std::to_string(position.timeline.value) + "/" + std::to_string(position.offset.value);
}

Result<Position> parse_position(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return malformed(text);
  std::uint64_t timeline = 0;
  std::uint64_t offset = 0;
  if (!parse_number(text.substr(0, slash), std::numeric_limits<std::uint32_t>::max(), timeline) || timeline == 0)
    return malformed(text);
  if (!parse_number(text.substr(slash + 1), std::numeric_limits<std::int64_t>::max(), offset)) return malformed(text);
  return Position{TimelineId{static_cast<std::uint32_t>(timeline)}, redis::Offset{offset}};
}

}  // namespace anclora::storage
