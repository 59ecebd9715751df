#include "app/cli/drill_site.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/drill_sandbox.h"
#include "app/cli/run_site.h"
#include "app/daemon/state_folder.h"
#include "app/version.h"
#include "app/view/drill_report.h"
#include "base/remove_tree.h"
#include "plan/read_plan.h"
#include "respond/drill/scorecard.h"
#include "respond/runbook/run_folder.h"

namespace anclora::app {
namespace {

constexpr std::uint64_t kMaxPlanBytes = 4 * kMiB;

// By the plan that the drill began with, and only once that is proven to be a sandbox here, too.
void clean_scenario(CommandContext& context, const respond::OpenDrill& drill, respond::DrillRecord& record) {
  record.inject_run = drill.begun.inject_run;
  record.recovery_run = drill.begun.recovery_run;
  const Status cleaned = [&]() -> Status {
    ASSIGN_OR_RETURN(const Bytes bytes, respond::read_drill_plan(context.files, drill.folder));
    ASSIGN_OR_RETURN(const plan::Plan plan, plan::read_plan(drill.begun.plan_file, bytes));
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

}  // namespace

std::string drills_folder(const CommandContext& context) { return state_root(context.environment) + "/drills"; }

respond::PastDurations past_durations_of(const CommandContext& context, const plan::Plan& plan,
                                         const std::string& scenario) {
  auto ledger = respond::read_drills(context.files, drills_folder(context));
  if (!ledger) return {};
  std::erase_if(ledger->records, [&](const respond::DrillRecord& record) { return record.service != plan.service; });
  return respond::past_durations(ledger->records, scenario);
}

Result<ReadPlan> read_plan_file(const CommandContext& context, const std::string& file) {
  ASSIGN_OR_RETURN(const std::string path, context.files.resolve(file));
  ReadPlan read;
  ASSIGN_OR_RETURN(read.bytes, context.files.read_all(path, kMaxPlanBytes));
  ASSIGN_OR_RETURN(read.plan, plan::read_plan(file, read.bytes));
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

Result<int> end_drill(CommandContext& context, respond::DrillRecord record) {
  record.passed = record.reasons.empty();
  record.ended = context.clock.wall_now();
  ASSIGN_OR_RETURN(record, respond::keep_drill_record(context.files, drills_folder(context), std::move(record)));
  ASSIGN_OR_RETURN(const respond::DrillLedger ledger, respond::read_drills(context.files, drills_folder(context)));
  if (context.options.json)
    context.out << to_json(record, ledger.records).dump(2, ' ', false, nlohmann::json::error_handler_t::replace)
                << "\n";
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
    }
    record.ended = context.clock.wall_now();
    ASSIGN_OR_RETURN(record, respond::keep_drill_record(context.files, drills_folder(context), std::move(record)));
    context.err << fmt::format("drill {} had been left open: cleaned up, recorded as interrupted\n", record.id);
  }
  return abandoned.size();
}

}  // namespace anclora::app
