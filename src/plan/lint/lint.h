// Proves on paper what the plan promises, and names what would go wrong. Each rule adds findings; none stops another.
#pragma once

#include "plan/finding.h"
#include "plan/plan.h"
#include "plan/read_plan.h"

namespace anclora::plan {

void lint(const Plan& plan, const CheckOptions& options, Findings& findings);

// The groups of rules, one file each.
void lint_structure(const Plan& plan, Findings& findings);
void lint_recovery_time(const Plan& plan, Findings& findings);
void lint_recovery_point(const Plan& plan, Findings& findings);
void lint_step_order(const Plan& plan, Findings& findings);
void lint_steps(const Plan& plan, Findings& findings);
void lint_addresses(const Plan& plan, Findings& findings);
void lint_results(const Plan& plan, Findings& findings);
void lint_probes(const Plan& plan, Findings& findings);
void lint_targets(const Plan& plan, Findings& findings);
void lint_detection(const Plan& plan, Findings& findings);
void lint_contacts(const Plan& plan, Findings& findings);
void lint_escalation(const Plan& plan, Findings& findings);
void lint_drills(const Plan& plan, const CheckOptions& options, Findings& findings);
void lint_planes(const Plan& plan, Findings& findings);

}  // namespace anclora::plan
