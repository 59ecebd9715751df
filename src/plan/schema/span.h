// Durations as plans write them: those of parse_duration, 0, and day, week, month, quarter, year.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace anclora::plan {

// A month counts 31 days, a quarter 92, a year 366. Nothing when it is no duration.
std::optional<Duration> parse_span(std::string_view text);
// "15m", "1h30m", "90s", "30d": as a plan would write it.
std::string format_span(Duration duration);

}  // namespace anclora::plan
