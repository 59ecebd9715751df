#include "respond/drill/scorecard.h"

#include <fmt/format.h>

#include <algorithm>

namespace anclora::respond {
namespace {

constexpr std::size_t kCompared = 5;
constexpr std::size_t kRemembered = 20;  // a service changes: older drills say less

std::optional<Duration> median(std::vector<Duration> durations) {
  if (durations.empty()) return std::nullopt;
  std::ranges::sort(durations);
  const std::size_t middle = durations.size() / 2;
  return durations.size() % 2 == 1 ? durations[middle] : (durations[middle - 1] + durations[middle]) / 2;
}

}  // namespace

DrillTrend trend_of(const std::vector<DrillRecord>& records, const DrillRecord& record) {
  DrillTrend trend;
  std::vector<Duration> rto, rpo;
  bool unbroken = record.passed;
  trend.in_a_row = record.passed ? 1 : 0;
  for (auto each = records.rbegin(); each != records.rend(); ++each) {
    if (each->scenario != record.scenario || each->number >= record.number) continue;
    ++trend.earlier;
    if (!each->passed) {
      unbroken = false;
      continue;
    }
    ++trend.passed;
    if (unbroken) ++trend.in_a_row;
    if (trend.passed > kCompared) continue;
    if (each->achieved.rto) rto.push_back(*each->achieved.rto);
    if (each->achieved.rpo) rpo.push_back(*each->achieved.rpo);
  }
  trend.rto_before = median(std::move(rto));
  trend.rpo_before = median(std::move(rpo));
  return trend;
}

std::string figure_with_trend(const std::optional<Duration>& now, const std::optional<Duration>& before) {
  if (!now) return "not measured";
  std::string text = format_duration(*now);
  if (!before) return text;
  const Duration difference = *now > *before ? *now - *before : *before - *now;
  if (difference * 20 < *before || difference < std::chrono::milliseconds(1)) return text + " (as before)";
  return fmt::format("{} ({} {} than before)", text, format_duration(difference), *now > *before ? "more" : "less");
}

PastDurations past_durations(const std::vector<DrillRecord>& records, const std::string& scenario) {
  std::map<std::string, std::vector<Duration>> took;
  std::size_t used = 0;
  for (auto record = records.rbegin(); record != records.rend() && used < kRemembered; ++record) {
    if (record->scenario != scenario) continue;
    ++used;
    for (const DrillStep& step : record->steps)
      if (step.part == "recovery" && step.state == "done" && step.took) took[step.id].push_back(*step.took);
  }
  PastDurations past;
  for (auto& [id, durations] : took) past[id] = *median(std::move(durations));
  return past;
}

}  // namespace anclora::respond
