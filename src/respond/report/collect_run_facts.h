// From a run to what a report says of it. Pure.
#pragma once

#include <vector>

#include "plan/measurement.h"
#include "respond/report/report_facts.h"
#include "respond/runbook/run_journal.h"
#include "respond/runbook/run_plan.h"
#include "respond/runbook/run_state.h"

namespace anclora::respond {

// What a run's journal says, as facts. The kind is kDrill for a drill's run, else kIncident; id, state and times are
// the run's own: a drill or an incident writes its own over them. `drills`: what is known of past drills, nullptr when
// nothing is (plan_verified stays missing). `now`: when the report is made.
ReportFacts collect_run_facts(const plan::Plan& plan, const RunPlan& run, const JournalContent& journal,
                              const RunState& state, WallTime now,
                              const std::vector<plan::DrillResult>* drills = nullptr);

// Adds another run's facts (a second attempt, a drill's disaster) to `facts`: its events, steps, approvals, counts,
// people and evidence. The clocks of `facts` stay.
void add_run_facts(ReportFacts& facts, const ReportFacts& other);

// In place of the check of the same id, else after the others.
void set_check(ReportFacts& facts, ReportCheck check);

// Sorts the timeline by time; what happened at the same time keeps its order.
void sort_timeline(ReportFacts& facts);

}  // namespace anclora::respond
