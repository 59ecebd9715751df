#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/copied_command.h"
#include "app/cli/drill_report_command.h"
#include "app/cli/drill_site.h"
#include "app/cli/error_report.h"
#include "app/cli/idle_option.h"
#include "app/cli/incident_arguments.h"
#include "app/cli/json_text.h"
#include "app/view/drill_report.h"
#include "base/secret_file.h"

namespace anclora::app {
namespace {

struct ListArguments {
  std::string plan, id;
};

Result<int> run_drill(CommandContext& context, const DrillArguments& arguments) {
  ASSIGN_OR_RETURN(const std::size_t cleaned, clean_abandoned_drills(context));
  static_cast<void>(cleaned);
  return arguments.scenario == "restore" ? run_restore_drill_command(context, arguments)
                                         : run_scenario_drill_command(context, arguments);
}

Error damage_of(const respond::DrillLedger& ledger) {
  return Error(ErrorKind::kDataLoss,
               fmt::format("the records were changed after they were kept: {}", ledger.damage.front()),
               "compare with a copy; what is shown is what can still be read");
}

Result<respond::DrillLedger> read_ledger(const CommandContext& context) {
  return respond::read_drills(context.files, drills_folder(context));
}

Result<std::vector<respond::ScheduledDrill>> read_schedule(const CommandContext& context, const std::string& plan,
                                                           const respond::DrillLedger& ledger) {
  if (plan.empty()) return std::vector<respond::ScheduledDrill>();
  ASSIGN_OR_RETURN(const ReadPlan read, read_plan_file(context, plan));
  return respond::drill_schedule(read.plan, ledger.records, context.clock.wall_now());
}

Result<int> run_list(CommandContext& context, const ListArguments& arguments) {
  ASSIGN_OR_RETURN(const respond::DrillLedger ledger, read_ledger(context));
  DrillOverview overview{ledger, {}, {}, {}, context.clock.wall_now()};
  ASSIGN_OR_RETURN(const auto running, respond::running_drills(context.files, drills_folder(context)));
  for (const respond::BegunDrill& drill : running) overview.running.push_back(drill.id);
  {
    ASSIGN_OR_RETURN(const auto abandoned, respond::find_abandoned(context.files, drills_folder(context)));
    for (const respond::OpenDrill& drill : abandoned) overview.abandoned.push_back(drill.begun.id);
  }
  ASSIGN_OR_RETURN(overview.schedule, read_schedule(context, arguments.plan, ledger));
  context.out << (context.options.json ? json_text(to_json(overview))
                                       : CopiedCommands(context).complete(to_text(overview)));
  return ledger.damage.empty() ? 0 : print_error(context, damage_of(ledger));
}

Result<int> run_schedule(CommandContext& context, const ListArguments& arguments) {
  ASSIGN_OR_RETURN(const respond::DrillLedger ledger, read_ledger(context));
  ASSIGN_OR_RETURN(const auto schedule, read_schedule(context, arguments.plan, ledger));
  context.out << (context.options.json ? json_text({{"schedule", schedule_json(schedule)}})
                                       : schedule_text(schedule, context.clock.wall_now()));
  return ledger.damage.empty() ? 0 : print_error(context, damage_of(ledger));
}

Result<int> run_show(CommandContext& context, const ListArguments& arguments) {
  ASSIGN_OR_RETURN(const respond::DrillLedger ledger, read_ledger(context));
  ASSIGN_OR_RETURN(const respond::DrillRecord record, choose_drill(ledger, arguments.id));
  context.out << (context.options.json ? json_text(to_json(record, ledger.records)) : to_text(record, ledger.records));
  return ledger.damage.empty() ? 0 : print_error(context, damage_of(ledger));
}

Result<int> run_clean(CommandContext& context) {
  ASSIGN_OR_RETURN(const std::size_t cleaned, clean_abandoned_drills(context));
  if (context.options.json)
    context.out << json_text({{"cleaned", cleaned}});
  else if (cleaned == 0)
    context.out << "no drill was left open\n";
  return cleaned == 0 ? 0 : 1;  // a drill that was left open has not passed
}

Status refuse_idle_options(const CLI::App& run, const std::string& scenario) {
  if (scenario == "restore") return refuse_idle(run, {"--yes", "--unattended", "--clean-within"}, "for a restore");
  return refuse_idle(
      run, {"--name", "--at", "--source", "--beacon", "--rto", "--rpo", "--no-digest", "--redis-server", "--work-dir"},
      "for a scenario", "leave it out; a scenario has its objectives and targets in the plan");
}

void add_run(CLI::App& drill, CommandContext& context) {
  auto arguments = std::make_shared<DrillArguments>();
  CLI::App* run = drill.add_subcommand("run", "rehearse: restore into a throw-away server, or a scenario in a sandbox");
  run->add_option("scenario", arguments->scenario, "a scenario of the plan, or restore")->required();
  run->add_option("--plan", arguments->plan, "the plan file; a restore needs none");
  run->add_option("--on", arguments->environment, "the sandbox: an environment of the plan");
  run->add_option("--as", arguments->contact, "who starts it: a contact's id");
  run->add_flag("--yes", arguments->yes, "answer the approvals, too");
  run->add_flag("--unattended", arguments->unattended,
                "nobody watches: where everything is the sandbox, its Redis servers must say so themselves");
  run->add_option("--clean-within", arguments->clean_within,
                  "stopped in the middle (Ctrl-C, SIGTERM): how long putting the sandbox back may take")
      ->capture_default_str();
  run->add_option("--name", arguments->name, "restore: the source, where the repository holds several");
  run->add_option("--at", arguments->at, "restore: which moment, as anclora restore --at")->capture_default_str();
  run->add_option("--source", arguments->source, "restore: the live source's URL, to measure what it has done since");
  run->add_option("--beacon", arguments->beacon, "restore: the beacon's key");
  run->add_option("--rto", arguments->rto, "restore: fails when it takes longer");
  run->add_option("--rpo", arguments->rpo, "restore: fails when more would be lost");
  run->add_flag("--no-digest", arguments->no_digest, "restore: without the digest, which takes a second load");
  run->add_option("--redis-server", arguments->redis_server, "restore: of the source's kind, its version or later")
      ->capture_default_str();
  run->add_option("--work-dir", arguments->work_directory, "restore: for the scratch server's files")
      ->capture_default_str();
  run->footer(
      "Example: anclora drill run restore --repo /srv/redis-backup --rto 15m --rpo 5m\n"
      "Example: anclora drill run redis-lost --plan plans/local.yaml --on local --yes\n"
      "Exit code: 0 passed, 1 not");
  run->callback([&context, arguments, run] {
    context.action = [&context, arguments, run]() -> Result<int> {
      RETURN_IF_ERROR(refuse_idle_options(*run, arguments->scenario));
      return run_drill(context, *arguments);
    };
  });
}

using Run = Result<int> (*)(CommandContext&, const ListArguments&);

struct Added {
  CLI::App* command;
  std::shared_ptr<ListArguments> arguments;
};

Added add_reading(CLI::App& drill, CommandContext& context, const char* name, const char* help, const char* footer,
                  Run run) {
  auto arguments = std::make_shared<ListArguments>();
  CLI::App* command = drill.add_subcommand(name, help);
  command->footer(footer);
  command->callback(
      [&context, arguments, run] { context.action = [&context, arguments, run] { return run(context, *arguments); }; });
  return {command, arguments};
}

}  // namespace

void add_drill_command(CLI::App& app, CommandContext& context) {
  CLI::App* drill = app.add_subcommand("drill", "rehearse a recovery, measure it, keep the record");
  drill->require_subcommand(1);
  drill->footer("Example: anclora drill run restore --repo /srv/redis-backup");
  add_run(*drill, context);
  const auto list = add_reading(*drill, context, "list", "every drill with its figures and their trend; what is due",
                                "Example: anclora drill list --plan plans/anclora.yaml", run_list);
  list.command->add_option("--plan", list.arguments->plan, "also what the plan's schedule asks for");
  const auto show = add_reading(*drill, context, "show", "one drill: steps, checks, figures beside the objectives",
                                "Example: anclora drill show", run_show);
  show.command->add_option("id", show.arguments->id, "the drill (default: the newest)");
  add_drill_report_command(*drill, context);
  add_drill_entries(*drill, context);
  const auto schedule = add_reading(*drill, context, "schedule", "which drill of the plan is due when",
                                    "Example: anclora drill schedule --plan plans/anclora.yaml", run_schedule);
  schedule.command->add_option("--plan", schedule.arguments->plan, "the plan file")->required();
  CLI::App* clean = drill->add_subcommand("clean", "clean up after drills whose process was killed");
  clean->footer("Example: anclora drill clean\nExit code: 1 where a drill had been left open: it has not passed");
  clean->callback([&context] { context.action = [&context] { return run_clean(context); }; });
}

}  // namespace anclora::app
