#include "plan/measurement.h"

#include <algorithm>

namespace anclora::plan {

const DrillResult* newest_passed(const std::vector<DrillResult>& drills, std::string_view scenario) {
  const DrillResult* newest = nullptr;
  for (const DrillResult& drill : drills)
    if (drill.passed && drill.scenario == scenario && (newest == nullptr || newest->ended < drill.ended))
      newest = &drill;
  return newest;
}

bool is_verified(const Plan& plan, std::string_view scenario, const std::vector<DrillResult>& drills) {
  return std::ranges::any_of(drills, [&](const DrillResult& drill) {
    return drill.passed && drill.scenario == scenario && drill.plan_hash == plan.hash_hex;
  });
}

}  // namespace anclora::plan
