#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/copied_command.h"
#include "app/cli/drill_site.h"
#include "app/cli/incident_arguments.h"
#include "app/cli/incident_site.h"
#include "app/cli/json_text.h"
#include "app/cli/run_site.h"
#include "app/view/incident_view.h"
#include "app/view/run_report.h"
#include "plan/lint/plan_lookup.h"

namespace anclora::app {
namespace {

using Arguments = IncidentArguments;

RunLine run_line(const CommandContext& context, const std::string& run) {
  const auto stored = read_run(context, run);
  if (!stored) return {run, "unreadable", ""};
  const RunReport report{stored->plan, stored->run, stored->state, stored->has_runner, context.clock.wall_now()};
  return {run, run_state_text(report), next_command(report)};
}

Result<int> list(CommandContext& context) {
  const std::string root = incidents_folder(context);
  ASSIGN_OR_RETURN(const auto ids, respond::list_incidents(context.files, root));
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  std::string text;
  std::optional<Error> damage;
  for (const std::string& id : ids) {
    const auto content = respond::read_incident(context.files, fmt::format("{}/{}", root, id));
    if (!content && content.error().kind() == ErrorKind::kNotFound) continue;  // its opening was cut short
    if (!content && !damage) damage = content.error();
    text += content ? to_line(content->state, context.clock.wall_now())
                    : fmt::format("{} DAMAGED: {}\n", id, content.error().message());
    if (content)
      all.push_back(to_json(content->state));
    else
      all.push_back({{"incident", id}, {"state", "damaged"}, {"problems", {content.error().message()}}});
  }
  if (context.options.json)
    context.out << json_text({{"incidents", all}});
  else
    context.out << (text.empty() ? "no incident\n" : text);
  return damage ? exit_code(ErrorKind::kDataLoss) : 0;
}

Result<int> show(CommandContext& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string id, choose_incident(context, arguments.incident, false));
  ASSIGN_OR_RETURN(const StoredIncident stored, read_stored_incident(context, id));
  IncidentView view{
      stored.content, {}, incident_timeline(stored.content, stored.runs), stored.problems, context.clock.wall_now()};
  for (const respond::LinkedRun& run : stored.content.state.runs) view.runs.push_back(run_line(context, run.run));
  if (context.options.json)
    context.out << json_text(to_json(view));
  else
    context.out << CopiedCommands(context).complete(to_text(view));
  return stored.damaged ? exit_code(ErrorKind::kDataLoss) : 0;
}

Result<int> open(CommandContext& context, const Arguments& arguments) {
  respond::NewIncident incident;
  ASSIGN_OR_RETURN(const ReadPlan read, read_plan_file(context, arguments.plan));
  const plan::Plan& plan = read.plan;
  incident.plan_bytes = read.bytes;
  RETURN_IF_ERROR(check_contact(plan, arguments.contact, "--as"));
  const auto scenario = std::ranges::find(plan.scenarios, arguments.scenario, &plan::Scenario::id);
  if (scenario == plan.scenarios.end())
    return Error(ErrorKind::kNotFound, fmt::format("{} has no scenario {}", plan.file, arguments.scenario),
                 fmt::format("it has: {}", fmt::join(plan::ids_in(plan.scenarios), ", ")));
  incident.severity = arguments.severity.empty() ? scenario->severity : arguments.severity;
  RETURN_IF_ERROR(check_severity(plan, incident.severity));
  incident.scenario = arguments.scenario;
  incident.service = plan.service;
  incident.plan_file = plan.file;
  incident.origin = "person";
  incident.opened_by = arguments.contact;
  incident.text = arguments.text;
  ASSIGN_OR_RETURN(const auto log,
                   respond::IncidentLog::begin(incident_world(context), incidents_folder(context), incident));
  if (context.options.json)
    context.out << json_text({{"incident", log->id()}, {"kind", "incident.opened"}, {"number", 1}});
  else
    context.out << CopiedCommands(context).complete(
        fmt::format("{} opened\nnext: anclora run start {} --plan {} --as NAME --dry-run\n", log->id(),
                    incident.scenario, plan.file));
  return 0;
}

void add_reading(CLI::App& incident, CommandContext& context) {
  const auto none = std::make_shared<Arguments>();
  add_incident_subcommand(incident, context, none, "list", "all incidents of this machine, oldest first", "list --json",
                          [](CommandContext& each, const Arguments&) { return list(each); });
  const auto shown = std::make_shared<Arguments>();
  add_incident_subcommand(incident, context, shown, "show",
                          "what is known of it, the timeline of it and its runs, the next command", "show", show)
      ->add_option("incident", shown->incident, kIncidentHelp);
}

void add_opening(CLI::App& incident, CommandContext& context) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = add_incident_subcommand(
      incident, context, arguments, "open", "open one; run start on production does it by itself",
      "open --scenario redis-lost --plan plans/local.yaml --as oncall --note 'orders fail'", open);
  command->add_option("--scenario", arguments->scenario, "the scenario's id")->required();
  command->add_option("--plan", arguments->plan, "the plan file")->required();
  add_who(*command, arguments);
  command->add_option("--severity", arguments->severity, "a severity of the plan (default: the scenario's)");
  command->add_option("--note", arguments->text, "what you see");
}

}  // namespace

void add_incident_command(CLI::App& app, CommandContext& context) {
  CLI::App* incident = app.add_subcommand("incident", "what happened: timeline, acknowledgement, action items, report");
  incident->require_subcommand(1);
  incident->footer("Example: anclora incident show");
  add_reading(*incident, context);
  add_opening(*incident, context);
  add_incident_entries(*incident, context);
  add_incident_report(*incident, context);
  add_incident_audit(*incident, context);
}

}  // namespace anclora::app
