// What the `run` commands share: where runs are kept, a run read from its folder, the plan's repository, the actions.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "app/cli/command_context.h"
#include "respond/actions/plan_probe.h"
#include "respond/runbook/run_claim.h"
#include "respond/runbook/run_copy.h"
#include "respond/runbook/run_engine.h"
#include "respond/runbook/run_journal.h"
#include "respond/runbook/run_plan.h"

namespace anclora::app {

// Where runs are kept: "<state folder>/runs".
std::string runs_folder(const CommandContext& context);
// The named run, or the newest one. kNotFound naming those there are.
Result<std::string> choose_run(const CommandContext& context, const std::string& run);
// "host:pid".
std::string runner_name();

// A run as its folder says.
struct StoredRun {
  std::string folder;
  respond::JournalContent journal;
  plan::Plan plan;
  respond::RunPlan run;
  respond::RunState state;
  bool has_runner = false;
};
Result<StoredRun> read_run(const CommandContext& context, const std::string& run);

// The repository that the plan names (or --repo), for claims and the copy. Its calls give up within a second or two.
struct RunRepository {
  std::unique_ptr<storage::Store> store;
  storage::Repository repository;
};
// nullptr when the plan names none; nullptr with a warning on standard error when it is away. For a run that has begun
// with it (`begun`) a folder that is not there is away, too: its disk may be.
Result<std::unique_ptr<RunRepository>> open_run_repository(const CommandContext& context, const plan::Plan& plan,
                                                           const std::string& environment, bool begun = false);

// How to open a repository target: its `passphrase`, or the file that `passphrase_file` (a path, or a reference to one)
// names; without either what the command line says.
Result<storage::Unlock> unlock_target(const CommandContext& context, const plan::Target& target,
                                      const std::function<Result<Secret>(std::string_view)>& resolve);

// What probes need besides a plan. `context` outlives them.
respond::ProbeMeans probe_means(const CommandContext& context);

// The actions of this version, by name.
std::unique_ptr<respond::ActionRegistry> make_actions(const CommandContext& context);

// A live run with all that it is lent; ends the process by itself where an action's thread hangs.
struct RunOptions {
  bool approve_in_drills = false;
  bool wait_for_persons = true;
  bool of_a_drill = false;  // instead of ending where an action's thread hangs: `drill clean` takes the process over
};
Result<int> start_and_run(CommandContext& context, plan::Plan plan, const Bytes& plan_bytes, respond::RunPlan run,
                          respond::RunStart start, const RunOptions& options);
Result<int> resume_and_run(CommandContext& context, StoredRun stored, bool taken_over, const RunOptions& options);

}  // namespace anclora::app
