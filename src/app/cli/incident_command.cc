#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/incident_site.h"
#include "app/cli/run_site.h"
#include "app/view/incident_view.h"
#include "app/view/run_report.h"
#include "plan/read_plan.h"

namespace anclora::app {
namespace {

using respond::IncidentKind;
using respond::IncidentRecord;
using respond::IncidentState;

constexpr std::uint64_t kMaxPlanBytes = 4 * kMiB;

struct Arguments {
  std::string incident, contact, text, scenario, plan, severity, item, owner, due;
};
using Arg = std::shared_ptr<Arguments>;

void print(CommandContext& context, const nlohmann::ordered_json& json) {
  context.out << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

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
    const auto content = respond::read_incident(context.files, root + "/" + id);
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
    print(context, {{"incidents", all}});
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
    print(context, to_json(view));
  else
    context.out << to_text(view);
  return stored.damaged ? exit_code(ErrorKind::kDataLoss) : 0;
}

Status check_severity(const plan::Plan& plan, const std::string& severity) {
  std::vector<std::string> known;
  for (const plan::SeverityObjective& each : plan.severities) known.push_back(each.id);
  if (known.empty() || std::ranges::find(known, severity) != known.end()) return {};
  return Error(ErrorKind::kInvalidArgument, fmt::format("the plan has no severity {}", severity),
               fmt::format("it has: {}", fmt::join(known, ", ")));
}

Result<int> open(CommandContext& context, const Arguments& arguments) {
  respond::NewIncident incident;
  ASSIGN_OR_RETURN(incident.plan_bytes, context.files.read_all(arguments.plan, kMaxPlanBytes));
  ASSIGN_OR_RETURN(const plan::Plan plan, plan::read_plan(arguments.plan, incident.plan_bytes));
  RETURN_IF_ERROR(check_contact(plan, arguments.contact, "--as"));
  const auto scenario = std::ranges::find(plan.scenarios, arguments.scenario, &plan::Scenario::id);
  if (scenario == plan.scenarios.end()) {
    std::vector<std::string> known;
    for (const plan::Scenario& each : plan.scenarios) known.push_back(each.id);
    return Error(ErrorKind::kNotFound, fmt::format("{} has no scenario {}", plan.file, arguments.scenario),
                 fmt::format("it has: {}", fmt::join(known, ", ")));
  }
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
    print(context, {{"incident", log->id()}, {"kind", "incident.opened"}, {"number", 1}});
  else
    context.out << fmt::format("{} opened\nnext: anclora run start {} --plan {} --as NAME --dry-run\n", log->id(),
                               incident.scenario, plan.file);
  return 0;
}

// Judges who speaks by the incident's plan, then appends what `make` says of the newest state.
Result<int> add(CommandContext& context, const Arguments& arguments, bool open_only,
                const std::function<Result<IncidentRecord>(const plan::Plan&, const IncidentState&)>& make) {
  ASSIGN_OR_RETURN(const auto log, open_incident(context, arguments.incident, open_only));
  ASSIGN_OR_RETURN(const Bytes bytes, respond::read_incident_plan(context.files, log->folder()));
  ASSIGN_OR_RETURN(const plan::Plan plan, plan::read_plan(log->folder() + "/plan.yaml", bytes));
  RETURN_IF_ERROR(check_contact(plan, arguments.contact, "--as"));
  if (arguments.text.size() > respond::kMaxRecordText)
    return Error(ErrorKind::kInvalidArgument, "longer than " + format_size(respond::kMaxRecordText));
  ASSIGN_OR_RETURN(const auto records,
                   log->append_judged([&](const IncidentState& state) -> Result<std::vector<IncidentRecord>> {
                     ASSIGN_OR_RETURN(IncidentRecord record, make(plan, state));
                     return std::vector<IncidentRecord>{std::move(record)};
                   }));
  const IncidentRecord& record = records.front();
  if (context.options.json) {
    nlohmann::ordered_json json = {
        {"incident", log->id()}, {"kind", to_string(record.kind)}, {"number", record.number}};
    if (!record.field("item").empty()) json["item"] = record.field("item");
    print(context, json);
  } else {
    const std::string what = respond::describe(record);
    context.out << fmt::format("{}: {}{}{}\n", log->id(), to_string(record.kind), what.empty() ? "" : " ", what);
  }
  return 0;
}

Result<int> change_severity(CommandContext& context, const Arguments& arguments) {
  return add(context, arguments, true, [&](const plan::Plan& plan, const IncidentState&) -> Result<IncidentRecord> {
    RETURN_IF_ERROR(check_severity(plan, arguments.severity));
    IncidentRecord record(IncidentKind::kSeverity, arguments.contact, arguments.text);
    record.fields = {{"severity", arguments.severity}};
    return record;
  });
}

Result<int> say(CommandContext& context, const Arguments& arguments, IncidentKind kind, bool open_only) {
  return add(context, arguments, open_only, [&](const plan::Plan&, const IncidentState&) -> Result<IncidentRecord> {
    return IncidentRecord(kind, arguments.contact, arguments.text);
  });
}

// Its end is noted elsewhere, so that nobody shortens it unseen.
Result<int> close_incident(CommandContext& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string id, choose_incident(context, arguments.incident, true));
  Arguments same = arguments;
  same.incident = id;
  ASSIGN_OR_RETURN(const int code, say(context, same, IncidentKind::kClosed, true));
  if (const auto stored = read_stored_incident(context, id)) note_incident_in_repository(context, *stored);
  if (!context.options.json) context.out << fmt::format("next: anclora incident export {} --out {}.tar\n", id, id);
  return code;
}

Status check_day(const std::string& day) {
  if (day.empty() || (day.size() == 10 && parse_rfc3339(day + "T00:00:00Z"))) return {};
  return Error(ErrorKind::kInvalidArgument, "\"" + day + "\" is no day", "write it as 2026-12-01");
}

Result<int> add_action(CommandContext& context, const Arguments& arguments) {
  RETURN_IF_ERROR(check_day(arguments.due));
  return add(context, arguments, false,
             [&](const plan::Plan& plan, const IncidentState& state) -> Result<IncidentRecord> {
               RETURN_IF_ERROR(check_contact(plan, arguments.owner, "--owner"));
               IncidentRecord record(IncidentKind::kActionAdded, arguments.contact, arguments.text);
               record.fields = {{"item", fmt::format("a{}", state.actions.size() + 1)}, {"owner", arguments.owner}};
               if (!arguments.due.empty()) record.fields["due"] = arguments.due;
               return record;
             });
}

Result<int> finish_action(CommandContext& context, const Arguments& arguments) {
  return add(context, arguments, false, [&](const plan::Plan&, const IncidentState&) -> Result<IncidentRecord> {
    IncidentRecord record(IncidentKind::kActionDone, arguments.contact, arguments.text);
    record.fields = {{"item", arguments.item}};
    return record;
  });
}

constexpr const char* kIncidentHelp = "the incident's id (default: the newest open one)";

CLI::App* add_one(CLI::App& parent, CommandContext& context, const Arg& arguments, const char* name, const char* help,
                  const std::string& example, Result<int> (*run)(CommandContext&, const Arguments&)) {
  CLI::App* command = parent.add_subcommand(name, help);
  command->footer("Example: anclora incident " + example);
  command->callback(
      [&context, arguments, run] { context.action = [&context, arguments, run] { return run(context, *arguments); }; });
  return command;
}

void add_who(CLI::App& command, const Arg& arguments) {
  command.add_option("--as", arguments->contact, "who you are: a contact's id in the plan")->required();
}

void add_reading(CLI::App& incident, CommandContext& context) {
  const auto none = std::make_shared<Arguments>();
  add_one(incident, context, none, "list", "all incidents of this machine, oldest first", "list --json",
          [](CommandContext& each, const Arguments&) { return list(each); });
  const auto shown = std::make_shared<Arguments>();
  add_one(incident, context, shown, "show", "what is known of it, the timeline of it and its runs, the next command",
          "show", show)
      ->add_option("incident", shown->incident, kIncidentHelp);
}

void add_opening(CLI::App& incident, CommandContext& context) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      add_one(incident, context, arguments, "open", "open one; run start on production does it by itself",
              "open --scenario redis-lost --plan plans/local.yaml --as oncall --note 'orders fail'", open);
  command->add_option("--scenario", arguments->scenario, "the scenario's id")->required();
  command->add_option("--plan", arguments->plan, "the plan file")->required();
  add_who(*command, arguments);
  command->add_option("--severity", arguments->severity, "a severity of the plan (default: the scenario's)");
  command->add_option("--note", arguments->text, "what you see");
}

void add_talking(CLI::App& incident, CommandContext& context) {
  const auto note = std::make_shared<Arguments>();
  CLI::App* command =
      add_one(incident, context, note, "note", "a line for the timeline", "note 'the provider confirms' --as oncall",
              [](CommandContext& each, const Arguments& arguments) {
                return say(each, arguments, IncidentKind::kNote, false);
              });
  command->add_option("text", note->text, "what is to be kept")->required();
  command->add_option("--incident", note->incident, kIncidentHelp);
  add_who(*command, note);

  const auto ack = std::make_shared<Arguments>();
  command = add_one(incident, context, ack, "ack", "say that you take it: the escalation stops", "ack --as oncall",
                    [](CommandContext& each, const Arguments& arguments) {
                      return say(each, arguments, IncidentKind::kAcknowledged, true);
                    });
  command->add_option("incident", ack->incident, kIncidentHelp);
  command->add_option("--text", ack->text, "what you do about it");
  add_who(*command, ack);

  const auto severity = std::make_shared<Arguments>();
  command = add_one(incident, context, severity, "severity", "change how severe it is",
                    "severity critical --as oncall --reason 'no order is taken'", change_severity);
  command->add_option("severity", severity->severity, "a severity of the plan")->required();
  command->add_option("--incident", severity->incident, kIncidentHelp);
  command->add_option("--reason", severity->text, "why");
  add_who(*command, severity);

  const auto close = std::make_shared<Arguments>();
  command = add_one(incident, context, close, "close", "it is over", "close --as oncall --reason 'served since 16:09'",
                    close_incident);
  command->add_option("incident", close->incident, kIncidentHelp);
  command->add_option("--reason", close->text, "what ended it")->required();
  add_who(*command, close);
}

void add_actions(CLI::App& incident, CommandContext& context) {
  CLI::App* action = incident.add_subcommand("action", "what is to be done so that it does not happen again");
  action->require_subcommand(1);
  action->footer("Example: anclora incident action add 'alarm on memory' --owner oncall --due 2026-12-01 --as oncall");
  const auto added = std::make_shared<Arguments>();
  CLI::App* command = add_one(*action, context, added, "add", "an action item with an owner",
                              "action add 'alarm on memory' --owner oncall --due 2026-12-01 --as oncall", add_action);
  command->add_option("text", added->text, "what is to be done")->required();
  command->add_option("--owner", added->owner, "a contact's id in the plan")->required();
  command->add_option("--due", added->due, "the day by which it is to be done: 2026-12-01");
  command->add_option("--incident", added->incident, kIncidentHelp);
  add_who(*command, added);

  const auto done = std::make_shared<Arguments>();
  command = add_one(*action, context, done, "done", "an action item is done",
                    "action done a1 --as oncall --evidence 'the alarm fired in a test'", finish_action);
  command->add_option("item", done->item, "the action item's id, as incident show names it")->required();
  command->add_option("--evidence", done->text, "what proves it")->required();
  command->add_option("--incident", done->incident, kIncidentHelp);
  add_who(*command, done);
}

}  // namespace

void add_incident_command(CLI::App& app, CommandContext& context) {
  CLI::App* incident = app.add_subcommand("incident", "what happened: timeline, acknowledgement, action items, report");
  incident->require_subcommand(1);
  incident->footer("Example: anclora incident show");
  add_reading(*incident, context);
  add_opening(*incident, context);
  add_talking(*incident, context);
  add_actions(*incident, context);
  add_incident_report(*incident, context);
  add_incident_audit(*incident, context);
}

}  // namespace anclora::app
