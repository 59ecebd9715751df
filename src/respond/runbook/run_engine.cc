#include "respond/runbook/run_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "respond/runbook/step_thread.h"

namespace anclora::respond {
namespace {

using Kind = RunCommand::Kind;

constexpr Duration kInboxEvery = std::chrono::milliseconds(50);

RunRecord record_of(RecordKind kind, std::string step, std::string text) {
  RunRecord record;
  record.kind = kind;
  record.step = std::move(step);
  record.text = std::move(text);
  return record;
}

// What the state of a given-up attempt becomes.
std::optional<RunRecord> judge_given_up(const RunStep& plan, const StepStatus& step, bool aborted) {
  const std::string why =
      aborted ? "the run was aborted while it ran" : fmt::format("no answer within {}", format_duration(plan.timeout));
  const bool attempted = step.state == StepState::kRunning || step.state == StepState::kVerifying;
  if (step.undoing) return record_of(RecordKind::kUndoFailed, "", "undo: " + why);
  if (!attempted) return std::nullopt;
  const bool may_have_changed = plan.mutates && step.changed;
  if (may_have_changed && (aborted || step.timed_out))
    return record_of(RecordKind::kUnknown, "", step.timed_out ? step.problem + "; the probe gave none either" : why);
  if (may_have_changed && step.state == StepState::kRunning) return record_of(RecordKind::kTimedOut, "", why);
  RunRecord failed = record_of(RecordKind::kFailed, "", why);
  const bool harmless = plan.idempotent || !may_have_changed;
  failed.fields["retry"] = harmless && !aborted ? "yes" : "no";
  return failed;
}

std::string pause_reason(const RunPlan& plan, const RunState& state) {
  std::string reason;
  for (std::size_t i = 0; i < plan.steps.size(); ++i)
    if (state.needs_decision(i))
      reason +=
          fmt::format("{}{} is {}", reason.empty() ? "" : ", ", plan.steps[i].step.id, to_string(state.steps[i].state));
  return reason;
}

}  // namespace

RunEngine::RunEngine(std::shared_ptr<LiveRun> run, std::string folder, EngineOptions options)
    : run_(std::move(run)), folder_(std::move(folder)), options_(options) {}

Result<RunEnd> RunEngine::run() {
  while (true) {
    RETURN_IF_ERROR(run_->failure());
    if (run_->world().stop_requested && run_->world().stop_requested()) {
      run_->fail(Error(ErrorKind::kCancelled, "stopped", "go on: anclora run resume"));
      return RunEnd::kStopped;
    }
    RETURN_IF_ERROR(take_requests());
    RETURN_IF_ERROR(answer_approvals());
    const auto [state, in_flight] = run_->snapshot();
    const Now now{run_->world().clock.wall_now(), run_->world().clock.mono_now()};
    const std::vector<RunCommand> commands = decide(run_->run(), state, in_flight, now);
    for (const RunCommand& command : commands) RETURN_IF_ERROR(carry_out(command));
    if (!commands.empty()) continue;
    const bool persons_only = waits_for_persons_only(run_->run(), state, in_flight);
    if (state.over() && persons_only) return state.aborted ? RunEnd::kAborted : RunEnd::kFinished;
    if (persons_only && !options_.wait_for_persons) return RunEnd::kPersonNeeded;
    pause_briefly(state.last_number);
  }
}

void RunEngine::pause_briefly(std::uint64_t seen) {
  Clock& clock = run_->world().clock;
  if (run_->world().steps_in_this_thread)
    clock.sleep_for(kInboxEvery);
  else
    run_->wait(kInboxEvery, seen);
}

Status RunEngine::take_requests() {
  const MonoTime now = run_->world().clock.mono_now();
  if (looked_ && now < *looked_ + kInboxEvery) return {};
  looked_ = now;
  ASSIGN_OR_RETURN(const Inbox inbox, read_inbox(run_->world().files, folder_));
  for (const RunRequest& request : inbox.requests) RETURN_IF_ERROR(answer(request));
  return {};
}

Status RunEngine::answer(const RunRequest& request) {
  const auto judge = [&](const RunState& state) -> Result<std::vector<RunRecord>> {
    if (state.requests.contains(request.id)) return std::vector<RunRecord>();
    auto records = judge_request(run_->plan(), run_->run(), state, request, run_->world().clock.wall_now());
    if (records) return records;
    RunRecord refusal = record_of(RecordKind::kRequestRefused, "", records.error().to_string());
    refusal.actor = request.contact;
    refusal.request = request.id;
    refusal.fields["asked"] = fmt::format("{} {}", to_string(request.kind), request.step);
    return std::vector<RunRecord>{refusal};
  };
  RETURN_IF_ERROR(run_->record_judged(judge));
  // A step that a person settled while its attempt still waits: the attempt is over.
  if (const auto index = run_->run().index_of(request.step); index && run_->state().settled(*index))
    RETURN_IF_ERROR(run_->abandon(*index, [](const StepStatus&) { return std::nullopt; }));
  return remove_request(run_->world().files, folder_, request.id);
}

Status RunEngine::carry_out(const RunCommand& command) {
  switch (command.kind) {
    case Kind::kRequestApproval:
      return request_approval(command.step);
    case Kind::kExpireApproval:
      return expire_approval(command.step);
    case Kind::kStart:
    case Kind::kRecover:
    case Kind::kVerify:
      return begin(command.step, command);
    case Kind::kAbandon:
      return abandon(command.step);
    case Kind::kUndo:
      return begin_undo(command.step);
    case Kind::kMark: {
      RunRecord mark = record_of(RecordKind::kMark, "", "");
      mark.fields = {{"name", command.name}, {"time", format_rfc3339(command.time)}};
      return run_->record(std::move(mark));
    }
    case Kind::kPause:
      return run_->record(record_of(RecordKind::kRunPaused, "", pause_reason(run_->run(), run_->state())));
    case Kind::kFinish:
      break;
  }
  return run_->record(record_of(RecordKind::kRunFinished, "", ""));
}

Status RunEngine::request_approval(std::size_t step) {
  const std::string id = step == RunCommand::kDeclaration ? "" : run_->run().steps[step].step.id;
  return run_->record(record_of(RecordKind::kApprovalRequested, id, ""));
}

// Also those that a runner before asked for and was killed before they were answered.
Status RunEngine::answer_approvals() {
  if (!options_.approve_in_drills || !run_->state().drill) return {};
  const RunPlan& plan = run_->run();
  return run_->record_judged([&](const RunState& state) {
    std::vector<RunRecord> grants;
    const auto answer = [&](const std::string& id, const plan::Approval& rule, const ApprovalState& asked) {
      std::size_t missing = std::max<std::size_t>(1, rule.need) - asked.given.size();
      for (std::uint32_t i = 1; missing > 0; ++i) {
        RunRecord grant = record_of(RecordKind::kApprovalGranted, id, "answered by --yes, in a sandbox");
        grant.actor = fmt::format("--yes/{}", i);
        if (std::ranges::find(asked.given, grant.actor, &Grant::contact) != asked.given.end()) continue;
        grants.push_back(std::move(grant));
        --missing;
      }
    };
    if (state.over()) return grants;
    const ApprovalState& declared = state.declare;
    if (plan.declare && declared.round > 0 && !declared.granted && declared.refused_by.empty())
      answer("", *plan.declare, declared);
    for (std::size_t i = 0; i < plan.steps.size(); ++i)
      if (state.steps[i].state == StepState::kAwaitingApproval && plan.steps[i].step.approve)
        answer(plan.steps[i].step.id, *plan.steps[i].step.approve, state.steps[i].approval);
    return grants;
  });
}

Status RunEngine::expire_approval(std::size_t step) {
  const bool declaration = step == RunCommand::kDeclaration;
  const std::string id = declaration ? "" : run_->run().steps[step].step.id;
  const plan::Approval& rule = declaration ? *run_->run().declare : *run_->run().steps[step].step.approve;
  RunRecord expired = record_of(RecordKind::kApprovalExpired, id, "");
  const std::string within = format_duration(rule.timeout);
  switch (rule.on_timeout) {
    case plan::OnTimeout::kProceed:
      expired.fields["policy"] = "proceed";
      expired.text = fmt::format("nobody answered within {}: the plan says to go on", within);
      return run_->record(std::move(expired));
    case plan::OnTimeout::kAbort: {
      expired.fields["policy"] = "abort";
      expired.text = fmt::format("nobody answered within {}: the plan says to abort", within);
      RunRecord aborted = record_of(RecordKind::kRunAborted, "", expired.text);
      return run_->record_judged([&](const RunState&) { return std::vector<RunRecord>{expired, aborted}; });
    }
    case plan::OnTimeout::kEscalate:
      break;
  }
  expired.fields["policy"] = "escalate";
  expired.text = fmt::format("nobody answered within {}: asked again, a level higher", within);
  const RunRecord again = record_of(RecordKind::kApprovalRequested, id, "");
  return run_->record_judged([&](const RunState&) { return std::vector<RunRecord>{expired, again}; });
}

Status RunEngine::begin(std::size_t step, const RunCommand& command) {
  const RunState state = run_->state();
  auto attempt = std::make_shared<StepAttempt>();
  attempt->step = step;
  attempt->number = state.steps[step].attempt;
  attempt->deadline = run_->world().clock.mono_now() + run_->run().steps[step].timeout;
  std::optional<RunRecord> intent;
  const bool recover = command.kind == Kind::kRecover || state.steps[step].uncertain;
  if (command.kind == Kind::kStart) {
    intent = intent_of(*run_, state, step, recover);
    attempt->number = intent->attempt;
  }
  RETURN_IF_ERROR(run_->begin(attempt, intent));
  spawn(attempt, command.kind, recover);
  return {};
}

Status RunEngine::begin_undo(std::size_t step) {
  const StepStatus status = run_->state().steps[step];
  const RunStep& plan = run_->run().steps[step];
  // Cut short by a crash after it may have changed something, and not to be done twice.
  if (status.undoing && status.undo_changed && !plan.idempotent)
    return run_->abandon(step, [](const StepStatus&) {
      return record_of(RecordKind::kUndoFailed, "", "undo: interrupted while it may have changed something");
    });
  auto attempt = std::make_shared<StepAttempt>();
  attempt->step = step;
  attempt->number = status.attempt;
  attempt->deadline = run_->world().clock.mono_now() + plan.timeout;
  RETURN_IF_ERROR(run_->begin(attempt, record_of(RecordKind::kUndoIntent, plan.step.id, plan.step.uses)));
  spawn(attempt, Kind::kUndo, false);
  return {};
}

Status RunEngine::abandon(std::size_t step) {
  const bool aborted = run_->state().aborted;
  return run_->abandon(
      step, [&](const StepStatus& status) { return judge_given_up(run_->run().steps[step], status, aborted); });
}

void RunEngine::spawn(const std::shared_ptr<StepAttempt>& attempt, Kind kind, bool recover) {
  const AttemptMode mode = kind == Kind::kUndo      ? AttemptMode::kUndo
                           : kind == Kind::kVerify  ? AttemptMode::kVerifyOnly
                           : kind == Kind::kRecover ? AttemptMode::kRecover
                           : recover                ? AttemptMode::kUncertain
                                                    : AttemptMode::kFresh;
  if (run_->world().steps_in_this_thread) return run_attempt(*run_, attempt, mode);
  ++run_->threads;
  // Detached: an action that hangs must not hold the engine up. It keeps the run alive as long as it needs it.
  std::thread([run = run_, attempt, mode] {
    run_attempt(*run, attempt, mode);
    --run->threads;
  }).detach();
}

}  // namespace anclora::respond
