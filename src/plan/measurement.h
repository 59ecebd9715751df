// What drills measured, as far as the plan room needs it. Drill records become this; until there are any, the list is
// empty and every objective reads "not measured".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "plan/plan.h"

namespace anclora::plan {

struct DrillResult {
  std::string record;       // its id
  std::string scenario;     // a scenario's id, or "restore"
  std::string environment;  // where it ran
  std::string plan_hash;    // Plan::hash_hex of the plan that it ran
  bool passed = false;
  WallTime ended;
  std::optional<Duration> rto;  // achieved
  std::optional<Duration> rpo;
};

// The newest passed drill of a scenario, of any version of the plan; nullptr when there is none.
const DrillResult* newest_passed(const std::vector<DrillResult>& drills, std::string_view scenario);
// True when a drill of this scenario passed with exactly this plan. Otherwise the scenario is unverified.
bool is_verified(const Plan& plan, std::string_view scenario, const std::vector<DrillResult>& drills);

}  // namespace anclora::plan
