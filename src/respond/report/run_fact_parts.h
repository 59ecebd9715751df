// The parts of collect_run_facts() that have a file of their own. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "plan/plan.h"
#include "respond/report/report_facts.h"
#include "respond/runbook/run_plan.h"
#include "respond/runbook/run_state.h"

namespace anclora::respond {

// The RTO against what was achieved, by phase.
void collect_rto(ReportFacts& facts, const RunPlan& run, const RunState& state, WallTime now);
// The RPO of each data objective that the run concerns, against what its steps measured.
void collect_rpo(ReportFacts& facts, const plan::Plan& plan, const RunPlan& run, const RunState& state);
// After both: each step that only looks, and of a drill the DR test's checklist.
void collect_checks(ReportFacts& facts, const RunPlan& run, const RunState& state);

}  // namespace anclora::respond
