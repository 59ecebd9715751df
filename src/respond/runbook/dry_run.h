// What a run would do: every step's action is made and probed, nothing is executed.
#pragma once

#include <string>
#include <vector>

#include "respond/runbook/live_run.h"

namespace anclora::respond {

struct DryStep {
  std::string id;
  std::string uses;
  std::vector<std::string> needs;
  bool mutates = false;
  bool lacks_action = false;  // this version cannot execute it; not looked at
  Done done = Done::kUnknown;
  std::string current, desired, call;
  std::string problem;  // why it could not be looked at
};

// In an order in which they could run. A step whose probe needs what an earlier step leaves says so in `problem`.
std::vector<DryStep> dry_run(const RunWorld& world, const plan::Plan& plan, const RunPlan& run,
                             const std::string& environment, bool drill);

}  // namespace anclora::respond
