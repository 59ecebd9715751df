// What was checked, and the DR test's checklist: run_fact_parts.h.
#include <algorithm>
#include <string_view>

#include "respond/report/run_fact_parts.h"

namespace anclora::respond {
namespace {

using Phase = ReportCheck::Phase;

bool is_check(const RunStep& step) {
  const std::string& uses = step.step.uses;
  return uses.starts_with("probe.") || uses.ends_with(".verify") || uses == "queue.canary" || uses == "wait.until" ||
         (uses == "exec" && !step.mutates);
}

Verdict verdict_of(StepState state) {
  if (state == StepState::kDone) return Verdict::kPassed;
  const bool bad = state == StepState::kFailedPaused || state == StepState::kUnknown;
  return bad ? Verdict::kFailed : Verdict::kUnknown;
}

Verdict measured(bool so) { return so ? Verdict::kPassed : Verdict::kUnknown; }

// The plan's own checklist of a DR test; what only the drill or people know stays open.
void collect_checklist(ReportFacts& facts, const RunPlan& run, const RunState& state) {
  const auto one = [&](std::string_view uses) -> const StepStatus* {
    for (std::size_t i = 0; i < run.steps.size(); ++i)
      if (run.steps[i].step.uses == uses) return &state.steps[i];
    return nullptr;
  };
  const auto add = [&](Phase phase, const char* id, Verdict verdict, std::string proof = "") {
    facts.checks.push_back({phase, id, "", verdict, std::move(proof)});
  };
  const StepStatus* point = one("recovery_point.select");
  const StepStatus* verify = one("redis.verify");
  add(Phase::kBefore, "backup_created", point == nullptr ? Verdict::kUnknown : verdict_of(point->state),
      point == nullptr ? "" : point->summary);
  add(Phase::kBefore, "team_notified", Verdict::kUnknown);
  add(Phase::kBefore, "monitoring_active", Verdict::kUnknown);
  add(Phase::kDuring, "issue_simulated", Verdict::kUnknown);
  add(Phase::kDuring, "recovery_executed",
      state.finished ? Verdict::kPassed
      : state.over() ? Verdict::kFailed
                     : Verdict::kUnknown,
      state.run);
  add(Phase::kDuring, "rto_measured", measured(facts.rto.achieved.has_value()),
      facts.rto.achieved ? format_duration(*facts.rto.achieved) : "");
  const bool rpo = std::ranges::any_of(facts.rpo, [](const ReportRpo& each) { return each.lost.has_value(); });
  add(Phase::kDuring, "rpo_measured", measured(rpo), rpo ? format_duration(*facts.rpo.front().lost) : "");
  add(Phase::kAfter, "service_restored",
      state.marks.contains("t_serv") ? Verdict::kPassed
      : state.over()                 ? Verdict::kFailed
                                     : Verdict::kUnknown);
  add(Phase::kAfter, "data_validated", verify == nullptr ? Verdict::kUnknown : verdict_of(verify->state),
      verify == nullptr                   ? ""
      : verify->state == StepState::kDone ? verify->summary
                                          : verify->problem);
}

}  // namespace

void collect_checks(ReportFacts& facts, const RunPlan& run, const RunState& state) {
  if (facts.kind == ReportKind::kDrill) collect_checklist(facts, run, state);
  for (std::size_t i = 0; i < run.steps.size(); ++i) {
    if (!is_check(run.steps[i])) continue;
    const StepStatus& status = state.steps[i];
    const Verdict verdict = verdict_of(status.state);
    const plan::Step& step = run.steps[i].step;
    facts.checks.push_back({Phase::kAfter, "step." + step.id, step.id + " (" + step.uses + ")", verdict,
                            verdict == Verdict::kFailed ? status.problem : status.summary});
  }
  if (facts.kind != ReportKind::kDrill) return;
  facts.checks.push_back({Phase::kAfter, "lessons_documented", "", Verdict::kUnknown, ""});
  facts.checks.push_back({Phase::kAfter, "procedures_updated", "", Verdict::kUnknown, ""});
}

}  // namespace anclora::respond
