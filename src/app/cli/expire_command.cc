#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/bounded_option.h"
#include "app/cli/command_context.h"
#include "app/cli/json_text.h"
#include "app/cli/work_directory.h"
#include "protect/restore/restore_route.h"
#include "protect/restore/scratch_base.h"
#include "protect/restore/stream_boundary.h"
#include "protect/restore/when.h"
#include "storage/repository/expire.h"
#include "storage/repository/mirror.h"
#include "storage/repository/retire.h"

namespace anclora::app {
namespace {

struct ExpireArguments {
  std::string name;
  bool dry_run = false;
  std::string every_moment = "7d", hourly = "48h", daily = "7d", weekly = "28d";
  std::string grace = "24h", grace_packed = "1h";
  std::string redis_server = "redis-server";
  std::string work_directory = "/tmp";
};

// Zero: nothing is kept, or no grace.
Result<Duration> parse_keep(std::string_view option, const std::string& text) {
  return duration_option(option, text, Duration::zero(), protect::kLongestAgo);
}

Result<storage::RetentionPolicy> policy_of(const ExpireArguments& arguments) {
  storage::RetentionPolicy policy;
  ASSIGN_OR_RETURN(policy.every_moment, parse_keep("--keep-every-moment", arguments.every_moment));
  ASSIGN_OR_RETURN(policy.hourly, parse_keep("--keep-hourly", arguments.hourly));
  ASSIGN_OR_RETURN(policy.daily, parse_keep("--keep-daily", arguments.daily));
  ASSIGN_OR_RETURN(policy.weekly, parse_keep("--keep-weekly", arguments.weekly));
  return policy;
}

Result<storage::ExpireGrace> grace_of(const ExpireArguments& arguments) {
  storage::ExpireGrace grace;
  ASSIGN_OR_RETURN(grace.retired, parse_keep("--grace", arguments.grace));
  ASSIGN_OR_RETURN(grace.packed_entries, parse_keep("--grace-packed", arguments.grace_packed));
  return grace;
}

struct Opened {
  storage::Store& store;
  const storage::Repository& repository;
  std::string source;
};

// By the store's own clock; a look needs no right to write there.
Result<WallTime> time_now(const CommandContext& context, storage::Store& store, bool dry_run) {
  return dry_run ? storage::time_for_reading(store, context.clock) : store.now();
}

Result<storage::RetentionPlan> plan_at(const Opened& opened, const storage::RetentionPolicy& policy, WallTime now) {
  ASSIGN_OR_RETURN(const auto state, storage::load_source_state(opened.store, opened.repository, opened.source));
  ASSIGN_OR_RETURN(const auto pins, storage::list_pins(opened.store, opened.repository, opened.source));
  return storage::plan_retention(state, pins, policy, now);
}

// A base exactly at a kept point, so that its stream may go.
Status make_base(const CommandContext& context, const Opened& opened, const storage::KeptPoint& point,
                 const ExpireArguments& arguments) {
  ASSIGN_OR_RETURN(const auto state, storage::load_source_state(opened.store, opened.repository, opened.source));
  // The end of a pack may lie inside a transaction; then the point just before it is kept.
  const redis::Offset newest = protect::newest_offset(state, point.position.timeline).value_or(point.position.offset);
  ASSIGN_OR_RETURN(const protect::BoundarySearch cut,
                   protect::find_boundaries({opened.store, opened.repository, state}, point.position, newest));
  const protect::RecoveryPoint recovery{
      {point.position.timeline, cut.at_or_before}, point.time, protect::Exactness::kExact};
  ASSIGN_OR_RETURN(const protect::RestorePlan plan, protect::make_restore_plan(state, recovery));
  protect::ScratchSettings settings;
  settings.program = arguments.redis_server;
  settings.work_directory = arguments.work_directory;
  protect::RestoreInput input{&opened.store, &opened.repository, state, plan.route};
  auto proof =
      protect::prove_by_scratch(std::move(input), plan, &opened.store, settings,
                                {context.files, context.clock, context.random, context.dialer, stop_requested}, {});
  if (!proof)
    return proof.error().with_context(fmt::format("a base at {} ({})", to_string(point.position), point.reason));
  if (!proof->doubt.empty()) context.err << "note: " << proof->doubt << "\n";
  return {};
}

// `of_policy`: nothing on a mirror.
nlohmann::ordered_json plan_json(const std::optional<storage::RetentionPlan>& of_policy,
                                 const storage::DeletionPlan& deletions) {
  const storage::RetentionPlan plan = of_policy.value_or(storage::RetentionPlan());
  nlohmann::ordered_json points = nlohmann::ordered_json::array();
  for (const storage::KeptPoint& point : plan.points)
    points.push_back({{"position", to_string(point.position)},
                      {"time", format_rfc3339(point.time)},
                      {"reason", point.reason},
                      {"base", point.base}});
  nlohmann::ordered_json delete_list = nlohmann::ordered_json::array();
  for (const auto& item : deletions.items) delete_list.push_back({{"object", item.object}, {"reason", item.reason}});
  return {{"every_moment_from", of_policy ? nlohmann::ordered_json(format_rfc3339(plan.every_moment_from))
                                          : nlohmann::ordered_json(nullptr)},
          {"kept_points", std::move(points)},
          {"bases_to_make", plan.bases_to_make.size()},
          {"retire_bases", plan.retire_bases.size()},
          {"retire_packs", plan.retire_packs.size()},
          {"retire_timelines", plan.retire_timelines.size()},
          {"bytes_retired", plan.bytes_freed},
          {"delete_now", std::move(delete_list)},
          {"bytes_deleted_now", deletions.bytes}};
}

void print_plan(const CommandContext& context, const storage::RetentionPlan& plan) {
  for (const std::string& line : plan.explanations) context.out << "  kept     " << line << "\n";
  for (const storage::KeptPoint& point : plan.bases_to_make)
    context.out << fmt::format("  make     a base at {} ({})\n", to_string(point.position), point.reason);
  context.out << fmt::format("  retire   {} bases, {} packs, {} timelines: {} after the grace\n",
                             plan.retire_bases.size(), plan.retire_packs.size(), plan.retire_timelines.size(),
                             format_size(plan.bytes_freed));
}

void print_expired(const CommandContext& context, const std::string& source,
                   const std::optional<storage::RetentionPlan>& plan, const storage::DeletionPlan& deletions) {
  context.out << fmt::format("source {}\n", source);
  if (plan)
    print_plan(context, *plan);
  else
    context.out << "  kept     what its source keeps: this is a mirror\n";
  context.out << fmt::format("  delete   {} objects now: {}\n", deletions.items.size(), format_size(deletions.bytes));
}

// Checkpoints that are damaged: one that makes up for them is written. True when it was; then nothing is deleted by
// this run, so that whoever reads the lines can look first.
Result<bool> mend_checkpoints(const CommandContext& context, const Opened& opened, bool may_write) {
  ASSIGN_OR_RETURN(const auto state, storage::load_source_state(opened.store, opened.repository, opened.source));
  if (state.damaged_checkpoints.empty()) return false;
  for (const storage::DamagedObject& damaged : state.damaged_checkpoints)
    context.err << fmt::format("damaged: {}: {}\n", damaged.object, damaged.problem);
  if (!may_write)
    return Error(ErrorKind::kDataLoss, "nothing is deleted while a checkpoint is damaged",
                 "run anclora expire on the repository that capture writes to: it makes up for the damaged checkpoint");
  ASSIGN_OR_RETURN(const std::uint64_t ordinal,
                   storage::write_checkpoint(opened.store, opened.repository, opened.source, {}, context.clock,
                                             context.random, true));
  context.err << fmt::format("checkpoint {} makes up for what is damaged; nothing is deleted this time\n", ordinal);
  return true;
}

// What the policy keeps and lets go; unless it is a dry run, that is let go of.
Result<storage::RetentionPlan> retain(const CommandContext& context, const Opened& opened,
                                      const ExpireArguments& arguments, const storage::RetentionPolicy& policy) {
  ASSIGN_OR_RETURN(const WallTime now, time_now(context, opened.store, arguments.dry_run));
  ASSIGN_OR_RETURN(storage::RetentionPlan plan, plan_at(opened, policy, now));
  if (arguments.dry_run) return plan;
  for (const storage::KeptPoint& point : plan.bases_to_make)
    RETURN_IF_ERROR(make_base(context, opened, point, arguments));
  ASSIGN_OR_RETURN(
      const storage::MarkedRetention marked,
      storage::mark_retention(opened.store, opened.repository, opened.source, policy, context.clock, context.random));
  return storage::retire_marked(opened.store, opened.repository, opened.source, policy, marked, context.clock,
                                context.random);
}

// A mirror's chain is its source's: there, only what the source retired is deleted.
Result<nlohmann::ordered_json> expire_source(const CommandContext& context, const Opened& opened, bool mirror,
                                             const ExpireArguments& arguments, const storage::RetentionPolicy& policy,
                                             const storage::ExpireGrace& grace) {
  ASSIGN_OR_RETURN(const bool mended, mend_checkpoints(context, opened, !arguments.dry_run && !mirror));
  std::optional<storage::RetentionPlan> plan;
  if (!mirror) {
    ASSIGN_OR_RETURN(plan, retain(context, opened, arguments, policy));
  }
  ASSIGN_OR_RETURN(const WallTime now, time_now(context, opened.store, arguments.dry_run));
  ASSIGN_OR_RETURN(storage::DeletionPlan deletions,
                   storage::plan_deletions(opened.store, opened.repository, opened.source, grace, now));
  if (mended) deletions = {};
  if (!context.options.json) print_expired(context, opened.source, plan, deletions);
  nlohmann::ordered_json json = plan_json(plan, deletions);
  json["name"] = opened.source;
  if (arguments.dry_run) return json;
  RETURN_IF_ERROR(storage::execute_deletions(opened.store, opened.repository, opened.source, deletions, grace));
  if (mirror) return json;
  ASSIGN_OR_RETURN(const storage::CheckpointDelta gone,
                   storage::forget_deleted(opened.store, opened.repository, opened.source));
  if (!gone.empty())
    RETURN_IF_ERROR(
        storage::write_checkpoint(opened.store, opened.repository, opened.source, gone, context.clock, context.random));
  return json;
}

// Copies of replaced targets, once their 30 days are over. The pin goes last: until then the rest is found again.
Result<std::uint64_t> expire_safety_copies(const CommandContext& context, storage::Store& store,
                                           const storage::Repository& repository, const ExpireArguments& arguments,
                                           const storage::ExpireGrace& grace) {
  ASSIGN_OR_RETURN(const std::vector<std::string> copies, storage::list_safety_copies(store));
  ASSIGN_OR_RETURN(const WallTime now, time_now(context, store, arguments.dry_run));
  std::uint64_t bytes = 0;
  for (const std::string& copy : copies) {
    ASSIGN_OR_RETURN(storage::DeletionPlan plan, storage::plan_safety_deletions(store, repository, copy, grace, now));
    if (plan.items.empty()) continue;
    bytes += plan.bytes;
    if (!context.options.json) context.out << fmt::format("{}: delete, its time is over\n", copy);
    if (arguments.dry_run) continue;
    std::ranges::stable_partition(plan.items,
                                  [](const auto& item) { return item.object.find("/pin/") == std::string::npos; });
    for (const auto& item : plan.items) RETURN_IF_ERROR(store.remove(item.object));
  }
  return bytes;
}

Result<int> run_expire(const CommandContext& context, const ExpireArguments& arguments) {
  ASSIGN_OR_RETURN(const storage::RetentionPolicy policy, policy_of(arguments));
  ASSIGN_OR_RETURN(const storage::ExpireGrace grace, grace_of(arguments));
  if (!arguments.dry_run) RETURN_IF_ERROR(require_work_directory(context.files, arguments.work_directory));
  ASSIGN_OR_RETURN(const auto store, context.open_store());
  ASSIGN_OR_RETURN(const storage::Repository repository, context.open_repository(*store));
  ASSIGN_OR_RETURN(const storage::MirrorRole role, storage::mirror_role(*store));
  std::vector<std::string> sources;
  if (arguments.name.empty()) {
    ASSIGN_OR_RETURN(sources, storage::list_sources(*store));
  } else {
    ASSIGN_OR_RETURN(std::string source, context.choose_source(*store, arguments.name));
    sources.push_back(std::move(source));
  }
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const std::string& source : sources) {
    ASSIGN_OR_RETURN(nlohmann::ordered_json json,
                     expire_source(context, {*store, repository, source}, role == storage::MirrorRole::kMirror,
                                   arguments, policy, grace));
    list.push_back(std::move(json));
  }
  std::uint64_t safety_bytes = 0;
  if (arguments.name.empty()) {
    ASSIGN_OR_RETURN(safety_bytes, expire_safety_copies(context, *store, repository, arguments, grace));
  }
  if (!arguments.dry_run) {
    // What a put that was cut short left behind in a folder; a day old, so that no put is still at it.
    ASSIGN_OR_RETURN(const std::uint64_t swept, store->sweep(std::chrono::hours(24)));
    if (swept > 0 && !context.options.json) context.out << fmt::format("swept {} temporary files\n", swept);
  }
  if (context.options.json) {
    const nlohmann::ordered_json json = {
        {"dry_run", arguments.dry_run}, {"safety_bytes_deleted", safety_bytes}, {"sources", std::move(list)}};
    context.out << json_text(json);
  }
  return 0;
}

}  // namespace

void add_expire_command(CLI::App& app, CommandContext& context) {
  auto arguments = std::make_shared<ExpireArguments>();
  CLI::App* command = app.add_subcommand("expire", "let go what the policy no longer keeps; needs the right to delete");
  command->add_option("--keep-every-moment", arguments->every_moment, "every moment of the last")
      ->capture_default_str();
  command->add_option("--keep-hourly", arguments->hourly, "a point an hour of the last")->capture_default_str();
  command->add_option("--keep-daily", arguments->daily, "a point a day of the last")->capture_default_str();
  command->add_option("--keep-weekly", arguments->weekly, "a point a week of the last")->capture_default_str();
  command->add_option("--grace", arguments->grace, "between retiring and deleting")->capture_default_str();
  command
      ->add_option("--grace-packed", arguments->grace_packed,
                   "before log entries that a pack holds are deleted (11m at least, unless capture was stopped)")
      ->capture_default_str();
  command->add_flag("--dry-run", arguments->dry_run, "print the plan, change nothing");
  command->add_option("--name", arguments->name, "one source (default: all)");
  command
      ->add_option("--redis-server", arguments->redis_server,
                   "for bases at kept points: of the source's kind and version, which has to load them")
      ->capture_default_str();
  command->add_option("--work-dir", arguments->work_directory, "for the scratch server's files")->capture_default_str();
  command->footer("Example: anclora expire --dry-run --repo /srv/redis-backup");
  command->callback(
      [&context, arguments] { context.action = [&context, arguments] { return run_expire(context, *arguments); }; });
}

}  // namespace anclora::app
