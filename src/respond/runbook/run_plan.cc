#include "respond/runbook/run_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "plan/lint/plan_lookup.h"

namespace anclora::respond {
namespace {

constexpr std::size_t kMaxSteps = 1000;
constexpr Duration kShortestTimeout = std::chrono::minutes(1);
constexpr Duration kTimeoutWithoutBudget = std::chrono::minutes(10);
constexpr Duration kGateTimeout = std::chrono::minutes(2);  // then a person is asked

std::string place_of(const plan::Plan& plan, const plan::Step& step) {
  return fmt::format("{}:{}:{}: step {}", plan.file, step.place.line, step.place.column, step.id);
}

Duration timeout_of(const plan::Step& step) {
  if (step.timeout > Duration::zero()) return step.timeout;
  if (step.budget > Duration::zero()) return std::max(kShortestTimeout, 3 * step.budget);
  return kTimeoutWithoutBudget;
}

// people.approve and people.declare are approvals: who and how many stands in their `with`.
std::optional<plan::Approval> approval_in(const plan::Step& step) {
  if (step.approve || (step.uses != "people.approve" && step.uses != "people.declare")) return step.approve;
  plan::Approval approval;
  approval.place = step.place;
  if (const plan::Value* roles = step.with.find("roles"))
    for (const plan::Value& role : roles->items) approval.roles.push_back(role.text);
  if (const plan::Value* need = step.with.find("need"))
    std::from_chars(need->text.data(), need->text.data() + need->text.size(), approval.need);
  return approval;
}

Result<RunStep> prepare_step(const plan::Plan& plan, const plan::Step& step, bool after, const ActionLookup& lookup,
                             LackedActions lacked) {
  const plan::ActionSchema* schema = lookup(step.uses);
  if (schema == nullptr || (!schema->available && lacked == LackedActions::kRefused))
    return Error(ErrorKind::kUnsupported,
                 fmt::format("{}: this version cannot execute {}", place_of(plan, step), step.uses),
                 "anclora plan check names all such steps");
  RunStep ready;
  ready.step = step;
  ready.step.approve = approval_in(step);
  ready.after = after;
  const plan::Value* only_checks = step.with.find("check");
  ready.mutates = schema->mutates && !(only_checks != nullptr && only_checks->text == "true");
  ready.idempotent = schema->idempotent;
  ready.lacks_action = !schema->available;
  ready.by_person = schema->by_person;
  ready.undoable = schema->undoable && step.undo;
  ready.timeout = timeout_of(step);
  return ready;
}

plan::Value scalar(std::string text) {
  plan::Value value;
  value.kind = plan::ValueKind::kScalar;
  value.text = std::move(text);
  return value;
}

// The scenario's `restored`, as steps that look once all others are settled: t_serv is when the last of them held.
Status add_gates(const plan::Plan& plan, const plan::Scenario& scenario, const ActionLookup& lookup, RunPlan& run) {
  std::vector<std::string> needs;
  for (const RunStep& step : run.steps) needs.push_back(step.step.id);
  for (const plan::Condition& condition : scenario.restored) {
    plan::Step step;
    step.id = std::string(kGatePrefix) + condition.probe;
    for (int i = 2; run.index_of(step.id); ++i) step.id = fmt::format("{}{}:{}", kGatePrefix, condition.probe, i);
    step.uses = "wait.until";
    step.place = step.with.place = condition.place;
    const std::string_view is = condition.is == plan::ProbeState::kUp     ? "up"
                                : condition.is == plan::ProbeState::kDown ? "down"
                                                                          : "unknown";
    step.with.kind = plan::ValueKind::kMap;
    step.with.entries = {{"probe", condition.place, scalar(condition.probe)},
                         {"is", condition.place, scalar(std::string(is))}};
    step.needs = needs;
    step.timeout = kGateTimeout;
    step.undo = false;
    ASSIGN_OR_RETURN(RunStep ready, prepare_step(plan, step, false, lookup, LackedActions::kRefused));
    ready.gate = true;
    run.steps.push_back(std::move(ready));
  }
  return {};
}

Status link_needs(const plan::Plan& plan, RunPlan& run) {
  for (std::size_t i = 0; i < run.steps.size(); ++i) {
    RunStep& step = run.steps[i];
    if (run.index_of(step.step.id) != i)
      return Error(ErrorKind::kInvalidArgument, place_of(plan, step.step) + ": the id is used twice");
    for (const std::string& need : step.step.needs) {
      const auto index = run.index_of(need);
      if (!index)
        return Error(ErrorKind::kInvalidArgument, fmt::format("{}: it needs {}, which is no step of {}",
                                                              place_of(plan, step.step), need, run.scenario));
      step.needs.push_back(*index);
    }
  }
  return {};
}

Status refuse_circles(const plan::Plan& plan, const RunPlan& run) {
  std::vector<bool> settled(run.steps.size(), false);
  for (bool moved = true; moved;) {
    moved = false;
    for (std::size_t i = 0; i < run.steps.size(); ++i) {
      if (settled[i] || !std::ranges::all_of(run.steps[i].needs, [&](std::size_t n) { return settled[n]; })) continue;
      settled[i] = moved = true;
    }
  }
  const auto stuck = std::ranges::find(settled, false);
  if (stuck == settled.end()) return {};
  const RunStep& step = run.steps[static_cast<std::size_t>(stuck - settled.begin())];
  return Error(ErrorKind::kInvalidArgument, place_of(plan, step.step) + ": its needs lead round in a circle");
}

Result<const plan::Scenario*> known_scenario(const plan::Plan& plan, std::string_view id) {
  if (const plan::Scenario* scenario = plan::find_scenario(plan, id)) return scenario;
  return Error(ErrorKind::kNotFound, fmt::format("{} has no scenario {}", plan.file, id),
               fmt::format("it has: {}", fmt::join(plan::ids_in(plan.scenarios), ", ")));
}

}  // namespace

std::string_view to_string(RunPart part) {
  switch (part) {
    case RunPart::kInject:
      return "inject";
    case RunPart::kPrepare:
      return "prepare";
    case RunPart::kCleanup:
      return "cleanup";
    case RunPart::kRecovery:
      break;
  }
  return "recovery";
}

RunPart part_named(std::string_view name) {
  for (const RunPart part : {RunPart::kInject, RunPart::kPrepare, RunPart::kCleanup})
    if (name == to_string(part)) return part;
  return RunPart::kRecovery;
}

std::optional<std::size_t> RunPlan::index_of(std::string_view id) const {
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (steps[i].step.id == id) return i;
  return std::nullopt;
}

Result<RunPlan> prepare_run(const plan::Plan& plan, std::string_view scenario, RunPart part, const ActionLookup& lookup,
                            LackedActions lacked) {
  ASSIGN_OR_RETURN(const plan::Scenario* found, known_scenario(plan, scenario));
  RunPlan run;
  run.scenario = found->id;
  run.title = found->title;
  run.part = part;
  run.undo_window = found->undo_window;
  const bool recovery = part == RunPart::kRecovery;
  if (recovery) run.declare = found->declare;
  for (const plan::SeverityObjective& objective : plan.severities) {
    if (objective.id != found->severity || !recovery) continue;
    run.rto = objective.rto;
    run.rto_max = objective.rto_max;
  }
  const std::vector<plan::Step>& first = part == RunPart::kInject    ? found->inject
                                         : part == RunPart::kPrepare ? found->prepare
                                         : part == RunPart::kCleanup ? found->cleanup
                                                                     : found->steps;
  const std::vector<plan::Step> after = recovery ? found->after : std::vector<plan::Step>();
  if (first.empty())
    return Error(ErrorKind::kInvalidArgument, fmt::format("{} has no steps to run", found->id),
                 "add steps to the plan");
  if (first.size() + after.size() > kMaxSteps)
    return Error(ErrorKind::kResourceExhausted, fmt::format("{} has more than {} steps", found->id, kMaxSteps));
  for (const plan::Step& step : first) {
    ASSIGN_OR_RETURN(RunStep ready, prepare_step(plan, step, false, lookup, lacked));
    run.steps.push_back(std::move(ready));
  }
  if (recovery) RETURN_IF_ERROR(add_gates(plan, *found, lookup, run));
  for (const plan::Step& step : after) {
    ASSIGN_OR_RETURN(RunStep ready, prepare_step(plan, step, true, lookup, lacked));
    run.steps.push_back(std::move(ready));
  }
  RETURN_IF_ERROR(link_needs(plan, run));
  for (const RunStep& step : run.steps)
    for (const std::size_t need : step.needs)
      if (!step.after && run.steps[need].after)
        return Error(ErrorKind::kInvalidArgument, place_of(plan, step.step) + ": it needs a step of `after`");
  RETURN_IF_ERROR(refuse_circles(plan, run));
  return run;
}

}  // namespace anclora::respond
