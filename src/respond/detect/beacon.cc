#include "respond/detect/beacon.h"

#include <fmt/format.h>

#include <charconv>

namespace anclora::respond {
namespace {

template <class T>
bool read_all(std::string_view text, T& number) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  return code == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string Beacon::to_string() const { return fmt::format("{} {}", at.time_since_epoch().count(), beat); }

Result<Beacon> Beacon::parse(std::string_view text) {
  const std::size_t space = text.find(' ');
  std::int64_t micros = 0;
  Beacon beacon;
  if (space == std::string_view::npos || !read_all(text.substr(0, space), micros) ||
      !read_all(text.substr(space + 1), beacon.beat))
    return Error(ErrorKind::kDataLoss, "the beacon's key holds something else than a beacon",
                 "give the beacon a key that nothing else writes");
  beacon.at = WallTime(std::chrono::microseconds(micros));
  return beacon;
}

}  // namespace anclora::respond
