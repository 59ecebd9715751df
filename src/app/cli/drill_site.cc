#include "app/cli/drill_site.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/drill_sandbox.h"
#include "app/cli/json_text.h"
#include "app/cli/run_site.h"
#include "app/daemon/state_folder.h"
#include "app/version.h"
#include "app/view/drill_report.h"
#include "base/remove_tree.h"
#include "base/subprocess.h"
#include "plan/lint/plan_lookup.h"
#include "plan/read_plan.h"
#include "respond/drill/scorecard.h"
#include "respond/runbook/run_folder.h"

namespace anclora::app {
namespace {

constexpr Duration kAskedToEnd = std::chrono::seconds(5);

// By the plan that the drill began with, and only once that is proven to be a sandbox here, too.
void clean_scenario(CommandContext& context, const respond::OpenDrill& drill, respond::DrillRecord& record) {
  record.inject_run = drill.begun.inject_run;
  record.recovery_run = drill.begun.recovery_run;
  const Status cleaned = [&]() -> Status {
    ASSIGN_OR_RETURN(const Bytes bytes, respond::read_drill_plan(context.files, drill.folder));
    ASSIGN_OR_RETURN(const plan::Plan plan, plan::read_kept_plan(drill.begun.plan_file, bytes));
    ASSIGN_OR_RETURN(const auto proven, prove_sandbox(context, plan, record.environment, record.scenario));
    context.err << fmt::format("drill {} was left open: cleaning up\n", record.id);
    const std::string run =
        respond::make_run_id(record.scenario + "-cleanup", context.clock.wall_now(), context.random);
    clean_sandbox(context, plan, bytes, run, record);
    return {};
  }();
  if (cleaned) return;
  record.cleanup = {false, cleaned.error().message()};
  record.reasons.push_back("not cleaned up: " + cleaned.error().message());
}

// The steps of the cleanup that the newest run of it has not done; all of them where there is none.
std::string undone_cleanup(const CommandContext& context, const plan::Scenario& scenario, WallTime since) {
  std::vector<std::string> left = plan::ids_in(scenario.cleanup);
  const auto runs = respond::list_runs(context.files, runs_folder(context));
  std::optional<StoredRun> newest;
  for (const std::string& id : runs.value_or(std::vector<std::string>()))
    if (id.starts_with(scenario.id + "-cleanup-"))
      if (auto run = read_run(context, id); run && run->state.started && *run->state.started >= since)
        if (!newest || *newest->state.started < *run->state.started) newest.emplace(std::move(*run));
  if (newest)
    for (std::size_t i = 0; i < newest->run.steps.size(); ++i)
      if (newest->state.settled(i)) std::erase(left, newest->run.steps[i].step.id);
  return fmt::format("{}", fmt::join(left, ", "));
}

}  // namespace

std::string drills_folder(const CommandContext& context) { return state_root(context.environment) + "/drills"; }

respond::PastDurations past_durations_of(const CommandContext& context, const plan::Plan& plan,
                                         const std::string& scenario) {
  auto ledger = respond::read_drills(context.files, drills_folder(context));
  if (!ledger) return {};
  std::erase_if(ledger->records, [&](const respond::DrillRecord& record) { return record.service != plan.service; });
  return respond::past_durations(ledger->records, scenario);
}

Result<ReadPlan> read_plan_file(const CommandContext& context, const std::string& file, const std::string& named) {
  ASSIGN_OR_RETURN(const std::string path, context.files.resolve(file));
  ReadPlan read;
  ASSIGN_OR_RETURN(read.bytes, context.files.read_all(path, kMaxPlanFileBytes));
  ASSIGN_OR_RETURN(read.plan, plan::read_plan(named.empty() ? file : named, read.bytes));
  return read;
}

respond::BegunDrill begun_now(const CommandContext& context, const std::string& scenario, const ReadPlan* plan) {
  respond::BegunDrill begun;
  begun.started = context.clock.wall_now();
  begun.id = respond::make_drill_id(scenario, begun.started, context.random);
  begun.scenario = scenario;
  begun.runner = runner_name();
  begun.program = kVersion;
  if (plan != nullptr) {
    begun.service = plan->plan.service;
    begun.plan_file = plan->plan.file;
    begun.plan_hash = plan->plan.hash_hex;
  }
  return begun;
}

respond::DrillRecord record_of(const respond::BegunDrill& begun) {
  respond::DrillRecord record;
  record.id = begun.id;
  record.scenario = begun.scenario;
  record.environment = begun.environment;
  record.service = begun.service;
  record.plan_file = begun.plan_file;
  record.plan_hash = begun.plan_hash;
  record.starter = begun.starter;
  record.runner = begun.runner;
  record.program = begun.program;
  record.started = begun.started;
  return record;
}

Result<respond::DrillRecord> choose_drill(const respond::DrillLedger& ledger, const std::string& id) {
  if (!ledger.records.empty() && id.empty()) return ledger.records.back();
  const auto found = std::ranges::find(ledger.records, id, &respond::DrillRecord::id);
  if (found != ledger.records.end()) return *found;
  return Error(ErrorKind::kNotFound, id.empty() ? "no drill was run on this machine" : "there is no drill " + id,
               ledger.records.empty() ? "run one: anclora drill run restore --repo REPO"
                                      : "see those there are: anclora drill list");
}

Result<int> end_drill(CommandContext& context, respond::DrillRecord record) {
  record.passed = record.reasons.empty();
  record.ended = context.clock.wall_now();
  ASSIGN_OR_RETURN(record, respond::keep_drill_record(context.files, drills_folder(context), std::move(record)));
  ASSIGN_OR_RETURN(const respond::DrillLedger ledger, respond::read_drills(context.files, drills_folder(context)));
  if (context.options.json)
    context.out << json_text(to_json(record, ledger.records));
  else
    context.out << to_text(record, ledger.records) << fmt::format("report: anclora drill report {}\n", record.id);
  return record.passed ? 0 : 1;
}

Result<std::size_t> clean_abandoned_drills(CommandContext& context) {
  ASSIGN_OR_RETURN(auto abandoned, respond::find_abandoned(context.files, drills_folder(context)));
  for (respond::OpenDrill& drill : abandoned) {
    respond::DrillRecord record = record_of(drill.begun);
    record.interrupted = true;
    record.reasons = {"its process ended before the drill did"};
    if (drill.begun.scenario == "restore") {
      const Status removed = remove_tree(context.files, drill.begun.work_folder);
      record.cleanup = {removed.has_value(),
                        removed ? "the scratch server's files are gone" : removed.error().message()};
    } else {
      clean_scenario(context, drill, record);
      if (!record.cleanup.done && stop_requested())
        return Error(ErrorKind::kCancelled, fmt::format("stopped before drill {} was cleaned up", record.id),
                     "it stays open; finish it: anclora drill clean");
    }
    record.ended = context.clock.wall_now();
    ASSIGN_OR_RETURN(record, respond::keep_drill_record(context.files, drills_folder(context), std::move(record)));
    context.err << fmt::format("drill {} had been left open: cleaned up, recorded as interrupted\n", record.id);
  }
  return abandoned.size();
}

Result<int> clean_in_a_child(const CommandContext& context, const respond::OpenDrill& drill,
                             const plan::Scenario& scenario, Duration within, const Status& why) {
  SubprocessOptions options;
  options.argv = {"/proc/self/exe", "drill", "clean"};
  options.output_file = drill.folder + "/cleanup.log";
  context.err << fmt::format("drill {}: stopped; the sandbox is put back, at most {}\n", drill.begun.id,
                             format_duration(within))
              << std::flush;
  ASSIGN_OR_RETURN(const auto child, Subprocess::start(options));
  std::optional<int> ended = child->wait(within);
  const bool late = !ended;
  if (late) {
    child->signal(SIGTERM);  // it leaves the drill open, as its kill would
    ended = child->wait(kAskedToEnd);
  }
  // 1: cleaned, and recorded as a drill that did not pass.
  if (ended && *ended <= 1) return why ? Error(ErrorKind::kCancelled, "the drill was stopped") : why.error();
  const std::string look = "look at " + options.output_file + ", then: anclora drill clean";
  if (!late)
    return Error(ErrorKind::kFailedPrecondition, fmt::format("cleaning the sandbox up ended with {}", *ended), look);
  return Error(
      ErrorKind::kDeadlineExceeded,
      fmt::format("the sandbox was not put back within {}; drill {} stays open, to do: {}", format_duration(within),
                  drill.begun.id, undone_cleanup(context, scenario, drill.begun.started)),
      look);
}

}  // namespace anclora::app
