#include "respond/runbook/run_forecast.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace anclora::respond {
namespace {

Duration not_negative(Duration duration) { return std::max(duration, Duration::zero()); }

Duration expected_of(const RunStep& step, const PastDurations& past) {
  const auto known = past.find(step.step.id);
  return known != past.end() ? known->second : step.step.budget;
}

Duration rest_of_approval(const std::optional<plan::Approval>& rule, const ApprovalState& approval, WallTime now) {
  if (!rule || approval.granted) return {};
  return approval.round == 0 ? rule->timeout : not_negative(rule->timeout - (now - approval.asked));
}

Duration rest_of_step(const RunStep& plan, const StepStatus& step, WallTime now, const PastDurations& past) {
  const Duration expected = expected_of(plan, past);
  const bool attempted = step.state == StepState::kRunning || step.state == StepState::kVerifying;
  if (attempted && step.started) return not_negative(expected - (now - *step.started));
  return expected + rest_of_approval(plan.step.approve, step.approval, now);
}

std::optional<WallTime> mark_of(const RunState& state, const char* name) {
  const auto found = state.marks.find(name);
  return found == state.marks.end() ? std::nullopt : std::optional<WallTime>(found->second);
}

std::optional<Duration> between(std::optional<WallTime> from, std::optional<WallTime> to) {
  if (!from || !to) return std::nullopt;
  return *to - *from;
}

void keep_larger(const Outputs& outputs, const char* name, std::string& largest) {
  const auto found = outputs.find(name);
  if (found == outputs.end()) return;
  const auto number = [](const std::string& text) { return std::strtod(text.c_str(), nullptr); };
  if (largest.empty() || number(found->second) > number(largest)) largest = found->second;
}

}  // namespace

Forecast forecast(const RunPlan& plan, const RunState& state, WallTime now, const PastDurations& past) {
  Forecast result;
  const std::optional<WallTime> out = mark_of(state, "t_out");
  const std::optional<WallTime> served = mark_of(state, "t_serv");
  const WallTime begun = out ? *out : state.started.value_or(now);
  const WallTime until = served ? *served : state.over() && state.ended ? *state.ended : now;
  result.elapsed = not_negative(until - begun);
  if (!served && !state.over()) {
    std::vector<Duration> end(plan.steps.size());
    // Needs may stand later in the list: as many rounds as there are steps settle the longest chain.
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t i = 0; i < plan.steps.size(); ++i) {
        if (plan.steps[i].after || state.settled(i)) continue;
        Duration longest = rest_of_step(plan.steps[i], state.steps[i], now, past);
        Duration before{};
        for (const std::size_t need : plan.steps[i].needs) before = std::max(before, end[need]);
        longest += before;
        moved = moved || longest != end[i];
        end[i] = longest;
      }
    }
    for (const Duration each : end) result.remaining = std::max(result.remaining, each);
    result.remaining += rest_of_approval(plan.declare, state.declare, now);
  }
  result.total = result.elapsed + result.remaining;
  result.over_rto = plan.rto > Duration::zero() && result.total > plan.rto;
  result.over_rto_max = plan.rto_max > Duration::zero() && result.total > plan.rto_max;
  return result;
}

RtoSplit split_rto(const RunPlan& plan, const RunState& state) {
  RtoSplit split;
  const auto out = mark_of(state, "t_out");
  const auto detected = mark_of(state, "t_det");
  const auto declared = mark_of(state, "t_decl");
  const auto served = mark_of(state, "t_serv");
  const auto begun = out ? out : state.started;
  split.detect = between(out, detected);
  split.decide = between(detected ? detected : begun, declared);
  std::optional<WallTime> acted = declared;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const StepStatus& step = state.steps[i];
    if (plan.steps[i].after || !plan.steps[i].mutates || !step.finished) continue;
    if (!acted || *step.finished > *acted) acted = step.finished;
  }
  if (!served) return split;
  // What serves again before the last step ends (a canary after it, an undo later) was acted for only until then.
  if (acted && *acted > *served) acted = std::max(*served, declared.value_or(*served));
  split.act = between(declared, acted);
  split.verify = between(acted, served);
  split.achieved = between(begun, served);
  split.met = split.achieved && (plan.rto == Duration::zero() || *split.achieved <= plan.rto);
  return split;
}

MeasuredRpo measured_rpo(const RunState& state) {
  MeasuredRpo rpo;
  for (const StepStatus& step : state.steps) {
    keep_larger(step.outputs, "rpo_seconds", rpo.seconds);
    keep_larger(step.outputs, "rpo_writes", rpo.writes);
  }
  return rpo;
}

}  // namespace anclora::respond
