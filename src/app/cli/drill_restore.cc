// `anclora drill run restore`: run_restore_drill_command() of drill_site.h.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ostream>

#include "app/cli/bounded_option.h"
#include "app/cli/drill_site.h"
#include "app/cli/plan_repository.h"
#include "app/cli/progress_line.h"
#include "app/cli/run_site.h"
#include "app/cli/work_directory.h"
#include "base/remove_tree.h"
#include "plan/model/value_access.h"
#include "respond/detect/probe_maker.h"
#include "respond/drill/restore_drill.h"
#include "respond/runbook/step_context.h"

namespace anclora::app {
namespace {

// Where from, what is promised, and whom to ask how far the source is.
struct RestoreSetup {
  std::string repository;
  std::optional<storage::Unlock> unlock;  // nothing: as the command line says
  std::string name;
  respond::DrillObjectives objectives;
  std::optional<redis::RedisUrl> source;
  std::string beacon_key;
};

// The plan's first backup (of a Redis): its repository, source, beacon, and the objectives that a restore must keep.
Status take_from_plan(const CommandContext& context, const plan::Plan& plan, const std::string& environment,
                      RestoreSetup& setup) {
  const auto resolve = [&](std::string_view reference) {
    return respond::resolve_reference(context.files, context.environment, reference);
  };
  const plan::Backup* backup = nullptr;
  const plan::Target* protected_target = nullptr;
  for (const plan::Backup& each : plan.backups) {
    const plan::Target* target = respond::find_target(plan, environment, each.target);
    if (target != nullptr && target->kind == "redis" && backup == nullptr) {
      backup = &each;
      protected_target = target;
    }
  }
  if (backup == nullptr)
    return Error(ErrorKind::kFailedPrecondition, plan.file + " has no backup of a Redis",
                 "add it to backups, or name a repository: anclora drill run restore --repo REPO");
  const plan::Target* repository = respond::find_target(plan, environment, backup->repository);
  if (repository != nullptr) {
    const bool typed = repository_is_typed(context);
    const auto url = resolve(plan::text_of(repository->settings, "url"));
    if (!url && !typed) return url.error();
    setup.repository = choose_repository(context, url ? url->reveal() : "");
    if (!typed) {
      ASSIGN_OR_RETURN(setup.unlock, unlock_target(context, *repository, resolve));
    }
  }
  for (const plan::DataObjective& data : plan.data)
    if (data.id == backup->data) setup.objectives.rpo = data.rpo;
  // A restore serves every scenario: the tightest RTO is what it must keep.
  for (const plan::SeverityObjective& severity : plan.severities)
    if (!setup.objectives.rto || severity.rto < *setup.objectives.rto)
      setup.objectives = {severity.id, severity.rto, severity.rto_max, setup.objectives.rpo};
  if (const plan::Value* beacon = protected_target->settings.find("beacon"))
    setup.beacon_key = plan::text_of(*beacon, "key");
  const respond::PlanLookup lookup{
      [&](std::string_view id) -> const plan::Target& { return *respond::find_target(plan, environment, id); },
      resolve};
  ASSIGN_OR_RETURN(setup.source, respond::redis_url_of(lookup, *protected_target));
  return {};
}

Status take_from_arguments(const DrillArguments& arguments, RestoreSetup& setup) {
  if (!arguments.source.empty()) {
    ASSIGN_OR_RETURN(setup.source, redis::RedisUrl::parse(arguments.source));
  }
  if (!arguments.beacon.empty()) setup.beacon_key = arguments.beacon;
  if (!arguments.rto.empty()) {
    ASSIGN_OR_RETURN(setup.objectives.rto,
                     duration_option("--rto", arguments.rto, std::chrono::milliseconds(1), std::chrono::hours(8784)));
  }
  if (!arguments.rpo.empty()) {
    ASSIGN_OR_RETURN(setup.objectives.rpo,
                     duration_option("--rpo", arguments.rpo, std::chrono::milliseconds(1), std::chrono::days(3660)));
  }
  return {};
}

// From opening the repository on: that is part of what a disaster takes. What fails is in the record.
Status restore_and_measure(const CommandContext& context, const DrillArguments& arguments, const RestoreSetup& setup,
                           const std::string& work_folder, respond::DrillRecord& record) {
  respond::RestoreDrillOptions options;
  options.started = context.clock.mono_now();
  ASSIGN_OR_RETURN(options.when, protect::parse_when(arguments.at));
  options.redis_server = arguments.redis_server;
  options.work_directory = work_folder;
  options.source = setup.source;
  options.beacon_key = setup.beacon_key;
  options.digest = !arguments.no_digest;
  ASSIGN_OR_RETURN(const auto store, context.open_store(setup.repository));
  ASSIGN_OR_RETURN(const storage::Repository repository,
                   setup.unlock ? storage::Repository::open(*store, *setup.unlock) : context.open_repository(*store));
  ASSIGN_OR_RETURN(const std::string source, context.choose_source(*store, arguments.name));
  record.facts["source"] = source;
  ASSIGN_OR_RETURN(const storage::SourceState state, storage::load_source_state(*store, repository, source));
  ProgressLine progress(context.err);
  const protect::RestoreTools tools{context.files, context.clock, context.random, context.dialer, stop_requested};
  const Status ran = run_restore_drill({*store, repository, state}, options, tools, progress.callback(), record);
  progress.finish();
  return ran;
}

// A name that is mistyped is no failed rehearsal. Whatever else is wrong with the repository is one, and recorded.
Status refuse_unknown_source(const CommandContext& context, const std::string& name, const std::string& repository) {
  if (name.empty() || name.starts_with("safety/")) return {};
  RETURN_IF_ERROR(storage::check_source_name(name));
  const auto store = context.open_store(repository);
  if (!store) return {};
  const auto sources = storage::list_sources(**store);
  if (!sources || sources->empty() || std::ranges::find(*sources, name) != sources->end()) return {};
  return Error(ErrorKind::kNotFound, fmt::format("{} holds no source {}", (*store)->describe(), name),
               fmt::format("it holds: {}", fmt::join(*sources, ", ")));
}

}  // namespace

Result<int> run_restore_drill_command(CommandContext& context, const DrillArguments& arguments) {
  RestoreSetup setup;
  setup.repository = context.options.repo;
  std::optional<ReadPlan> read;
  if (!arguments.plan.empty()) {
    ASSIGN_OR_RETURN(read.emplace(), read_plan_file(context, arguments.plan));
    RETURN_IF_ERROR(take_from_plan(context, read->plan, arguments.environment, setup));
  }
  RETURN_IF_ERROR(take_from_arguments(arguments, setup));
  RETURN_IF_ERROR(protect::parse_when(arguments.at));
  RETURN_IF_ERROR(require_work_directory(context.files, arguments.work_directory));
  if (setup.repository.empty())
    return Error(ErrorKind::kInvalidArgument, "from which repository is not said",
                 "anclora drill run restore --repo REPO, or --plan FILE");
  RETURN_IF_ERROR(refuse_unknown_source(context, arguments.name, setup.repository));
  respond::BegunDrill begun = begun_now(context, "restore", read ? &*read : nullptr);
  begun.environment = arguments.environment.empty() ? "scratch" : arguments.environment;
  begun.starter = arguments.contact;
  // From the root on: whoever cleans up after a kill may stand elsewhere.
  ASSIGN_OR_RETURN(const std::string work_directory, context.files.resolve(arguments.work_directory));
  begun.work_folder = work_directory + "/anclora-drill-" + to_hex(context.random.bytes(4));
  ASSIGN_OR_RETURN(const respond::OpenDrill drill,
                   respond::begin_drill(context.files, drills_folder(context), begun,
                                        read ? std::optional(read->bytes) : std::nullopt));
  respond::DrillRecord record = record_of(begun);
  record.objectives = setup.objectives;
  const Status ran = [&]() -> Status {
    RETURN_IF_ERROR(context.files.create_directories(begun.work_folder));
    return restore_and_measure(context, arguments, setup, begun.work_folder, record);
  }();
  if (!ran && record.reasons.empty()) record.reasons.push_back(ran.error().message());
  const Status removed = remove_tree(context.files, begun.work_folder);
  record.cleanup = {removed.has_value(),
                    removed ? "the scratch server and its files are gone" : removed.error().message()};
  if (!removed) record.reasons.push_back("not cleaned up: " + removed.error().message());
  // Figures of a drill that failed before it measured them would only repeat its failure.
  if (record.achieved.rto) respond::judge_objectives(record.objectives, record.achieved, record.reasons);
  ASSIGN_OR_RETURN(const int code, end_drill(context, std::move(record)));
  return ran ? Result<int>(code) : Result<int>(ran.error());
}

}  // namespace anclora::app
