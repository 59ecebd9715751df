// A run while a runner has it: its plan, its journal and the state that the journal says, shared by the engine and the
// threads of its steps. What is recorded is durable before anybody acts on it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "respond/runbook/action.h"
#include "respond/runbook/run_claim.h"
#include "respond/runbook/run_decision.h"
#include "respond/runbook/run_journal.h"
#include "respond/runbook/run_plan.h"
#include "respond/runbook/run_state.h"

namespace anclora::respond {

// What a runner is given. All of it outlives the run and the threads that a hung action leaves behind.
struct RunWorld {
  FileSystem& files;
  Clock& clock;
  Random& random;
  ActionRegistry& actions;
  std::function<std::optional<std::string>(const std::string&)> environment;  // for env: references
  RunClaim* claim = nullptr;                                                  // none: the plan has no repository
  // Called after each record, in order, under the run's lock: the copy in the repository, the progress display.
  std::function<void(const RunRecord&, const std::string& line, const RunState&)> watch;
  std::function<bool()> stop_requested;
  bool steps_in_this_thread = false;  // for tests that crash at every write
};

// One attempt at a step, or its undo. `given_up` may be set at any time; after that it can record nothing more.
struct StepAttempt {
  std::size_t step = 0;
  std::uint32_t number = 0;
  MonoTime deadline;
  std::atomic<bool> given_up = false;
};

// Thread rule: any thread.
class LiveRun {
 public:
  LiveRun(RunWorld world, plan::Plan plan, RunPlan run, std::unique_ptr<RunJournal> journal, RunState state);

  const RunWorld& world() const { return world_; }
  const plan::Plan& plan() const { return plan_; }
  const RunPlan& run() const { return run_; }
  RunState state() const;
  // Both of one instant: a step that ends between two looks would seem to be cut short.
  std::pair<RunState, InFlight> snapshot() const;

  // Durable, then applied. An error of the journal, or a record that does not fit the state, ends the run for this
  // runner: failure() keeps it, every attempt is given up.
  Status record(RunRecord record);
  // What `judge` makes of the present state, all of it before anything else is recorded and durable together. Its error
  // changes nothing.
  Status record_judged(const std::function<Result<std::vector<RunRecord>>(const RunState&)>& judge);
  // By an attempt. kCancelled once it was given up. `last`: it ends with this record.
  Status record(StepAttempt& attempt, RunRecord record, bool last);
  // Records `intent` (when given) and registers the attempt, in one.
  Status begin(const std::shared_ptr<StepAttempt>& attempt, const std::optional<RunRecord>& intent);
  // Gives the attempt at `step` up, if one is in flight; what `judge` then makes of the step's state is recorded.
  Status abandon(std::size_t step, const std::function<std::optional<RunRecord>(const StepStatus&)>& judge);
  void fail(const Error& error);
  Status failure() const;
  // Waits until there is a record after number `seen`, at most `timeout`.
  void wait(Duration timeout, std::uint64_t seen);

  // What was resolved for this run: from then on it (of a URL its password, of a path nothing) is masked in what is
  // recorded, but for outputs and what is kept.
  void remember(const Secret& resolved);
  const plan::Target& target(std::string_view id) const;

  std::atomic<int> threads = 0;  // of attempts, given up ones included

 private:
  Status record_locked(RunRecord record, bool sync);
  void fail_locked(const Error& error);
  void mask(std::string& text) const;

  const RunWorld world_;
  const plan::Plan plan_;
  const RunPlan run_;
  std::map<std::string, plan::Target, std::less<>> targets_;
  mutable std::mutex mutex_;
  std::condition_variable recorded_;
  std::unique_ptr<RunJournal> journal_;
  RunState state_;
  std::map<std::size_t, std::shared_ptr<StepAttempt>> attempts_;
  std::optional<Error> failure_;
  std::vector<Secret> secrets_;
};

}  // namespace anclora::respond
