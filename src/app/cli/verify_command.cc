#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/command_context.h"
#include "app/cli/error_report.h"
#include "app/cli/json_text.h"
#include "app/cli/not_a_mirror.h"
#include "app/cli/work_directory.h"
#include "app/daemon/local_sightings.h"
#include "protect/restore/scratch_base.h"
#include "protect/verify/repository_verify.h"

namespace anclora::app {
namespace {

struct VerifyArguments {
  std::string name;
  std::string read_data = "100%";
  bool restore = false;
  bool publish_base = false;
  std::string redis_server = "redis-server";
  std::string work_directory = "/tmp";
};

Result<double> parse_percent(std::string_view text) {
  std::string digits(text.ends_with('%') ? text.substr(0, text.size() - 1) : text);
  char* end = nullptr;
  const double percent = std::strtod(digits.c_str(), &end);
  if (digits.empty() || *end != '\0' || !(percent > 0) || percent > 100)
    return Error(ErrorKind::kInvalidArgument,
                 fmt::format("--read-data {}: not a percentage above 0 and up to 100", text),
                 "anclora verify --read-data 5%");
  return percent;
}

nlohmann::ordered_json proof_json(const std::string& source, const protect::ScratchProof& proof) {
  nlohmann::ordered_json checks = nlohmann::ordered_json::array();
  for (const auto& check : proof.checks) checks.push_back({{"name", check.name}, {"result", check.result}});
  nlohmann::ordered_json json = {{"name", source},
                                 {"position", to_string(proof.point.position)},
                                 {"time", format_rfc3339(proof.point.time)},
                                 {"digest", proof.digest},
                                 {"commands", proof.commands},
                                 {"seconds", static_cast<double>(proof.took.count()) / 1e6},
                                 {"checks", std::move(checks)}};
  json["published_base"] = proof.published ? nlohmann::ordered_json(proof.published->name) : nullptr;
  return json;
}

// The newest point of a source, brought up in a scratch server and checked.
Result<protect::ScratchProof> prove_source(const CommandContext& context, storage::AppendStore& store,
                                           const storage::Repository& repository, const std::string& source,
                                           const VerifyArguments& arguments) {
  ASSIGN_OR_RETURN(const auto state, storage::load_source_state(store, repository, source));
  ASSIGN_OR_RETURN(const protect::RecoveryPoint point,
                   protect::resolve({store, repository, state}, protect::WhenLatest{}, context.clock.wall_now()));
  ASSIGN_OR_RETURN(const protect::RestorePlan plan, protect::make_restore_plan(state, point));
  protect::ScratchSettings settings;
  settings.program = arguments.redis_server;
  settings.work_directory = arguments.work_directory;
  return protect::prove_by_scratch({&store, &repository, state, plan.route}, plan,
                                   arguments.publish_base ? &store : nullptr, settings,
                                   {context.files, context.clock, context.random, context.dialer, stop_requested}, {});
}

Result<int> run_verify(const CommandContext& context, const VerifyArguments& arguments) {
  protect::VerifyOptions options;
  ASSIGN_OR_RETURN(options.percent, parse_percent(arguments.read_data));
  if (arguments.publish_base && !arguments.restore)
    return Error(ErrorKind::kInvalidArgument, "--publish-base needs --restore",
                 "anclora verify --restore --publish-base");
  if (!arguments.name.empty() && !arguments.restore)
    return Error(ErrorKind::kInvalidArgument, "--name needs --restore: every source is read",
                 "anclora verify --restore --name " + arguments.name);
  if (arguments.restore) RETURN_IF_ERROR(require_work_directory(context.files, arguments.work_directory));
  ASSIGN_OR_RETURN(const auto store, context.open_store());
  if (arguments.publish_base)
    RETURN_IF_ERROR(require_not_a_mirror(*store, "publish the base in the repository that is mirrored: it is copied"));
  ASSIGN_OR_RETURN(const storage::Repository repository, context.open_repository(*store));
  options.seed = context.random.next_u64();
  ASSIGN_OR_RETURN(const auto all_sources, storage::list_sources(*store));
  options.sightings = local_sightings(context, *store, all_sources);
  ASSIGN_OR_RETURN(protect::VerifyReport report,
                   protect::verify_repository(*store, repository, context.clock, options));

  nlohmann::ordered_json proofs = nlohmann::ordered_json::array();
  std::string text = protect::to_text(report);
  std::optional<Error> unproved;  // the first source that could not be restored here
  if (arguments.restore) {
    std::vector<std::string> sources{arguments.name};
    if (arguments.name.empty()) {
      ASSIGN_OR_RETURN(sources, storage::list_sources(*store));
    }
    for (const std::string& source : sources) {
      auto proof = prove_source(context, *store, repository, source, arguments);
      if (!proof) {
        const Error error = proof.error().with_context("restore of " + source);
        // A matter of the scratch server: what was read still counts.
        if (error.kind() == ErrorKind::kFailedPrecondition) {
          if (!unproved) unproved = error;
          continue;
        }
        if (error.kind() != ErrorKind::kDataLoss) return error;
        report.add_bad("sources/" + source, proof.error().message(), proof.error().hint());
        continue;
      }
      text += fmt::format("restored {} at {} in a scratch server: {} ({})\n", source, to_string(proof->point.position),
                          proof->digest, format_duration(proof->took));
      for (const auto& check : proof->checks) text += fmt::format("  {}: {}\n", check.name, check.result);
      if (!proof->doubt.empty()) context.err << "note: " << proof->doubt << "\n";
      proofs.push_back(proof_json(source, *proof));
    }
  }
  if (unproved) {
    context.err << "note: this verification is not recorded: not every source was restored\n";
  } else if (const auto noted = protect::write_verify_record(*store, repository, report, context.random);
             !noted.has_value()) {
    // A read-only copy can be proved too, and one on a full disk; that it was, is then not kept in it.
    const ErrorKind why = noted.error().kind();
    if (why != ErrorKind::kPermissionDenied && why != ErrorKind::kResourceExhausted) return noted.error();
    context.err << "note: this verification is not recorded: " << noted.error().message() << "\n";
  }
  if (context.options.json) {
    nlohmann::ordered_json json = nlohmann::ordered_json::parse(protect::to_json(report));
    json["restores"] = std::move(proofs);
    context.out << json_text(json);
  } else {
    context.out << text;
  }
  if (report.ok() && unproved) return print_error(context, *unproved);
  if (report.ok()) return 0;
  return print_error(
      context, Error(ErrorKind::kDataLoss, fmt::format("{} objects are not what they should be", report.bad_count),
                     "the report names each with what to do; a mirror or an older base may still hold what is lost"));
}

}  // namespace

void add_verify_command(CLI::App& app, CommandContext& context) {
  auto arguments = std::make_shared<VerifyArguments>();
  CLI::App* command = app.add_subcommand("verify", "read the repository and prove that it still says what was written");
  command->add_option("--read-data", arguments->read_data, "how much to read")->capture_default_str();
  command->add_flag("--restore", arguments->restore,
                    "also bring the newest point up in a scratch redis-server and check it");
  command->add_flag("--publish-base", arguments->publish_base, "with --restore: keep it as a new base");
  command->add_option("--name", arguments->name, "with --restore: one source (default: all)");
  command
      ->add_option(
          "--redis-server", arguments->redis_server,
          "of the source's kind, its version or later; with --publish-base of its version, which has to load it")
      ->capture_default_str();
  command->add_option("--work-dir", arguments->work_directory, "for the scratch server's files")->capture_default_str();
  command->footer("Example: anclora verify --restore --repo /srv/redis-backup");
  command->callback(
      [&context, arguments] { context.action = [&context, arguments] { return run_verify(context, *arguments); }; });
}

}  // namespace anclora::app
