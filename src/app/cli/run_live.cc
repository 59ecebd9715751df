// Running a run in this process: start_and_run() and resume_and_run() of run_site.h.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/copied_command.h"
#include "app/cli/drill_site.h"
#include "app/cli/error_report.h"
#include "app/cli/incident_site.h"
#include "app/cli/json_text.h"
#include "app/cli/run_clean.h"
#include "app/cli/run_holder.h"
#include "app/cli/run_site.h"
#include "app/view/run_report.h"
#include "respond/runbook/run_folder.h"

namespace anclora::app {
namespace {

// What check() trusts of the runner before is at most so old: after that it has seen our claim, or cannot see at all.
constexpr Duration kFormerRunnerNotices = respond::kClaimCheckedFor + std::chrono::milliseconds(500);

// Who only looks whether there is a runner holds the lock for a moment too.
Result<std::unique_ptr<FileLock>> lock_to_run(CommandContext& context, const std::string& folder) {
  for (int tries = 0;; ++tries) {
    auto lock = respond::lock_run(context.files, folder);
    if (lock || lock.error().kind() != ErrorKind::kFailedPrecondition || tries == 20) return lock;
    context.clock.sleep_for(std::chrono::milliseconds(25));
  }
}

void print_record(std::ostream& err, const respond::RunRecord& record) {
  const std::string time = format_rfc3339(record.time).substr(11, 8);
  const std::string text = said_with_hint(record.text, 9);
  const std::string by = record.actor.empty() ? "" : " by " + record.actor;
  if (record.kind == respond::RecordKind::kMark || record.kind == respond::RecordKind::kKept) return;
  err << fmt::format("{} {:<20} {}{}{}{}\n", time, to_string(record.kind), record.step, by, text.empty() ? "" : ": ",
                     text)
      << std::flush;
}

// Everything that a live run is lent, in the order in which it must die.
struct Lent {
  std::unique_ptr<RunRepository> repository;
  std::unique_ptr<respond::RunClaim> claim;
  std::unique_ptr<respond::RunCopy> copy;
  std::unique_ptr<respond::ActionRegistry> actions;
  std::weak_ptr<const respond::LiveRun> live;  // nothing while it begins
  bool answers_approvals = false;              // --yes, in a sandbox
};

// What a person must type, as soon as the run waits for one: about the step of `record`, or of all that waits.
void print_waits(CommandContext& context, const Lent& lent, const respond::RunState& state,
                 const respond::RunRecord* record) {
  const auto live = lent.live.lock();
  if (!live) return;
  const RunReport report{live->plan(), live->run(), state, true, context.clock.wall_now()};
  const bool all = record == nullptr || record->kind == respond::RecordKind::kRunPaused;
  for (const WaitsFor& each : waits_for(report)) {
    const bool answered = lent.answers_approvals && each.what == "approval";
    if (!answered && (all || each.step == record->step)) context.err << to_text(each);
  }
  context.err << std::flush;
}

bool begins_to_wait(const respond::RunRecord& record, const respond::RunState& state) {
  using enum respond::RecordKind;
  // A run that is paused already is not paused once more by the next step that fails.
  if (record.kind == kFailed || record.kind == kUnknown) return state.pause_told;
  return record.kind == kApprovalRequested || record.kind == kRunPaused || record.kind == kIntent;
}

respond::RunWorld world_of(CommandContext& context, Lent& lent) {
  return {context.files,
          context.clock,
          context.random,
          *lent.actions,
          context.environment,
          lent.claim.get(),
          [&context, &lent](const respond::RunRecord& record, const std::string& line, const respond::RunState& state) {
            if (lent.copy) lent.copy->add(record.number, line);
            print_record(context.err, record);
            if (begins_to_wait(record, state)) print_waits(context, lent, state, &record);
          },
          [] { return stop_requested(); }};
}

Status claim_run(CommandContext& context, Lent& lent, const std::string& run, std::uint64_t known,
                 const Bytes& plan_bytes) {
  if (!lent.repository) return {};
  ASSIGN_OR_RETURN(const respond::RunHolder holder, run_holder(context));
  RunRepository& repository = *lent.repository;
  auto claim = respond::RunClaim::take(*repository.store, repository.repository, run, holder, known, context.clock,
                                       context.random);
  const bool away = !claim && (claim.error().kind() == ErrorKind::kUnavailable ||
                               claim.error().kind() == ErrorKind::kDeadlineExceeded);
  if (!claim && !away) return claim.error();
  if (away) context.err << "warning: the repository is away: the run is claimed there as soon as it is back\n";
  lent.claim = claim ? std::move(*claim)
                     : respond::RunClaim::assume(*repository.store, repository.repository, run, holder, known + 1,
                                                 context.clock, context.random);
  lent.copy = std::make_unique<respond::RunCopy>(*repository.store, repository.repository, run,
                                                 lent.claim->generation(), plan_bytes, context.random);
  return {};
}

// Empty: all that was to be undone is undone.
std::string step_not_undone(const RunReport& report) {
  for (std::size_t i = 0; i < report.state.steps.size(); ++i) {
    const respond::StepStatus& step = report.state.steps[i];
    if (report.state.over() && step.state == respond::StepState::kUnknown && step.problem.starts_with("undo: "))
      return report.run.steps[i].step.id;
  }
  return {};
}

Result<int> end_of(CommandContext& context, const respond::LiveRun& live, const Result<respond::RunEnd>& end) {
  const RunReport report{live.plan(),
                         live.run(),
                         live.state(),
                         false,
                         context.clock.wall_now(),
                         past_durations_of(context, live.plan(), live.run().scenario)};
  if (context.options.json)
    context.out << json_text(to_json(report));
  else
    context.out << CopiedCommands(context).complete(to_text(report));
  if (!end) return end.error().with_hint("go on with: anclora run resume --run " + report.state.run);
  if (const std::string step = step_not_undone(report); !step.empty())
    return Error(
        ErrorKind::kFailedPrecondition, step + " could not be undone",
        fmt::format("mend what its line says, then: anclora run undo {} --run {} --as NAME", step, report.state.run));
  switch (*end) {
    case respond::RunEnd::kFinished:
      return 0;
    case respond::RunEnd::kAborted:
      return Error(ErrorKind::kCancelled, "the run was aborted: " + report.state.end_reason,
                   fmt::format("undo what it did: anclora run undo --run {} --as NAME", report.state.run));
    case respond::RunEnd::kPersonNeeded:
      return Error(ErrorKind::kFailedPrecondition, "the run waits for a person", next_command(report));
    case respond::RunEnd::kStopped:
      break;
  }
  return Error(ErrorKind::kCancelled, "stopped before the run was over",
               "go on with: anclora run resume --run " + report.state.run);
}

// Copies of settings that no undo can ask for any more, of this run and of former ones. What fails is a warning: the
// run is over, and the next one tries again.
void clean_up(const CommandContext& context) {
  const CleanedRuns cleaned = remove_unneeded_copies(context);
  for (const std::string& path : cleaned.removed)
    context.err << "removed " << path << ": no undo can ask for it any more\n";
  for (const Error& problem : cleaned.problems)
    context.err << "warning: a copy of old settings may be left: " << problem.message()
                << "\nlook again: anclora run clean\n";
}

Result<int> run_to_the_end(CommandContext& context, Lent& lent, std::shared_ptr<respond::LiveRun> live,
                           const std::string& folder, const RunOptions& options) {
  lent.live = live;
  lent.answers_approvals = options.approve_in_drills && live->state().drill;
  print_waits(context, lent, live->state(), nullptr);
  respond::RunEngine engine(live, folder, {options.approve_in_drills, options.wait_for_persons});
  const Result<respond::RunEnd> end = engine.run();
  Result<int> code = end_of(context, *live, end);
  lent.copy.reset();  // writes what is left
  if (live->state().over()) clean_up(context);
  for (int i = 0; i < 20 && engine.hung_threads() > 0; ++i) context.clock.sleep_for(std::chrono::milliseconds(10));
  if (engine.hung_threads() == 0) return code;
  // Threads of actions that never came back still use what would be destroyed: the process ends here.
  const int status = end_of_output(context, code ? *code : print_error(context, code.error()));
  context.err.flush();
  // Its exit code is 1 where there was a drill to clean up.
  if (options.of_a_drill) ::execl("/proc/self/exe", "anclora", "drill", "clean", static_cast<char*>(nullptr));
  std::_Exit(status);
}

}  // namespace

Result<int> start_and_run(CommandContext& context, plan::Plan plan, const Bytes& plan_bytes, respond::RunPlan run,
                          respond::RunStart start, const RunOptions& options) {
  Lent lent;
  lent.actions = make_actions(context);
  ASSIGN_OR_RETURN(lent.repository, open_run_repository(context, plan, start.environment));
  RETURN_IF_ERROR(claim_run(context, lent, start.run, 0, plan_bytes));
  start.generation = lent.claim ? lent.claim->generation() : 1;
  const std::string folder = runs_folder(context) + "/" + start.run;
  context.err << "run " << start.run << "\n";
  ASSIGN_OR_RETURN(auto live, respond::start_run(world_of(context, lent), folder, std::move(plan), plan_bytes,
                                                 std::move(run), start));
  ASSIGN_OR_RETURN(const auto lock, lock_to_run(context, folder));
  if (!start.drill)
    link_run_to_incident(context, live->plan(), plan_bytes, live->run().scenario, start.run, start.starter);
  return run_to_the_end(context, lent, std::move(live), folder, options);
}

Result<int> resume_and_run(CommandContext& context, StoredRun stored, bool taken_over, const RunOptions& options) {
  ASSIGN_OR_RETURN(const auto lock, lock_to_run(context, stored.folder));
  // Read again under the lock: another runner may have gone on until now.
  const std::string run = stored.state.run;
  ASSIGN_OR_RETURN(stored.journal, respond::read_journal(context.files, stored.folder));
  ASSIGN_OR_RETURN(stored.state, respond::replay(stored.run, stored.journal));
  Lent lent;
  lent.actions = make_actions(context);
  ASSIGN_OR_RETURN(lent.repository, open_run_repository(context, stored.plan, stored.state.environment, true));
  const std::string runner = runner_name();
  if (lent.repository && !taken_over) {
    ASSIGN_OR_RETURN(const respond::RunHolder holder, run_holder(context));
    const auto other = respond::RunClaim::foreign_since(*lent.repository->store, lent.repository->repository, run,
                                                        stored.state.generation, holder);
    if (other && !other->empty())
      return Error(ErrorKind::kFenced,
                   fmt::format("{} took {} over; this machine's journal is not its newest", *other, run),
                   "leave it to that machine, or take it back: anclora run resume --take-over --run " + run);
  }
  ASSIGN_OR_RETURN(const Bytes plan_bytes, respond::read_frozen_plan(context.files, stored.folder));
  RETURN_IF_ERROR(claim_run(context, lent, run, stored.state.generation, plan_bytes));
  if (lent.copy)
    for (std::size_t i = 0; i < stored.journal.lines.size(); ++i) lent.copy->add(i + 1, stored.journal.lines[i]);
  if (taken_over) context.clock.sleep_for(kFormerRunnerNotices);
  const respond::RunResume resume{runner, lent.claim ? lent.claim->generation() : stored.state.generation + 1,
                                  taken_over};
  ASSIGN_OR_RETURN(auto live, respond::resume_run(world_of(context, lent), stored.folder, std::move(stored.plan),
                                                  std::move(stored.run), stored.journal, resume));
  if (!stored.state.drill)
    link_run_to_incident(context, live->plan(), plan_bytes, live->run().scenario, run, stored.state.starter);
  return run_to_the_end(context, lent, std::move(live), stored.folder, options);
}

}  // namespace anclora::app
