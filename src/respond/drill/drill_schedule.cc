#include "respond/drill/drill_schedule.h"

#include <algorithm>
#include <chrono>

namespace anclora::respond {
namespace {

constexpr Duration kRetryAtLatest = std::chrono::hours(24);

bool is_of(const DrillRecord& record, const plan::DrillSchedule& drill) {
  if (record.scenario != drill.scenario) return false;
  return drill.scenario == "restore" || drill.environment.empty() || record.environment == drill.environment;
}

ScheduledDrill scheduled(const plan::Plan& plan, const plan::DrillSchedule& drill,
                         const std::vector<DrillRecord>& records, WallTime now) {
  ScheduledDrill found{drill.id, drill.scenario, drill.environment, drill.every, {}, {}, {}, {}, false, true};
  for (const DrillRecord& record : records) {
    if (!is_of(record, drill)) continue;
    found.last_run = std::max(found.last_run.value_or(record.ended), record.ended);
    if (!record.passed) continue;
    found.last_passed = std::max(found.last_passed.value_or(record.ended), record.ended);
    if (record.plan_hash == plan.hash_hex || drill.scenario == "restore") found.unverified = false;
  }
  found.due = found.last_passed ? *found.last_passed + drill.every : WallTime();
  found.next_attempt = found.due;
  if (found.last_run && (!found.last_passed || *found.last_run > *found.last_passed))
    found.next_attempt = std::max(found.due, *found.last_run + std::min(kRetryAtLatest, drill.every / 4));
  found.overdue = found.due <= now;
  return found;
}

}  // namespace

std::vector<ScheduledDrill> drill_schedule(const plan::Plan& plan, const std::vector<DrillRecord>& records,
                                           WallTime now) {
  std::vector<ScheduledDrill> schedule;
  schedule.reserve(plan.drills.size());
  for (const plan::DrillSchedule& drill : plan.drills) schedule.push_back(scheduled(plan, drill, records, now));
  return schedule;
}

std::vector<ScheduledDrill> due_drills(const plan::Plan& plan, const std::vector<DrillRecord>& records, WallTime now) {
  std::vector<ScheduledDrill> due = drill_schedule(plan, records, now);
  std::erase_if(due, [&](const ScheduledDrill& drill) { return drill.next_attempt > now; });
  std::ranges::stable_sort(due, {}, &ScheduledDrill::due);
  return due;
}

}  // namespace anclora::respond
