#include "respond/report/collect_run_facts.h"

#include <algorithm>
#include <string_view>

#include "base/whole_number.h"
#include "respond/report/run_fact_parts.h"

namespace anclora::respond {
namespace {

const plan::Scenario* find_scenario(const plan::Plan& plan, const std::string& id) {
  for (const plan::Scenario& each : plan.scenarios)
    if (each.id == id) return &each;
  return nullptr;
}

void add_person(ReportFacts& facts, const plan::Plan& plan, const std::string& id, const char* part) {
  if (id.empty() || id.starts_with("--")) return;  // "--yes/1" is no person
  for (const ReportPerson& known : facts.people)
    if (known.id == id && known.part == part) return;
  ReportPerson person{id, "", part};
  for (const plan::Contact& contact : plan.contacts)
    if (contact.id == id) person.name = contact.name;
  facts.people.push_back(std::move(person));
}

void collect_people(ReportFacts& facts, const plan::Plan& plan, const RunState& state, const JournalContent& journal) {
  add_person(facts, plan, state.starter, state.drill ? "tester" : "started");
  for (const RunRecord& record : journal.records) {
    switch (record.kind) {
      case RecordKind::kApprovalGranted:
        add_person(facts, plan, record.actor, "approved");
        break;
      case RecordKind::kApprovalRefused:
        add_person(facts, plan, record.actor, "refused");
        break;
      case RecordKind::kSkipped:
      case RecordKind::kManual:
      case RecordKind::kRetry:
      case RecordKind::kUndoRequested:
        add_person(facts, plan, record.actor, "decided");
        break;
      case RecordKind::kRunAborted:
        add_person(facts, plan, record.actor, "aborted");
        break;
      default:
        break;
    }
  }
}

void collect_timeline(ReportFacts& facts, const RunPlan& plan, const JournalContent& journal, const std::string& run) {
  std::map<std::string, std::string> done;  // what a step said it did, told where it was verified
  for (const RunRecord& record : journal.records) {
    if (record.kind == RecordKind::kKept) continue;
    // A disaster that is played has no recovery's clock: "service restored" would be its opposite.
    if (record.kind == RecordKind::kMark && plan.part == RunPart::kInject) continue;
    if (record.kind == RecordKind::kOutcome) {
      done[record.step] = record.text;
      continue;
    }
    ReportEvent event{record.time, run, std::string(to_string(record.kind)), record.step, record.actor, record.text};
    if (record.kind == RecordKind::kVerified && event.text.empty()) event.text = done[record.step];
    if (record.kind == RecordKind::kMark) {
      event.text = record.field("name");
      if (const auto time = parse_rfc3339(record.field("time"))) event.time = *time;
    }
    if (record.kind == RecordKind::kRunStarted && event.text.empty()) event.text = run;
    facts.timeline.push_back(std::move(event));
  }
  sort_timeline(facts);
}

ReportStep step_of(const RunStep& step, const StepStatus& status, const std::string& run) {
  ReportStep out;
  out.run = run;
  out.id = step.step.id;
  out.uses = step.step.uses;
  out.state = std::string(to_string(status.state));
  out.after = step.after;
  out.changes = step.mutates;
  out.attempts = status.attempt;
  out.budget = step.step.budget;
  out.started = status.first_started;
  out.finished = status.finished;
  if (status.first_started && status.finished) out.took = *status.finished - *status.first_started;
  out.summary = status.summary;
  out.problem = status.problem;
  out.settled_by = status.settled_by;
  out.evidence = status.evidence;
  return out;
}

std::optional<ReportApproval> approval_of(const std::optional<plan::Approval>& rule, const ApprovalState& state,
                                          const JournalContent& journal, const std::string& run,
                                          const std::string& step) {
  if (!rule || state.round == 0) return std::nullopt;
  ReportApproval out;
  out.run = run;
  out.step = step;
  out.roles = rule->roles;
  out.need = rule->need;
  for (const Grant& grant : state.given) out.given.push_back({grant.contact, grant.time});
  out.refused_by = state.refused_by;
  out.granted = state.granted;
  std::optional<WallTime> asked;
  for (const RunRecord& record : journal.records) {
    if (record.step != step) continue;
    if (record.kind == RecordKind::kApprovalRequested && !asked) asked = record.time;
    const bool answered = record.kind == RecordKind::kApprovalGranted || record.kind == RecordKind::kApprovalRefused ||
                          record.kind == RecordKind::kApprovalExpired;
    if (answered && asked) out.waited = record.time - *asked;
  }
  return out;
}

// What is counted is named "keys", "jobs_...", "..._lost" and so on, and is a whole number.
bool is_count(const std::string& name, const std::string& value) {
  constexpr std::string_view kNames[] = {"keys",      "waiting",  "active",     "delayed",    "failed", "dlq",
                                         "completed", "restores", "latency_ms", "rpo_writes", "writes"};
  const bool known = std::ranges::find(kNames, name) != std::end(kNames) || name.starts_with("keys_") ||
                     name.starts_with("jobs_") || name.starts_with("messages_") || name.ends_with("_lost");
  return known && whole_number<std::uint64_t>(value).has_value();
}

void collect_steps(ReportFacts& facts, const RunPlan& run, const RunState& state, const JournalContent& journal) {
  if (auto declared = approval_of(run.declare, state.declare, journal, state.run, ""))
    facts.approvals.push_back(std::move(*declared));
  for (std::size_t i = 0; i < run.steps.size(); ++i) {
    const RunStep& step = run.steps[i];
    const StepStatus& status = state.steps[i];
    facts.steps.push_back(step_of(step, status, state.run));
    if (auto approval = approval_of(step.step.approve, status.approval, journal, state.run, step.step.id))
      facts.approvals.push_back(std::move(*approval));
    for (const auto& [name, value] : status.outputs)
      if (is_count(name, value)) facts.impact.push_back({name, value, step.step.id});
  }
}

void collect_plan(ReportFacts& facts, const plan::Plan& plan, const std::vector<plan::DrillResult>* drills) {
  facts.service = plan.service;
  facts.plan_file = plan.file;
  facts.plan_hash = plan.hash_hex;
  if (const plan::Scenario* scenario = find_scenario(plan, facts.scenario)) {
    facts.severity = scenario->severity;
    facts.words.impact = scenario->impact;
  }
  if (drills == nullptr) return;
  facts.plan_verified = plan::is_verified(plan, facts.scenario, *drills);
  if (const plan::DrillResult* passed = plan::newest_passed(*drills, facts.scenario))
    facts.plan_last_passed = passed->ended;
}

std::string state_of(const RunState& state) {
  if (state.finished) return "finished";
  return state.aborted ? "aborted" : state.paused() ? "waiting" : "running";
}

}  // namespace

ReportFacts collect_run_facts(const plan::Plan& plan, const RunPlan& run, const JournalContent& journal,
                              const RunState& state, WallTime now, const std::vector<plan::DrillResult>* drills) {
  ReportFacts facts;
  facts.kind = state.drill ? ReportKind::kDrill : ReportKind::kIncident;
  facts.id = state.run;
  facts.scenario = run.scenario;
  facts.title = run.title;
  facts.environment = state.environment;
  facts.sandbox = state.drill;
  facts.runs = {state.run};
  facts.state = state_of(state);
  if (!state.end_reason.empty()) facts.reasons.push_back(state.end_reason);
  for (std::size_t i = 0; i < run.steps.size(); ++i)
    if (state.needs_decision(i)) facts.reasons.push_back(run.steps[i].step.id + ": " + state.steps[i].problem);
  facts.started = state.started;
  facts.ended = state.ended;
  facts.marks = state.marks;
  facts.generated = now;
  collect_plan(facts, plan, drills);
  collect_people(facts, plan, state, journal);
  collect_timeline(facts, run, journal, state.run);
  collect_rto(facts, run, state, now);
  collect_rpo(facts, plan, run, state);
  collect_steps(facts, run, state, journal);
  collect_checks(facts, run, state);
  facts.evidence.push_back({"run_journal", state.run, to_hex(journal.tip), journal.records.size(),
                            "anclora run status --verify --run " + state.run});
  facts.evidence.push_back({"plan", plan.file, state.plan_hash, 0, ""});
  return facts;
}

void add_run_facts(ReportFacts& facts, const ReportFacts& other) {
  const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  append(facts.runs, other.runs);
  append(facts.timeline, other.timeline);
  append(facts.steps, other.steps);
  append(facts.approvals, other.approvals);
  append(facts.impact, other.impact);
  for (const ReportPerson& person : other.people) {
    const auto same = [&](const ReportPerson& known) { return known.id == person.id && known.part == person.part; };
    if (std::ranges::none_of(facts.people, same)) facts.people.push_back(person);
  }
  for (const ReportEvidence& evidence : other.evidence) {
    const auto same = [&](const ReportEvidence& known) {
      return known.what == evidence.what && known.hash == evidence.hash;
    };
    if (std::ranges::none_of(facts.evidence, same)) facts.evidence.push_back(evidence);
  }
  sort_timeline(facts);
}

void set_check(ReportFacts& facts, ReportCheck check) {
  const auto known = std::ranges::find(facts.checks, check.id, &ReportCheck::id);
  if (known == facts.checks.end())
    facts.checks.push_back(std::move(check));
  else
    *known = std::move(check);
}

void sort_timeline(ReportFacts& facts) { std::ranges::stable_sort(facts.timeline, {}, &ReportEvent::time); }

}  // namespace anclora::respond
