#include "respond/runbook/step_context.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/secret_file.h"
#include "respond/runbook/step_thread.h"

namespace anclora::respond {

Result<Secret> resolve_reference(FileSystem& files, const Environment& environment, std::string_view reference) {
  if (reference.starts_with("env:")) {
    const std::string name(reference.substr(4));
    auto value = environment ? environment(name) : std::nullopt;
    if (!value || value->empty())
      return Error(ErrorKind::kNotFound, fmt::format("{} is not set", reference), "export " + name + "=...");
    return Secret(std::move(*value));
  }
  if (reference.starts_with("file:")) {
    auto secret = read_secret_file(files, std::string(reference.substr(5)));
    if (!secret) return secret.error().with_context(reference);
    return secret;
  }
  return Secret(std::string(reference));
}

const plan::Target* find_target(const plan::Plan& plan, std::string_view environment, std::string_view id) {
  for (const plan::Environment& known : plan.environments)
    if (known.id == environment)
      for (const plan::Target& target : known.targets)
        if (target.id == id) return &target;
  const auto found = std::ranges::find(plan.targets, id, &plan::Target::id);
  return found == plan.targets.end() ? nullptr : &*found;
}

LiveStepContext::LiveStepContext(LiveRun& run, std::shared_ptr<StepAttempt> attempt)
    : run_(run), attempt_(std::move(attempt)) {
  const RunState state = run_.state();
  id_ = state.run;
  environment_ = state.environment;
  drill_ = state.drill;
  token_ = respond::idempotency_token(id_, step().id);
}

const plan::Target& LiveStepContext::target(std::string_view id) const {
  static const plan::Target kNone;
  const plan::Target* target = find_target(run_.plan(), environment_, id);
  return target != nullptr ? *target : kNone;
}

Result<Secret> LiveStepContext::resolve(std::string_view reference) const {
  ASSIGN_OR_RETURN(Secret secret, resolve_reference(run_.world().files, run_.world().environment, reference));
  if (reference.starts_with("env:") || reference.starts_with("file:")) run_.remember(secret);
  return secret;
}

Result<Outputs> LiveStepContext::outputs_of(std::string_view step_id) const {
  const auto index = run_.run().index_of(step_id);
  if (!index) return Error(ErrorKind::kNotFound, fmt::format("there is no step {}", step_id));
  const RunState state = run_.state();
  const StepStatus& step = state.steps[*index];
  const bool has = step.state == StepState::kDone || (state.settled(*index) && !step.outputs.empty());
  if (has) return step.outputs;
  if (step.state == StepState::kManualDone) {
    const plan::Step& planned = run_.run().steps[*index].step;
    ASSIGN_OR_RETURN(const auto action, run_.world().actions.make(planned.uses));
    if (Outputs left = action->left_by_hand(planned); !left.empty()) return left;
  }
  return Error(ErrorKind::kFailedPrecondition,
               fmt::format("{} left nothing to use: it is {}", step_id, to_string(step.state)),
               "do it, then retry: anclora run resume --retry");
}

std::optional<WallTime> LiveStepContext::outage_began() const {
  const RunState state = run_.state();
  const auto out = state.marks.find("t_out");
  return out == state.marks.end() ? state.started : std::optional<WallTime>(out->second);
}

Status LiveStepContext::before_change(std::string_view what) {
  if (cancelled()) return Error(ErrorKind::kCancelled, "the engine gave this attempt up");
  if (clock().mono_now() >= deadline()) return Error(ErrorKind::kDeadlineExceeded, "the step's time is over");
  if (run_.world().claim != nullptr) {
    const Status held = run_.world().claim->check();
    if (!held) {
      if (held.error().kind() == ErrorKind::kFenced) run_.fail(held.error());
      return held.error();
    }
  }
  RunRecord record;
  record.kind = RecordKind::kChange;
  record.text = what;
  return run_.record(*attempt_, std::move(record), false);
}

Status LiveStepContext::keep(std::string_view name, std::string_view value) {
  if (value.size() > kMaxRecordText)
    return Error(ErrorKind::kResourceExhausted, fmt::format("{} is too large to be kept", name));
  RunRecord record;
  record.kind = RecordKind::kKept;
  record.fields = {{"name", std::string(name)}, {"value", std::string(value)}};
  return run_.record(*attempt_, std::move(record), false);
}

Outputs LiveStepContext::kept() const { return run_.state().steps[attempt_->step].kept; }

void LiveStepContext::note(std::string_view text) {
  RunRecord record;
  record.kind = RecordKind::kNote;
  record.text = text;
  // A note is for people; what keeps it from being written ends the run elsewhere.
  ignore_result(run_.record(*attempt_, std::move(record), false));
}

}  // namespace anclora::respond
