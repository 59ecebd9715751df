#include "respond/runbook/step_thread.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "respond/runbook/step_context.h"

namespace anclora::respond {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const plan::Value& value) {
  switch (value.kind) {
    case plan::ValueKind::kScalar:
      return value.text;
    case plan::ValueKind::kList: {
      Json list = Json::array();
      for (const plan::Value& item : value.items) list.push_back(to_json(item));
      return list;
    }
    case plan::ValueKind::kMap: {
      Json map = Json::object();
      for (const plan::Entry& entry : value.entries) map[entry.key] = to_json(entry.value);
      return map;
    }
    case plan::ValueKind::kNull:
      break;
  }
  return nullptr;
}

RunRecord record_of(RecordKind kind, std::string text) {
  RunRecord record;
  record.kind = kind;
  record.text = std::move(text);
  return record;
}

class Attempt {
 public:
  Attempt(LiveRun& run, const std::shared_ptr<StepAttempt>& attempt)
      : run_(run), attempt_(attempt), step_(run.run().steps[attempt->step]), context_(run, attempt) {}

  void go(AttemptMode mode) {
    auto action = run_.world().actions.make(step_.step.uses);
    if (!action) return mode == AttemptMode::kUndo ? undo_failed(action.error()) : fail(action.error());
    action_ = std::move(*action);
    if (mode == AttemptMode::kUndo) return undo();
    if (mode == AttemptMode::kVerifyOnly) return verify();
    if (mode == AttemptMode::kRecover) return recover("interrupted while it may have changed something");
    if (mode == AttemptMode::kUncertain) return recover("the machine that had the run before may have begun it");
    if (!step_.mutates) return execute();
    const auto seen = action_->probe(context_);
    if (seen && seen->done == Done::kYes) return found_done(*seen);
    execute();
  }

 private:
  // Ends the attempt. A record that is refused (given up, journal failed) has been told to the engine already.
  void end(RunRecord record) { ignore_result(run_.record(*attempt_, std::move(record), true)); }

  StepStatus status() const { return run_.state().steps[attempt_->step]; }

  // Again by itself only where that cannot do harm: nothing was changed, or it may be done twice.
  void fail(const Error& error) {
    const bool harmless = step_.idempotent || !step_.mutates || !status().changed;
    const bool sensible = retry_class(error.kind()) != RetryClass::kNever;
    RunRecord record = record_of(RecordKind::kFailed, error.to_string());
    record.fields["retry"] = harmless && sensible ? "yes" : "no";
    record.fields["kind"] = to_string(error.kind());
    end(std::move(record));
  }

  void found_done(const Observation& seen) {
    RunRecord record = record_of(RecordKind::kOutcome, "already so: " + seen.current);
    record.fields = seen.outputs;
    if (run_.record(*attempt_, std::move(record), false)) verify();
  }

  void execute() {
    auto outcome = action_->execute(context_);
    if (!outcome) return fail(outcome.error());
    RunRecord record = record_of(RecordKind::kOutcome, outcome->summary);
    record.fields = std::move(outcome->outputs);
    if (run_.record(*attempt_, std::move(record), false)) verify();
  }

  void verify() {
    const Status verified = action_->verify(context_);
    if (verified) return end(record_of(RecordKind::kVerified, ""));
    fail(verified.error().with_context("its verification"));
  }

  // Another intent, without a probe: the attempt before it was cut short.
  void repeat() {
    RunRecord intent = intent_of(run_, run_.state(), attempt_->step, true);
    attempt_->number = intent.attempt;
    if (run_.record(*attempt_, std::move(intent), false)) execute();
  }

  void recover(const std::string& cut_short) {
    if (!step_.mutates) return repeat();
    const auto seen = action_->probe(context_);
    const StepStatus before = status();
    if (seen && seen->done == Done::kYes) return found_done(*seen);
    const bool again = !before.changed || (step_.idempotent && seen && seen->done == Done::kNo);
    if (again && before.timed_out) {
      RunRecord record = record_of(RecordKind::kFailed, before.problem);
      record.fields["retry"] = "yes";
      return end(std::move(record));
    }
    if (again) return repeat();
    std::string look = seen ? "found: " + seen->current : "it could not be looked at: " + seen.error().to_string();
    const std::string& why = before.timed_out ? before.problem : cut_short;
    end(record_of(RecordKind::kUnknown, fmt::format("{}; {}", why, look)));
  }

  void undo() {
    auto outcome = action_->undo(context_);
    if (!outcome) return undo_failed(outcome.error());
    end(record_of(RecordKind::kUndone, outcome->summary));
  }

  void undo_failed(const Error& error) { end(record_of(RecordKind::kUndoFailed, "undo: " + error.to_string())); }

  LiveRun& run_;
  std::shared_ptr<StepAttempt> attempt_;
  const RunStep& step_;
  LiveStepContext context_;
  std::unique_ptr<Action> action_;
};

}  // namespace

std::string one_line(const plan::Value& value) {
  if (value.kind == plan::ValueKind::kScalar) return value.text;
  return to_json(value).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string idempotency_token(const std::string& run, const std::string& step) {
  return to_hex(hash256(run + "\n" + step)).substr(0, 32);
}

RunRecord intent_of(const LiveRun& run, const RunState& state, std::size_t step, bool recover) {
  const plan::Step& wanted = run.run().steps[step].step;
  RunRecord record = record_of(RecordKind::kIntent, wanted.uses);
  record.step = wanted.id;
  record.attempt = state.steps[step].attempt + 1;
  record.fields["token"] = idempotency_token(state.run, wanted.id);
  if (recover) record.fields["mode"] = "recover";
  for (const plan::Entry& input : wanted.with.entries) record.fields["with." + input.key] = one_line(input.value);
  return record;
}

void run_attempt(LiveRun& run, const std::shared_ptr<StepAttempt>& attempt, AttemptMode mode) {
  Attempt(run, attempt).go(mode);
}

}  // namespace anclora::respond
