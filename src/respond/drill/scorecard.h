// A drill beside those before it. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "respond/drill/drill_record.h"
#include "respond/runbook/run_forecast.h"

namespace anclora::respond {

// Of the passed drills of the same scenario before `record`, at most the newest five.
struct DrillTrend {
  std::size_t earlier = 0;                         // all earlier ones of the scenario, whatever they came to
  std::size_t passed = 0;                          // of these
  std::size_t in_a_row = 0;                        // passes up to and with this one
  std::optional<Duration> rto_before, rpo_before;  // medians
};
DrillTrend trend_of(const std::vector<DrillRecord>& records, const DrillRecord& record);

// "1.2 s (0.4 s faster than the median before)", or as much of it as is known; "not measured".
std::string figure_with_trend(const std::optional<Duration>& now, const std::optional<Duration>& before);

// What each step of a scenario's recovery took in past drills: the median of those where it was done.
PastDurations past_durations(const std::vector<DrillRecord>& records, const std::string& scenario);

}  // namespace anclora::respond
