// The recovery time on paper, part by part.
#pragma once

#include "plan/lint/step_graph.h"
#include "plan/plan.h"

namespace anclora::plan {

struct RecoveryTime {
  Duration detect{};              // the slowest rule that leads here
  Duration declare{};             // the declaration's timeout
  Duration act{};                 // the critical path: budgets, approvals, DNS time to live
  Duration dns{};                 // what of it is time to live
  Duration verify{};              // until the conditions have held long enough
  std::vector<std::string> path;  // ids of the critical path
  Duration total() const { return detect + declare + act + verify; }
};

RecoveryTime recovery_time(const Plan& plan, const Scenario& scenario);
// The time a rule needs in the worst case, from the first bad probe.
Duration detection_time(const Plan& plan, const Detection& detection);

}  // namespace anclora::plan
