#include "respond/detect/beacon.h"

#include <fmt/format.h>

#include "base/whole_number.h"

namespace anclora::respond {

std::string Beacon::to_string() const { return fmt::format("{} {}", at.time_since_epoch().count(), beat); }

Result<Beacon> Beacon::parse(std::string_view text) {
  const std::size_t space = text.find(' ');
  const auto micros = whole_number<std::int64_t>(text.substr(0, space));
  const auto beat =
      space == std::string_view::npos ? std::nullopt : whole_number<std::uint64_t>(text.substr(space + 1));
  if (!micros || !beat)
    return Error(ErrorKind::kDataLoss, "the beacon's key holds something else than a beacon",
                 "give the beacon a key that nothing else writes");
  Beacon beacon;
  beacon.at = WallTime(std::chrono::microseconds(*micros));
  beacon.beat = *beat;
  return beacon;
}

}  // namespace anclora::respond
