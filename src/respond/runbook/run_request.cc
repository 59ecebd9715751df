#include "respond/runbook/run_request.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "plan/lint/plan_lookup.h"

namespace anclora::respond {
namespace {

using enum StepState;

Error refused(std::string message, std::string hint) {
  return Error(ErrorKind::kFailedPrecondition, std::move(message), std::move(hint));
}

RunRecord record_of(const RunRequest& request, RecordKind kind, const std::string& step) {
  RunRecord record;
  record.kind = kind;
  record.step = step;
  record.actor = request.contact;
  record.text = request.text;
  return record;
}

Result<const plan::Contact*> known_contact(const plan::Plan& plan, const std::string& id) {
  if (const plan::Contact* contact = plan::find_contact(plan, id)) return contact;
  return Error(
      ErrorKind::kInvalidArgument,
      id.empty() ? "who asks for this is not said" : fmt::format("the plan has no contact {}", id),
      fmt::format("say who you are with --as; the plan's contacts: {}", fmt::join(plan::ids_in(plan.contacts), ", ")));
}

Status check_approver(const RunState& state, const plan::Contact& contact, const plan::Approval& rule,
                      const ApprovalState& approval) {
  if (approval.granted || approval.round == 0)
    return refused(approval.granted ? "it is approved already" : "its approval has not been asked for yet",
                   "see what waits: anclora run status");
  if (contact.id == state.starter)
    return refused(fmt::format("{} started this run and cannot approve it", contact.id),
                   fmt::format("somebody else must: roles {}", fmt::join(rule.roles, ", ")));
  const bool has_role = rule.roles.empty() || std::ranges::any_of(contact.roles, [&](const std::string& role) {
                          return std::ranges::find(rule.roles, role) != rule.roles.end();
                        });
  if (!has_role)
    return refused(fmt::format("{} has none of the roles {}", contact.id, fmt::join(rule.roles, ", ")),
                   "anclora run status names who may approve");
  if (std::ranges::find(approval.given, contact.id, &Grant::contact) != approval.given.end())
    return refused(contact.id + " has approved already", "another person is needed");
  return {};
}

class Judge {
 public:
  Judge(const RunPlan& run, const RunState& state, const RunRequest& request, const plan::Contact& contact,
        WallTime now)
      : run_(run), state_(state), request_(request), contact_(contact), now_(now) {}

  Result<std::vector<RunRecord>> answer() const {
    if (request_.kind == RequestKind::kUndo) return request_.step.empty() ? undo_all() : undo_step();
    if (state_.over())
      return refused(fmt::format("the run is {}", state_.aborted ? "aborted" : "finished"),
                     "what it did can be undone: anclora run undo");
    if (request_.kind == RequestKind::kAbort) return one(RecordKind::kRunAborted, "");
    if (request_.kind == RequestKind::kApprove || request_.kind == RequestKind::kRefuse) return approval();
    return decision();
  }

 private:
  std::vector<RunRecord> one(RecordKind kind, const std::string& step) const {
    return {record_of(request_, kind, step)};
  }

  Result<std::size_t> step_index() const {
    const auto index = run_.index_of(request_.step);
    if (index) return *index;
    return Error(ErrorKind::kNotFound, fmt::format("{} has no step \"{}\"", run_.scenario, request_.step),
                 "see its steps: anclora run status");
  }

  Result<std::vector<RunRecord>> approval() const {
    const bool grant = request_.kind == RequestKind::kApprove;
    if (!grant && request_.text.empty()) return refused("a refusal needs a reason", "give --reason TEXT");
    const RecordKind kind = grant ? RecordKind::kApprovalGranted : RecordKind::kApprovalRefused;
    if (request_.step.empty()) {
      if (!run_.declare) return refused(run_.scenario + " needs no declaration", "name the step to approve");
      RETURN_IF_ERROR(check_approver(state_, contact_, *run_.declare, state_.declare));
      if (grant) return one(kind, "");
      std::vector<RunRecord> records = one(kind, "");
      records.push_back(record_of(request_, RecordKind::kRunAborted, ""));
      return records;
    }
    ASSIGN_OR_RETURN(const std::size_t step, step_index());
    const auto& rule = run_.steps[step].step.approve;
    if (!rule) return refused(request_.step + " needs no approval", "see what waits: anclora run status");
    if (state_.steps[step].state != kAwaitingApproval)
      return refused(fmt::format("{} is {} and awaits no approval", request_.step, to_string(state_.steps[step].state)),
                     "see what waits: anclora run status");
    RETURN_IF_ERROR(check_approver(state_, contact_, *rule, state_.steps[step].approval));
    return one(kind, request_.step);
  }

  // skip, done, retry
  Result<std::vector<RunRecord>> decision() const {
    ASSIGN_OR_RETURN(const std::size_t index, step_index());
    const StepStatus& step = state_.steps[index];
    const bool stuck = state_.needs_decision(index);
    if (request_.kind == RequestKind::kRetry) {
      if (stuck) return one(RecordKind::kRetry, request_.step);
      return refused(fmt::format("{} is {}: there is nothing to retry", request_.step, to_string(step.state)),
                     "see what waits: anclora run status");
    }
    const bool may_settle = !run_.steps[index].mutates || run_.steps[index].by_person;
    const bool may =
        stuck || step.state == kPending || step.state == kAwaitingApproval || (may_settle && step.state == kRunning);
    if (!may)
      return refused(fmt::format("{} is {}", request_.step, to_string(step.state)),
                     state_.settled(index) ? "it is settled: see what waits with anclora run status"
                                           : "wait for its end or its timeout, or abort the run");
    if (request_.text.empty())
      return request_.kind == RequestKind::kSkip
                 ? refused("a skipped step needs a reason", "give --reason TEXT")
                 : refused("a step done by hand needs evidence", "give --evidence TEXT");
    return one(request_.kind == RequestKind::kSkip ? RecordKind::kSkipped : RecordKind::kManual, request_.step);
  }

  Status check_window() const {
    if (!state_.finished || !state_.ended) return {};
    if (now_ <= *state_.ended + run_.undo_window) return {};
    return refused(fmt::format("the undo window of {} is over", format_duration(run_.undo_window)),
                   "recover forward: start another scenario");
  }

  bool may_undo(std::size_t index) const {
    const StepStatus& step = state_.steps[index];
    return run_.steps[index].undoable && !step.undo_requested &&
           (step.state == kDone || ((step.state == kFailedPaused || step.state == kUnknown) && step.changed));
  }

  Result<std::vector<RunRecord>> undo_step() const {
    ASSIGN_OR_RETURN(const std::size_t index, step_index());
    RETURN_IF_ERROR(check_window());
    const StepStatus& step = state_.steps[index];
    if (!run_.steps[index].undoable)
      return Error(ErrorKind::kUnsupported,
                   fmt::format("{} ({}) cannot be undone", request_.step, run_.steps[index].step.uses),
                   "undo it by hand");
    if (!may_undo(index))
      return refused(fmt::format("{} is {}: there is nothing to undo", request_.step, to_string(step.state)),
                     "see its steps: anclora run status");
    for (std::size_t i = 0; i < run_.steps.size(); ++i) {
      const bool follows = std::ranges::find(run_.steps[i].needs, index) != run_.steps[i].needs.end();
      if (follows && state_.steps[i].state == kDone && run_.steps[i].mutates)
        return refused(fmt::format("{} was done after it and needs it", run_.steps[i].step.id),
                       "undo that first, or the whole run");
    }
    return one(RecordKind::kUndoRequested, request_.step);
  }

  Result<std::vector<RunRecord>> undo_all() const {
    RETURN_IF_ERROR(check_window());
    std::vector<RunRecord> records;
    if (!state_.over()) records = one(RecordKind::kRunAborted, "");
    for (std::size_t i = 0; i < run_.steps.size(); ++i)
      if (may_undo(i)) records.push_back(record_of(request_, RecordKind::kUndoRequested, run_.steps[i].step.id));
    if (!records.empty()) return records;
    return refused("nothing of this run can be undone", "see its steps: anclora run status");
  }

  const RunPlan& run_;
  const RunState& state_;
  const RunRequest& request_;
  const plan::Contact& contact_;
  const WallTime now_;
};

}  // namespace

Result<std::vector<RunRecord>> judge_request(const plan::Plan& plan, const RunPlan& run, const RunState& state,
                                             const RunRequest& request, WallTime now) {
  ASSIGN_OR_RETURN(const plan::Contact* contact, known_contact(plan, request.contact));
  ASSIGN_OR_RETURN(std::vector<RunRecord> records, Judge(run, state, request, *contact, now).answer());
  records.back().request = request.id;
  return records;
}

}  // namespace anclora::respond
