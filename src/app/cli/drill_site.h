// What the `drill` commands share: where drills are kept, how each ends, and what a killed one left.
#pragma once

#include <optional>
#include <string>

#include "app/cli/command_context.h"
#include "plan/plan.h"
#include "respond/drill/drill_folder.h"
#include "respond/runbook/run_forecast.h"

namespace anclora::app {

struct DrillArguments {
  std::string scenario, plan, environment, contact;
  bool yes = false, unattended = false;
  std::string clean_within = "60s";  // of a scenario's drill that is stopped
  // of a restore
  std::string name, at = "latest", source, beacon, rto, rpo;
  std::string redis_server = "redis-server", work_directory = "/tmp";
  bool no_digest = false;
};

// Where drills are kept: "<state folder>/drills".
std::string drills_folder(const CommandContext& context);

// What the steps of a scenario took in this service's drills: for forecasts. Nothing where records cannot be read.
respond::PastDurations past_durations_of(const CommandContext& context, const plan::Plan& plan,
                                         const std::string& scenario);

// The plan that a command names, with its bytes.
struct ReadPlan {
  plan::Plan plan;
  Bytes bytes;
};
// Beyond it a file is no plan (plan check allows less).
inline constexpr std::uint64_t kMaxPlanFileBytes = 4 * kMiB;
// Links are followed. `named`: what messages call it, where that is another file.
Result<ReadPlan> read_plan_file(const CommandContext& context, const std::string& file, const std::string& named = {});

// The named drill that has ended, or the newest where `id` is empty. kNotFound says where to look.
Result<respond::DrillRecord> choose_drill(const respond::DrillLedger& ledger, const std::string& id);

// Prints the record, keeps it, and answers the exit code: 0 passed, 1 not.
Result<int> end_drill(CommandContext& context, respond::DrillRecord record);
// What is in every record of this process.
respond::DrillRecord record_of(const respond::BegunDrill& begun);
respond::BegunDrill begun_now(const CommandContext& context, const std::string& scenario, const ReadPlan* plan);

Result<int> run_restore_drill_command(CommandContext& context, const DrillArguments& arguments);
Result<int> run_scenario_drill_command(CommandContext& context, const DrillArguments& arguments);

// Cleans up after drills whose process was killed, and records each as interrupted; how many there were. kCancelled
// when it is stopped itself before a sandbox was put back: that drill stays open for the next one who cleans.
Result<std::size_t> clean_abandoned_drills(CommandContext& context);

// Puts the sandbox of a drill that is being stopped back in a child process, whose words lie in the drill's folder. An
// error always: why the drill ended (`why`, kCancelled when it went well until then), or, kDeadlineExceeded after
// `within`, which steps of the cleanup are still to do; the drill stays open then.
Result<int> clean_in_a_child(const CommandContext& context, const respond::OpenDrill& drill,
                             const plan::Scenario& scenario, Duration within, const Status& why);

}  // namespace anclora::app
