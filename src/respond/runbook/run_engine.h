// Runs a scenario: carries out what decide() says, one thread for each attempt at a step, and takes persons' requests
// from the inbox. Killed at any instant, the run goes on from its journal.
#pragma once

#include <memory>
#include <string>

#include "respond/runbook/live_run.h"
#include "respond/runbook/run_request.h"

namespace anclora::respond {

struct RunStart {
  std::string run;          // make_run_id()
  std::string environment;  // empty: as the plan says
  bool drill = false;       // the environment is a sandbox
  std::string starter;      // a contact's id; may be empty in a drill
  std::string runner;       // "host:pid": who holds the run
  std::uint64_t generation = 1;
  Outputs marks;  // t_out, t_det: RFC 3339, where they are known
  // The detection rule whose policy (start: true) is the declaration; empty: the scenario's `declare` asks persons.
  std::string declared_by = {};
};

// A new run in `folder` (created). Its journal begins with run.started.
Result<std::unique_ptr<LiveRun>> start_run(RunWorld world, const std::string& folder, plan::Plan plan,
                                           ByteView plan_bytes, RunPlan run, const RunStart& start);

struct RunResume {
  std::string runner;
  std::uint64_t generation = 1;
  bool taken_over = false;  // from another machine, whose last records may be missing
};

// The run in `folder`, from what its journal says. kFailedPrecondition when the frozen plan is not the journal's.
Result<std::unique_ptr<LiveRun>> resume_run(RunWorld world, const std::string& folder, plan::Plan plan, RunPlan run,
                                            const JournalContent& journal, const RunResume& resume);
// The state that a journal says.
Result<RunState> replay(const RunPlan& run, const JournalContent& journal);

enum class RunEnd : std::uint8_t { kFinished, kAborted, kPersonNeeded, kStopped };

struct EngineOptions {
  bool approve_in_drills = false;  // answers approvals by itself; only where the run is a drill
  bool wait_for_persons = true;    // false: return kPersonNeeded instead
};

class RunEngine {
 public:
  // `run` and `folder` outlive it; the run's lock is held by the caller.
  RunEngine(std::shared_ptr<LiveRun> run, std::string folder, EngineOptions options);
  // Until the run is over and nothing is being undone, or as the options say. kFenced when another runner took over;
  // the journal's error when that cannot be written.
  Result<RunEnd> run();
  // Threads of actions that never came back: the process must end without waiting for them.
  int hung_threads() const { return run_->threads; }

 private:
  Status take_requests();
  Status answer(const RunRequest& request);
  Status carry_out(const RunCommand& command);
  Status request_approval(std::size_t step);
  Status answer_approvals();
  Status expire_approval(std::size_t step);
  Status begin(std::size_t step, const RunCommand& command);
  Status begin_undo(std::size_t step);
  Status abandon(std::size_t step);
  void spawn(const std::shared_ptr<StepAttempt>& attempt, RunCommand::Kind kind, bool recover);
  void pause_briefly(std::uint64_t seen);

  std::shared_ptr<LiveRun> run_;
  const std::string folder_;
  const EngineOptions options_;
  std::optional<MonoTime> looked_;
};

}  // namespace anclora::respond
