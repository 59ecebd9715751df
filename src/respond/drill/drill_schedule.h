// What the plan's schedule asks for, against the drills there were. Pure: the time is given.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "respond/drill/drill_record.h"

namespace anclora::respond {

struct ScheduledDrill {
  std::string id;  // of the plan's drill
  std::string scenario, environment;
  Duration every{};
  std::optional<WallTime> last_run, last_passed;  // of that scenario in that environment, by any version of the plan
  WallTime due;             // the last pass and `every`; one that never passed is due since the beginning of time
  WallTime next_attempt;    // `due`, but after a failure not before a quarter of `every`, at most a day
  bool overdue = false;     // due, and not passed
  bool unverified = false;  // none passed with exactly this plan (a restore: with any)
  bool ever_passed() const { return last_passed.has_value(); }
};

// One for each drill of the plan, in its order.
std::vector<ScheduledDrill> drill_schedule(const plan::Plan& plan, const std::vector<DrillRecord>& records,
                                           WallTime now);
// Those whose next attempt is not later than `now`, the longest due first.
std::vector<ScheduledDrill> due_drills(const plan::Plan& plan, const std::vector<DrillRecord>& records, WallTime now);

}  // namespace anclora::respond
