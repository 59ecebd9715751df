#include "plan/lint/lint.h"

#include <fmt/format.h>

namespace anclora::plan {
namespace {

// Rules compare every step with every other.
constexpr std::size_t kMaxSteps = 500;

bool refuse_size(const Plan& plan, Findings& findings) {
  bool refused = false;
  for (const Scenario& scenario : plan.scenarios)
    for (const auto* steps : scenario.step_lists())
      if (steps->size() > kMaxSteps) {
        add_error(findings, "plan.size", scenario.place,
                  fmt::format("a list of {} steps; {} are allowed", steps->size(), kMaxSteps), "split the scenario");
        refused = true;
      }
  return refused;
}

}  // namespace

void lint(const Plan& plan, const CheckOptions& options, Findings& findings) {
  if (refuse_size(plan, findings)) return;
  lint_structure(plan, findings);
  lint_recovery_time(plan, findings);
  lint_recovery_point(plan, findings);
  lint_step_order(plan, findings);
  lint_steps(plan, findings);
  lint_results(plan, findings);
  lint_targets(plan, findings);
  lint_addresses(plan, findings);
  lint_planes(plan, findings);
  lint_detection(plan, findings);
  lint_probes(plan, findings);
  lint_contacts(plan, findings);
  lint_escalation(plan, findings);
  lint_drills(plan, options, findings);
}

}  // namespace anclora::plan
