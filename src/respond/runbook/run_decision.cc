#include "respond/runbook/run_decision.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace anclora::respond {
namespace {

using Kind = RunCommand::Kind;

bool is_attempted(const StepStatus& step) {
  return step.state == StepState::kRunning || step.state == StepState::kVerifying;
}

class Decision {
 public:
  Decision(const RunPlan& plan, const RunState& state, const InFlight& in_flight, Now now)
      : plan_(plan), state_(state), in_flight_(in_flight), now_(now) {}

  std::vector<RunCommand> make() {
    abandon();
    if (undo()) return std::move(commands_);
    if (state_.over()) return std::move(commands_);
    recover();
    if (!declared()) return std::move(commands_);
    mark();
    if (state_.paused()) {
      if (!state_.pause_told) add(Kind::kPause);
      return std::move(commands_);
    }
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) advance(i);
    finish();
    return std::move(commands_);
  }

 private:
  void add(Kind kind, std::size_t step = RunCommand::kDeclaration) { commands_.push_back({kind, step, {}, {}}); }

  void abandon() {
    for (const auto& [step, deadline] : in_flight_)
      if (now_.mono >= deadline) add(Kind::kAbandon, step);
    if (!state_.aborted) return;
    for (std::size_t i = 0; i < state_.steps.size(); ++i)
      if (is_attempted(state_.steps[i]) && !state_.steps[i].undoing) add(Kind::kAbandon, i);
  }

  // One at a time, the latest first; while anything is being undone nothing new begins.
  bool undo() {
    std::optional<std::size_t> next;
    const auto order = [&](std::size_t i) {
      const StepStatus& step = state_.steps[i];
      return step.undoing ? UINT64_MAX : step.finished_number == 0 ? UINT64_MAX - 1 : step.finished_number;
    };
    for (std::size_t i = 0; i < state_.steps.size(); ++i)
      if (state_.steps[i].undo_requested && (!next || order(i) > order(*next))) next = i;
    if (!next) return false;
    if (in_flight_.empty() && commands_.empty()) add(Kind::kUndo, *next);
    return true;
  }

  void recover() {
    for (std::size_t i = 0; i < state_.steps.size(); ++i) {
      if (in_flight_.contains(i) || !is_attempted(state_.steps[i])) continue;
      add(state_.steps[i].state == StepState::kVerifying ? Kind::kVerify : Kind::kRecover, i);
    }
  }

  bool approved(const std::optional<plan::Approval>& rule, const ApprovalState& approval, std::size_t step) {
    if (!rule || approval.granted) return true;
    if (approval.round == 0)
      add(Kind::kRequestApproval, step);
    else if (rule->timeout > Duration::zero() && now_.wall >= approval.asked + rule->timeout)
      add(Kind::kExpireApproval, step);
    return false;
  }

  bool declared() { return approved(plan_.declare, state_.declare, RunCommand::kDeclaration); }

  void mark_once(const char* name, WallTime time) {
    if (!state_.marks.contains(name)) commands_.push_back({Kind::kMark, RunCommand::kDeclaration, name, time});
  }

  void mark() {
    mark_once("t_decl", plan_.declare && !state_.declare.given.empty() ? state_.declare.given.back().time : now_.wall);
    std::optional<WallTime> acted, served;
    bool serving = true;
    for (std::size_t i = 0; i < state_.steps.size(); ++i) {
      const StepStatus& step = state_.steps[i];
      if (step.first_started && (!acted || *step.first_started < *acted)) acted = step.first_started;
      if (plan_.steps[i].after) continue;
      serving = serving && state_.settled(i);
      if (step.finished && (!served || *step.finished > *served)) served = step.finished;
    }
    if (acted) mark_once("t_act", *acted);
    if (serving && served) mark_once("t_serv", *served);
  }

  void advance(std::size_t i) {
    const StepStatus& step = state_.steps[i];
    const bool waits = step.state == StepState::kPending || step.state == StepState::kAwaitingApproval;
    if (!waits || in_flight_.contains(i) || !state_.ready(plan_, i)) return;
    if (!approved(plan_.steps[i].step.approve, step.approval, i)) return;
    if (step.not_before && now_.wall < *step.not_before) return;
    add(Kind::kStart, i);
  }

  void finish() {
    if (!in_flight_.empty() || !commands_.empty()) return;
    for (std::size_t i = 0; i < state_.steps.size(); ++i)
      if (!state_.settled(i)) return;
    add(Kind::kFinish);
  }

  const RunPlan& plan_;
  const RunState& state_;
  const InFlight& in_flight_;
  const Now now_;
  std::vector<RunCommand> commands_;
};

}  // namespace

std::vector<RunCommand> decide(const RunPlan& plan, const RunState& state, const InFlight& in_flight, Now now) {
  return Decision(plan, state, in_flight, now).make();
}

bool waits_for_persons_only(const RunPlan& plan, const RunState& state, const InFlight& in_flight) {
  if (!in_flight.empty()) return false;
  for (const StepStatus& step : state.steps)
    if (step.undo_requested || is_attempted(step)) return false;
  if (state.over() || state.paused()) return true;
  if (plan.declare && !state.declare.granted) return state.declare.round > 0;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const StepStatus& step = state.steps[i];
    if (step.state == StepState::kPending && state.ready(plan, i)) return false;
  }
  return std::ranges::any_of(state.steps, [](const StepStatus& s) { return s.state == StepState::kAwaitingApproval; });
}

}  // namespace anclora::respond
