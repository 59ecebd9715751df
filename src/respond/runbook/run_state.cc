#include "respond/runbook/run_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <initializer_list>

namespace anclora::respond {
namespace {

using enum StepState;

Error misfit(const RunRecord& record, std::string_view why) {
  return Error(ErrorKind::kDataLoss,
               fmt::format("record {} ({}{}{}) does not fit: {}", record.number, to_string(record.kind),
                           record.step.empty() ? "" : " ", record.step, why));
}

std::uint64_t number_in(const std::string& text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Status expect(const StepStatus& step, std::initializer_list<StepState> states, const RunRecord& record) {
  if (std::ranges::find(states, step.state) != states.end()) return {};
  return misfit(record, fmt::format("the step is {}", to_string(step.state)));
}

void settle(StepStatus& step, StepState state, const RunRecord& record) {
  step.state = state;
  step.finished = record.time;
  step.finished_number = record.number;
  step.problem.clear();
  step.uncertain = false;
  step.timed_out = false;
}

void begin_attempt(StepStatus& step, const RunRecord& record) {
  step.state = kRunning;
  step.attempt = record.attempt;
  step.changed = step.uncertain;
  step.timed_out = false;
  step.not_before.reset();
  step.started = record.time;
  if (!step.first_started) step.first_started = record.time;
  step.problem.clear();
}

void fail(const plan::Step& plan, StepStatus& step, const RunRecord& record) {
  ++step.failures;
  step.problem = record.text;
  step.timed_out = false;
  step.uncertain = false;
  const bool again = record.field("retry") == "yes" && step.failures <= plan.retry;
  step.state = again ? kPending : kFailedPaused;
  if (again) step.not_before = record.time + back_off(plan, step.failures);
}

Status apply_to_approval(ApprovalState& approval, const std::optional<plan::Approval>& rule, const RunRecord& record) {
  if (!rule) return misfit(record, "nothing there is to be approved");
  switch (record.kind) {
    case RecordKind::kApprovalRequested:
      ++approval.round;
      approval.asked = record.time;
      return {};
    case RecordKind::kApprovalGranted:
      if (std::ranges::find(approval.given, record.actor, &Grant::contact) != approval.given.end())
        return misfit(record, record.actor + " has approved already");
      approval.given.push_back({record.actor, record.time});
      // A rule that may start the run stands for all the persons that a declaration needs.
      approval.granted = approval.given.size() >= rule->need || record.field("policy") == "start";
      return {};
    case RecordKind::kApprovalRefused:
      approval.refused_by = record.actor;
      return {};
    default:
      approval.granted = record.field("policy") == "proceed";
      return {};
  }
}

Status apply_undo(StepStatus& step, const RunRecord& record) {
  switch (record.kind) {
    case RecordKind::kUndoRequested:
      RETURN_IF_ERROR(expect(step, {kDone, kFailedPaused, kUnknown}, record));
      step.undo_requested = true;
      return {};
    case RecordKind::kUndoIntent:
      if (!step.undo_requested) return misfit(record, "nobody asked for it");
      step.undoing = true;
      step.undo_changed = false;
      return {};
    case RecordKind::kUndone:
      if (!step.undoing) return misfit(record, "its undo has not begun");
      settle(step, kUndone, record);
      step.summary = record.text;
      break;
    default:
      if (!step.undoing) return misfit(record, "its undo has not begun");
      step.problem = record.text;
      step.state = kUnknown;
      break;
  }
  step.undo_requested = step.undoing = false;
  return {};
}

// A person's word about a step.
Status apply_decision(StepStatus& step, const RunRecord& record) {
  RETURN_IF_ERROR(expect(step, {kPending, kAwaitingApproval, kRunning, kFailedPaused, kUnknown, kUndone}, record));
  step.settled_by = record.actor;
  step.evidence = record.text;
  step.failures = 0;
  step.undo_requested = step.undoing = false;
  if (record.kind == RecordKind::kRetry) {
    RETURN_IF_ERROR(expect(step, {kFailedPaused, kUnknown, kUndone}, record));
    step.state = kPending;
    step.uncertain = step.timed_out = false;
    step.approval.refused_by.clear();
    step.not_before.reset();
    return {};
  }
  settle(step, record.kind == RecordKind::kSkipped ? kSkipped : kManualDone, record);
  for (const auto& [name, value] : record.fields) step.outputs[name] = value;
  return {};
}

Status apply_to_step(const RunStep& plan, StepStatus& step, const RunRecord& record) {
  switch (record.kind) {
    case RecordKind::kApprovalRequested:
      RETURN_IF_ERROR(expect(step, {kPending, kAwaitingApproval}, record));
      step.state = kAwaitingApproval;
      return apply_to_approval(step.approval, plan.step.approve, record);
    case RecordKind::kApprovalRefused:
      RETURN_IF_ERROR(expect(step, {kAwaitingApproval}, record));
      step.state = kFailedPaused;
      step.problem = fmt::format("{} refused: {}", record.actor, record.text);
      return apply_to_approval(step.approval, plan.step.approve, record);
    case RecordKind::kApprovalGranted:
    case RecordKind::kApprovalExpired:
      RETURN_IF_ERROR(expect(step, {kAwaitingApproval}, record));
      RETURN_IF_ERROR(apply_to_approval(step.approval, plan.step.approve, record));
      if (step.approval.granted) step.state = kPending;
      return {};
    case RecordKind::kIntent:
      RETURN_IF_ERROR(expect(step, {kPending, kRunning}, record));
      if (record.attempt != step.attempt + 1) return misfit(record, "its attempt is not the next");
      begin_attempt(step, record);
      return {};
    case RecordKind::kChange:
      if (!step.undoing) RETURN_IF_ERROR(expect(step, {kRunning}, record));
      (step.undoing ? step.undo_changed : step.changed) = true;
      return {};
    case RecordKind::kKept:
      step.kept[record.field("name")] = record.field("value");
      return {};
    case RecordKind::kNote:
      step.note = record.text;
      return {};
    case RecordKind::kOutcome:
      RETURN_IF_ERROR(expect(step, {kRunning}, record));
      step.state = kVerifying;
      step.summary = record.text;
      step.outputs = record.fields;
      return {};
    case RecordKind::kVerified:
      RETURN_IF_ERROR(expect(step, {kVerifying}, record));
      settle(step, kDone, record);
      return {};
    case RecordKind::kFailed:
      RETURN_IF_ERROR(expect(step, {kRunning, kVerifying}, record));
      fail(plan.step, step, record);
      return {};
    case RecordKind::kTimedOut:
      RETURN_IF_ERROR(expect(step, {kRunning, kVerifying}, record));
      step.state = kRunning;
      step.timed_out = true;
      step.problem = record.text;
      return {};
    case RecordKind::kUnknown:
      RETURN_IF_ERROR(expect(step, {kRunning, kVerifying}, record));
      step.state = kUnknown;
      step.problem = record.text;
      return {};
    case RecordKind::kSkipped:
    case RecordKind::kManual:
    case RecordKind::kRetry:
      return apply_decision(step, record);
    case RecordKind::kUndoRequested:
    case RecordKind::kUndoIntent:
    case RecordKind::kUndone:
    case RecordKind::kUndoFailed:
      return apply_undo(step, record);
    default:
      return misfit(record, "it belongs to no step");
  }
}

void start(RunState& state, const RunRecord& record) {
  state.run = record.field("run");
  state.environment = record.field("environment");
  state.starter = record.field("starter");
  state.plan_hash = record.field("plan_hash");
  state.drill = record.field("drill") == "yes";
  state.started = record.time;
}

void take_up(RunState& state, const RunRecord& record) {
  state.runner = record.field("runner");
  state.generation = number_in(record.field("generation"));
  if (record.field("taken_over") != "yes") return;
  for (std::size_t i = 0; i < state.steps.size(); ++i)
    if (!state.settled(i)) state.steps[i].uncertain = state.steps[i].changed = true;
}

void end(RunState& state, const RunRecord& record, bool& flag) {
  flag = true;
  state.ended = record.time;
  state.ended_by = record.actor;
  state.end_reason = record.text;
}

Status apply_to_run(const RunPlan& plan, RunState& state, const RunRecord& record) {
  switch (record.kind) {
    case RecordKind::kRunStarted:
      if (state.started) return misfit(record, "the run has begun already");
      start(state, record);
      take_up(state, record);
      return {};
    case RecordKind::kRunResumed:
      take_up(state, record);
      return {};
    case RecordKind::kRunAborted:
      if (state.over()) return misfit(record, "the run is over");
      end(state, record, state.aborted);
      return {};
    case RecordKind::kRunFinished:
      if (state.over()) return misfit(record, "the run is over");
      end(state, record, state.finished);
      return {};
    case RecordKind::kMark: {
      ASSIGN_OR_RETURN(const WallTime time, parse_rfc3339(record.field("time")));
      state.marks.emplace(record.field("name"), time);
      return {};
    }
    case RecordKind::kApprovalRequested:
    case RecordKind::kApprovalGranted:
    case RecordKind::kApprovalRefused:
    case RecordKind::kApprovalExpired:
      return apply_to_approval(state.declare, plan.declare, record);
    case RecordKind::kRunPaused:
      state.pause_told = true;
      return {};
    case RecordKind::kNote:
    case RecordKind::kRequestRefused:
      return {};
    default:
      return misfit(record, "it names no step");
  }
}

}  // namespace

std::string_view to_string(StepState state) {
  switch (state) {
    case kPending:
      return "pending";
    case kAwaitingApproval:
      return "awaiting_approval";
    case kRunning:
      return "running";
    case kVerifying:
      return "verifying";
    case kDone:
      return "done";
    case kFailedPaused:
      return "failed_paused";
    case kUnknown:
      return "unknown";
    case kSkipped:
      return "skipped";
    case kManualDone:
      return "manual_done";
    case kUndone:
      break;
  }
  return "undone";
}

bool RunState::settled(std::size_t step) const {
  const StepState state = steps[step].state;
  return state == kDone || state == kSkipped || state == kManualDone;
}

bool RunState::needs_decision(std::size_t step) const {
  const StepState state = steps[step].state;
  return state == kFailedPaused || state == kUnknown || state == kUndone;
}

bool RunState::paused() const {
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (needs_decision(i)) return true;
  return false;
}

bool RunState::ready(const RunPlan& plan, std::size_t step) const {
  const RunStep& wanted = plan.steps[step];
  for (const std::size_t need : wanted.needs)
    if (!settled(need)) return false;
  if (!wanted.after) return true;
  for (std::size_t i = 0; i < plan.steps.size(); ++i)
    if (!plan.steps[i].after && !settled(i)) return false;
  return true;
}

RunState initial_state(const RunPlan& plan) {
  RunState state;
  state.steps.resize(plan.steps.size());
  return state;
}

Status apply(const RunPlan& plan, RunState& state, const RunRecord& record) {
  if (!state.started && record.kind != RecordKind::kRunStarted) return misfit(record, "the run has not begun");
  if (record.step.empty()) {
    RETURN_IF_ERROR(apply_to_run(plan, state, record));
  } else if (record.kind != RecordKind::kRequestRefused) {
    const auto index = plan.index_of(record.step);
    if (!index) return misfit(record, "the frozen plan has no such step");
    RETURN_IF_ERROR(apply_to_step(plan.steps[*index], state.steps[*index], record));
  }
  if (!state.paused()) state.pause_told = false;
  if (!record.request.empty()) state.requests.insert(record.request);
  state.last_number = record.number;
  state.last_time = record.time;
  return {};
}

Duration back_off(const plan::Step& step, std::uint32_t failures) {
  Duration pause = std::chrono::seconds(1);
  for (std::uint32_t i = 1; i < failures && pause < std::chrono::seconds(30); ++i) pause *= 2;
  pause = std::min<Duration>(pause, std::chrono::seconds(30));
  return step.budget > Duration::zero() ? std::min(pause, step.budget / 4) : pause;
}

}  // namespace anclora::respond
