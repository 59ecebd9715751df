#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/command_context.h"
#include "app/cli/copied_command.h"
#include "app/cli/idle_option.h"
#include "app/cli/inside_repository.h"
#include "app/cli/json_text.h"
#include "app/cli/progress_line.h"
#include "app/cli/redis_url_option.h"
#include "app/cli/work_directory.h"
#include "app/daemon/state_folder.h"
#include "app/view/source_report.h"
#include "protect/restore/directory_target.h"
#include "protect/restore/leftover.h"
#include "protect/restore/live_target.h"
#include "protect/restore/rdb_target.h"
#include "protect/restore/side_data.h"
#include "storage/store/store_url.h"

namespace anclora::app {
namespace {

struct RestoreArguments {
  std::string name, at = "latest";
  RedisUrlOption to;
  std::string listen, announce;
  std::string listen_certificate, listen_key;
  bool replace = false, dry_run = false, undo = false, ignore_key_counts = false;
  std::string redis_server = "redis-server", work_directory = "/tmp";
};

// Everything about the restore but its target.
struct Prepared {
  storage::Store& store;
  const storage::Repository& repository;
  storage::SourceState state;
  protect::RestorePlan plan;
  protect::RestoreInput input() const { return {&store, &repository, state, plan.route}; }
};

// "host:port", ":port" or "host".
Result<std::optional<Endpoint>> parse_endpoint(const std::string& text, const char* option) {
  if (text.empty()) return std::optional<Endpoint>();
  const auto url = redis::RedisUrl::parse("redis://" + (text.starts_with(':') ? "0.0.0.0" + text : text));
  if (!url || url->endpoint.host.empty())
    return Error(ErrorKind::kInvalidArgument, fmt::format("{} {}: no address", option, text), "write it as HOST:PORT");
  return std::optional<Endpoint>(url->endpoint);
}

protect::ScratchSettings scratch_settings(const RestoreArguments& arguments) {
  protect::ScratchSettings settings;
  settings.program = arguments.redis_server;
  settings.work_directory = arguments.work_directory;
  return settings;
}

nlohmann::ordered_json findings_json(const std::vector<protect::PreflightFinding>& findings) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& finding : findings)
    list.push_back({{"fatal", finding.fatal}, {"what", finding.what}, {"fix", finding.fix}});
  return list;
}

protect::RestoreTools restore_tools(const CommandContext& context) {
  return {context.files, context.clock, context.random, context.dialer, stop_requested};
}

Result<protect::LiveTargetOptions> live_options(const CommandContext& context, const RestoreArguments& arguments,
                                                storage::Store& store) {
  protect::LiveTargetOptions options;
  ASSIGN_OR_RETURN(options.target, arguments.to.parse(context));
  ASSIGN_OR_RETURN(options.listen, parse_endpoint(arguments.listen, "--listen"));
  ASSIGN_OR_RETURN(options.announce, parse_endpoint(arguments.announce, "--announce"));
  if (!arguments.listen_certificate.empty())
    options.listen_tls = TlsOptions{{}, arguments.listen_certificate, arguments.listen_key, {}};
  options.replace = arguments.replace;
  options.compare_keys = !arguments.ignore_key_counts;
  options.safety = &store;
  options.work_directory = arguments.work_directory;
  options.record_folder = target_record_folder(context.environment);
  return options;
}

Result<int> restore_live(const CommandContext& context, const RestoreArguments& arguments, const Prepared& prepared) {
  ASSIGN_OR_RETURN(const protect::LiveTargetOptions options, live_options(context, arguments, prepared.store));
  const auto warn = [&context](const std::string& text) { context.err << "warning: " << text << "\n"; };
  ASSIGN_OR_RETURN(const std::string side,
                   protect::side_data_of(prepared.store, prepared.repository, prepared.plan, warn));
  const protect::TargetNeeds needs = protect::needs_of(prepared.plan, side);
  if (arguments.dry_run) {
    ProgressLine looking(context.err);
    ASSIGN_OR_RETURN(const auto findings, protect::preflight_live(prepared.input(), needs, options, context.dialer,
                                                                  restore_tools(context), looking.callback()));
    looking.finish();
    if (context.options.json) {
      nlohmann::ordered_json json = nlohmann::ordered_json::parse(protect::to_json(prepared.plan));
      json["target"] = options.target.to_string();
      json["findings"] = findings_json(findings);
      context.out << json_text(json);
    } else {
      for (const auto& finding : findings)
        context.out << fmt::format("{}  {}\n         fix: {}\n", finding.fatal ? "refused" : "warning", finding.what,
                                   finding.fix);
    }
    return protect::refuse_if_fatal(findings, options.target.to_string())
               ? Result<int>(0)
               : Result<int>(exit_code(ErrorKind::kFailedPrecondition));
  }
  ProgressLine progress(context.err);
  ASSIGN_OR_RETURN(protect::RestoreOutcome outcome,
                   protect::restore_to_live(prepared.input(), prepared.plan, needs, options, context.dialer,
                                            restore_tools(context), progress.callback()));
  progress.finish();
  outcome.safety_command = CopiedCommands(context).complete(std::move(outcome.safety_command));
  context.out << (context.options.json ? protect::to_json(outcome) : protect::to_text(outcome)) << "\n";
  return 0;
}

// What a directory and a file tell alike, by the names that a live target uses. Nobody counts commands for them.
nlohmann::ordered_json outcome_json(const Prepared& prepared, const std::string& target, Duration took,
                                    const std::vector<std::string>& notes) {
  const protect::Distance& distance = prepared.plan.distance;
  return {{"target", target},
          {"position", to_string(prepared.plan.point.position)},
          {"time", format_rfc3339(prepared.plan.point.time)},
          {"rpo_seconds", static_cast<double>(distance.behind.count()) / 1e6},
          {"rpo_bytes", distance.bytes},
          {"rpo_commands", nullptr},
          {"newest_position", to_string(distance.newest)},
          {"seconds", static_cast<double>(took.count()) / 1e6},
          {"warnings", notes}};
}

void print_notes(const CommandContext& context, const std::vector<std::string>& notes) {
  for (const std::string& note : notes) context.err << "note: " << note << "\n";
}

Result<int> restore_directory(const CommandContext& context, const std::string& path, const Prepared& prepared) {
  const MonoTime started = context.clock.mono_now();
  ProgressLine progress(context.err);
  ASSIGN_OR_RETURN(const auto outcome, protect::restore_to_directory(prepared.input(), context.files, context.random,
                                                                     path, progress.callback()));
  progress.finish();
  print_notes(context, outcome.notes);
  const Duration took = context.clock.mono_now() - started;
  if (context.options.json) {
    nlohmann::ordered_json json = outcome_json(prepared, "dir:" + path, took, outcome.notes);
    json["base_bytes"] = outcome.base_bytes;
    json["increment_bytes"] = outcome.increment_bytes;
    json["commands"] = outcome.commands;
    context.out << json_text(json);
  } else {
    context.out << fmt::format(
        "restored {} ({}) to {} in {}\nstart it with redis-server 7.0 or later: redis-server --dir {} --appendonly "
        "yes\n",
        to_string(prepared.plan.point.position), format_rfc3339(prepared.plan.point.time), path, format_duration(took),
        path);
  }
  return 0;
}

// rdb:s3://bucket/prefix/name.rdb is put there once the file is whole.
Result<protect::RdbDestination> rdb_destination(const CommandContext& context, const std::string& target) {
  protect::RdbDestination destination;
  destination.path = target;
  if (!target.starts_with("s3://")) return destination;
  const std::size_t slash = target.rfind('/');
  const std::string name = target.substr(slash + 1);
  if (slash < std::string("s3://b").size() || name.empty())
    return Error(ErrorKind::kInvalidArgument, "rdb:" + target + ": no object name",
                 "write rdb:s3://bucket/folder/name.rdb");
  destination.upload = [&context, target, slash, name](const std::string& file) -> Status {
    ASSIGN_OR_RETURN(const auto store, context.open_store(target.substr(0, slash)));
    ASSIGN_OR_RETURN(const auto body, storage::file_body(context.files, file));
    ASSIGN_OR_RETURN(const storage::PutOutcome outcome, store->put_if_absent(name, *body));
    if (outcome == storage::PutOutcome::kExists)
      return Error(ErrorKind::kAlreadyExists, target + " is there already", "choose another name");
    return {};
  };
  return destination;
}

Result<int> restore_rdb(const CommandContext& context, const std::string& target, const RestoreArguments& arguments,
                        const Prepared& prepared) {
  ASSIGN_OR_RETURN(const protect::RdbDestination destination, rdb_destination(context, target));
  const MonoTime started = context.clock.mono_now();
  ProgressLine progress(context.err);
  ASSIGN_OR_RETURN(const auto outcome,
                   protect::restore_to_rdb(prepared.input(), prepared.plan, destination, scratch_settings(arguments),
                                           restore_tools(context), progress.callback()));
  progress.finish();
  print_notes(context, outcome.notes);
  const Duration took = context.clock.mono_now() - started;
  if (context.options.json) {
    nlohmann::ordered_json json = outcome_json(prepared, "rdb:" + target, took, outcome.notes);
    json["rdb_bytes"] = outcome.rdb_bytes;
    json["rdb_version"] = outcome.rdb_version;
    json["scratch_server"] = outcome.scratch_server;
    context.out << json_text(json);
  } else {
    context.out << fmt::format("restored {} ({}) to {}: {}, RDB version {}, in {}\n",
                               to_string(prepared.plan.point.position), format_rfc3339(prepared.plan.point.time),
                               target, format_size(outcome.rdb_bytes), outcome.rdb_version, format_duration(took));
  }
  return 0;
}

Result<int> dispatch(const CommandContext& context, const RestoreArguments& arguments, Prepared& prepared) {
  const std::string& to = arguments.to.url;
  const bool directory = to.starts_with("dir:");
  const bool rdb = to.starts_with("rdb:");
  if (rdb) prepared.plan.scratch_server = protect::rdb_needs_scratch(prepared.plan);
  if (directory) RETURN_IF_ERROR(protect::require_free_directory(context.files, to.substr(4)));
  if (rdb && !to.starts_with("rdb:s3://")) RETURN_IF_ERROR(protect::require_free_file(context.files, to.substr(4)));
  if (!context.options.json) context.out << protect::to_text(prepared.plan) << std::flush;
  if (!directory && !rdb) return restore_live(context, arguments, prepared);
  if (arguments.dry_run) {
    if (context.options.json) context.out << protect::to_json(prepared.plan) << "\n";
    return 0;
  }
  return directory ? restore_directory(context, to.substr(4), prepared)
                   : restore_rdb(context, to.substr(4), arguments, prepared);
}

Status check_target_form(const std::string& to) {
  // As a path, dir:s3://bucket/x would be a folder named s3: right here.
  const bool path = (to.starts_with("dir:") || to.starts_with("rdb:")) && !to.starts_with("rdb:s3://");
  if (path && to.find("://") != std::string::npos && to[4] != '/')
    return Error(ErrorKind::kInvalidArgument, fmt::format("--to {}: {} takes a path, not a URL", to, to.substr(0, 4)),
                 "write dir:/path, rdb:/path/name.rdb, or rdb:s3://bucket/name.rdb for an RDB file in S3");
  for (const char* form : {"redis://", "rediss://", "unix://", "dir:", "rdb:"})
    if (to.starts_with(form) && to.size() > std::string_view(form).size()) return {};
  return Error(ErrorKind::kInvalidArgument, fmt::format("--to {}: not a target", to),
               "write redis://HOST:PORT, dir:PATH, rdb:PATH or rdb:s3://bucket/name.rdb");
}

Status refuse_idle_options(const CLI::App& command, const RestoreArguments& arguments) {
  const std::string& to = arguments.to.url;
  const std::vector<std::string> of_the_link = {"--ignore-key-counts", "--listen", "--announce",
                                                "--listen-tls-cert-file", "--listen-tls-key-file"};
  if (arguments.undo) {
    RETURN_IF_ERROR(refuse_idle(command, of_the_link, "with --undo"));
    return refuse_idle(command, {"--at", "--name", "--redis-server", "--work-dir"}, "with --undo");
  }
  const bool rdb = to.starts_with("rdb:");
  if (!rdb) RETURN_IF_ERROR(refuse_idle(command, {"--redis-server"}, "but for an rdb: target"));
  if (!rdb && !to.starts_with("dir:")) return {};
  const std::string why = fmt::format("for {}", to);
  RETURN_IF_ERROR(refuse_idle(command, {"--replace"}, why,
                              "files are never replaced: name another path, or move away what is there"));
  if (!rdb) RETURN_IF_ERROR(refuse_idle(command, {"--work-dir"}, why));
  RETURN_IF_ERROR(refuse_idle(command, of_the_link, why));
  return refuse_idle(command,
                     {"--target-password-file", "--target-tls-ca-file", "--target-tls-cert-file",
                      "--target-tls-key-file", "--target-tls-server-name"},
                     why);
}

Result<int> run_undo(const CommandContext& context, const RestoreArguments& arguments) {
  ASSIGN_OR_RETURN(const redis::RedisUrl target, arguments.to.parse(context));
  ASSIGN_OR_RETURN(const protect::UndoneRestore undone,
                   protect::undo_restore(target, target_record_folder(context.environment), restore_tools(context)));
  context.out << (context.options.json ? protect::to_json(undone) + "\n" : protect::to_text(undone));
  return 0;
}

Result<int> run_restore(const CommandContext& context, const RestoreArguments& arguments) {
  ASSIGN_OR_RETURN(const protect::When when, protect::parse_when(arguments.at));
  if (arguments.to.url.starts_with("dir:") || arguments.to.url.starts_with("rdb:"))
    RETURN_IF_ERROR(
        refuse_inside_repository(context.files, arguments.to.url.substr(4), "restore to a place of its own"));
  if (!arguments.to.url.starts_with("dir:"))
    RETURN_IF_ERROR(require_work_directory(context.files, arguments.work_directory));
  ASSIGN_OR_RETURN(const auto store, context.open_store());
  ASSIGN_OR_RETURN(const storage::Repository repository, context.open_repository(*store));
  ASSIGN_OR_RETURN(const std::string source, context.choose_source(*store, arguments.name));
  ASSIGN_OR_RETURN(storage::SourceState state,
                   storage::load_source_state(*store, repository, source, storage::DamagedTail::kStepBack));
  if (!context.options.json) context.err << to_text(damaged_objects(state));
  ASSIGN_OR_RETURN(const protect::RecoveryPoint point,
                   protect::resolve({*store, repository, state}, when, context.clock.wall_now()));
  ASSIGN_OR_RETURN(protect::RestorePlan plan, protect::make_restore_plan(state, point));
  Prepared prepared{*store, repository, std::move(state), std::move(plan)};
  return dispatch(context, arguments, prepared);
}

}  // namespace

void add_restore_command(CLI::App& app, CommandContext& context) {
  auto arguments = std::make_shared<RestoreArguments>();
  CLI::App* command = app.add_subcommand("restore", "bring a Redis back to any moment, to the exact command");
  command->add_option("--at", arguments->at, "latest | RFC 3339 time | 5m ago | offset:[T/]N | before:[T/]N | tag:NAME")
      ->capture_default_str();
  command->add_option("--to", arguments->to.url, "redis://HOST:PORT | dir:PATH | rdb:PATH | rdb:s3://bucket/name.rdb")
      ->required();
  command->add_option("--name", arguments->name, "the source, where the repository holds several");
  CLI::Option* replace = command->add_flag("--replace", arguments->replace,
                                           "a target that holds data: take a safety copy of it, then replace it");
  CLI::Option* dry_run =
      command->add_flag("--dry-run", arguments->dry_run, "print the plan and what pre-flight finds, change nothing");
  command
      ->add_flag("--undo", arguments->undo,
                 "only undo what an interrupted restore left on the target: its role and settings; needs no --repo")
      ->excludes(replace)
      ->excludes(dry_run);
  command->add_flag("--ignore-key-counts", arguments->ignore_key_counts,
                    "promote a live target though it does not hold as many keys as the source counted");
  command->add_option("--listen", arguments->listen, "HOST:PORT where the target can reach us (default: chosen)");
  command->add_option("--announce", arguments->announce, "HOST:PORT that the target is told instead (behind a NAT)");
  command->add_option("--listen-tls-cert-file", arguments->listen_certificate,
                      "for a target with tls-replication: our certificate");
  command->add_option("--listen-tls-key-file", arguments->listen_key, "and its key");
  command
      ->add_option("--redis-server", arguments->redis_server,
                   "for rdb: targets, of the source's kind, its version or later")
      ->capture_default_str();
  command->add_option("--work-dir", arguments->work_directory, "for temporary files")->capture_default_str();
  arguments->to.add_to(*command, "target-");
  command->footer("Example: anclora restore --at before:1/48211 --to redis://127.0.0.1:6380 --repo /srv/redis-backup");
  command->callback([&context, arguments, command] {
    context.action = [&context, arguments, command]() -> Result<int> {
      RETURN_IF_ERROR(check_target_form(arguments->to.url));
      RETURN_IF_ERROR(refuse_idle_options(*command, *arguments));
      return arguments->undo ? run_undo(context, *arguments) : run_restore(context, *arguments);
    };
  });
}

}  // namespace anclora::app
