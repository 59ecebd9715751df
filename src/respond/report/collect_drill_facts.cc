#include "respond/report/collect_drill_facts.h"

#include <algorithm>

#include "respond/report/collect_run_facts.h"

namespace anclora::respond {
namespace {

using Phase = ReportCheck::Phase;

Verdict passed_if(bool so) { return so ? Verdict::kPassed : Verdict::kFailed; }

Verdict within(const std::optional<Duration>& achieved, Duration objective) {
  if (!achieved || objective <= Duration::zero()) return Verdict::kUnknown;
  return passed_if(*achieved <= objective);
}

void take_identity(ReportFacts& facts, const DrillRecord& record) {
  facts.kind = ReportKind::kDrill;
  facts.id = record.id;
  facts.service = record.service;
  facts.scenario = record.scenario;
  if (!record.objectives.severity.empty()) facts.severity = record.objectives.severity;
  facts.environment = record.environment;
  facts.sandbox = true;
  facts.state = record.passed ? "passed" : "failed";
  facts.reasons = record.reasons;
  facts.started = record.started;
  facts.ended = record.ended;
  facts.plan_file = record.plan_file;
  facts.plan_hash = record.plan_hash;
  if (facts.people.empty() && !record.starter.empty()) facts.people.push_back({record.starter, "", "tester"});
}

void take_clocks(ReportFacts& facts, const DrillRecord& record) {
  ReportRto& rto = facts.rto;
  rto.objective = record.objectives.rto.value_or(Duration::zero());
  rto.maximum = record.objectives.rto_max.value_or(Duration::zero());
  rto.achieved = record.achieved.rto;
  rto.detect = record.achieved.detect;
  rto.decide = record.achieved.decide;
  rto.act = record.achieved.act;
  rto.verify = record.achieved.verify;
  const auto judge = [&](Duration objective) {
    return !rto.achieved && objective > Duration::zero() ? Verdict::kFailed : within(rto.achieved, objective);
  };
  rto.met = judge(rto.objective);
  rto.met_max = judge(rto.maximum);
}

void take_loss(ReportFacts& facts, const DrillRecord& record) {
  if (facts.rpo.empty() && (record.objectives.rpo || record.achieved.rpo || record.achieved.rpo_writes))
    facts.rpo.push_back({"", record.objectives.rpo.value_or(Duration::zero()), {}, {}, "", Verdict::kUnknown});
  for (ReportRpo& rpo : facts.rpo) {
    if (record.achieved.rpo) {
      rpo.lost = record.achieved.rpo;
      rpo.proof = record.achieved.rpo_basis;
    }
    if (record.achieved.rpo_writes) rpo.writes = record.achieved.rpo_writes;
    rpo.met = within(rpo.lost, rpo.objective);
  }
}

// What was cleaned or made ready is the drill's own; what a run did is told by its journal where there is one.
void take_steps(ReportFacts& facts, const DrillRecord& record) {
  const bool has_run = !facts.steps.empty();
  for (const DrillStep& step : record.steps) {
    const bool of_run = step.part == "recovery" || step.part == "inject";
    if (has_run && of_run) continue;
    ReportStep out;
    out.run = step.part;
    out.id = step.id;
    out.uses = step.uses;
    out.state = step.state;
    out.after = step.part == "cleanup";
    out.took = step.took;
    (step.state == "done" ? out.summary : out.problem) = step.summary;
    facts.steps.push_back(std::move(out));
  }
}

bool all_done(const DrillRecord& record, std::string_view part) {
  return std::ranges::all_of(record.steps, [&](const DrillStep& step) {
    return step.part != part || step.state == "done" || step.state == "skipped" || step.state == "manual_done";
  });
}

void take_checks(ReportFacts& facts, const DrillRecord& record) {
  const auto point = record.facts.find("point_time");
  if (point != record.facts.end())
    set_check(facts, {Phase::kBefore, "backup_created", "", Verdict::kPassed, point->second});
  if (!record.inject_run.empty())
    set_check(facts, {Phase::kDuring, "issue_simulated", "", passed_if(all_done(record, "inject")), record.inject_run});
  if (record.recovery_run.empty())
    set_check(facts, {Phase::kDuring, "recovery_executed", "",
                      passed_if(all_done(record, "recovery") && !record.interrupted), ""});
  const auto measured = [](const std::optional<Duration>& duration) {
    return duration ? std::pair(Verdict::kPassed, format_duration(*duration))
                    : std::pair(Verdict::kUnknown, std::string());
  };
  const auto [has_rto, rto] = measured(record.achieved.rto);
  const auto [has_rpo, rpo] = measured(record.achieved.rpo);
  set_check(facts, {Phase::kDuring, "rto_measured", "", has_rto, rto});
  set_check(facts, {Phase::kDuring, "rpo_measured", "", has_rpo, rpo});
  for (const DrillCheck& check : record.checks) {
    const bool separation = check.name == "separation";
    set_check(facts,
              {separation ? Phase::kBefore : Phase::kAfter, separation ? "sandbox_separate" : "drill." + check.name,
               check.name, passed_if(check.passed), check.result});
  }
  set_check(facts, {Phase::kAfter, "cleaned_up", "", passed_if(record.cleanup.done), record.cleanup.text});
  for (const char* open : {"lessons_documented", "procedures_updated"})
    set_check(facts, {Phase::kAfter, open, "", Verdict::kUnknown, ""});
}

void take_counts(ReportFacts& facts, const DrillRecord& record) {
  for (const char* name : {"keys", "commands_lost"}) {
    const auto found = record.facts.find(name);
    const bool known = std::ranges::find(facts.impact, name, &ReportCount::name) != facts.impact.end();
    if (found != record.facts.end() && !known) facts.impact.push_back({name, found->second, record.id});
  }
}

}  // namespace

ReportFacts collect_drill_facts(const DrillRecord& record, ReportFacts facts, WallTime now) {
  take_identity(facts, record);
  take_clocks(facts, record);
  take_loss(facts, record);
  take_steps(facts, record);
  take_checks(facts, record);
  take_counts(facts, record);
  facts.timeline.push_back({record.started, record.id, "drill.started", "", record.starter, record.environment});
  facts.timeline.push_back({record.ended, record.id, "drill.ended", "", "", record.cleanup.text});
  sort_timeline(facts);
  facts.generated = now;
  return facts;
}

}  // namespace anclora::respond
