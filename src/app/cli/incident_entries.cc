// What people add to an incident or to the report of a drill, each a line of a journal.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/copied_command.h"
#include "app/cli/drill_words.h"
#include "app/cli/incident_arguments.h"
#include "app/cli/incident_site.h"
#include "app/cli/json_text.h"
#include "plan/read_plan.h"

namespace anclora::app {
namespace {

using respond::IncidentKind;
using respond::IncidentRecord;
using respond::IncidentState;
using Arguments = IncidentArguments;

// Judges who speaks by the incident's plan, then appends what `make` says of the newest state.
Result<int> add(CommandContext& context, const Arguments& arguments, bool open_only,
                const std::function<Result<IncidentRecord>(const plan::Plan&, const IncidentState&)>& make) {
  ASSIGN_OR_RETURN(const auto log, arguments.drill ? open_drill_words(context, *arguments.drill)
                                                   : open_incident(context, arguments.incident, open_only));
  ASSIGN_OR_RETURN(const Bytes bytes, respond::read_incident_plan(context.files, log->folder()));
  ASSIGN_OR_RETURN(const plan::Plan plan, plan::read_kept_plan(log->folder() + "/plan.yaml", bytes));
  RETURN_IF_ERROR(check_contact(plan, arguments.contact, "--as"));
  if (arguments.text.size() > respond::kMaxRecordText)
    return Error(ErrorKind::kInvalidArgument, "longer than " + format_size(respond::kMaxRecordText));
  ASSIGN_OR_RETURN(const auto records,
                   log->append_judged([&](const IncidentState& state) -> Result<std::vector<IncidentRecord>> {
                     ASSIGN_OR_RETURN(IncidentRecord record, make(plan, state));
                     return std::vector<IncidentRecord>{std::move(record)};
                   }));
  const IncidentRecord& record = records.front();
  ASSIGN_OR_RETURN(const IncidentState state, log->state());
  const std::string about = arguments.drill ? state.summary : log->id();
  if (context.options.json) {
    nlohmann::ordered_json json = {
        {arguments.drill ? "drill" : "incident", about}, {"kind", to_string(record.kind)}, {"number", record.number}};
    if (!record.field("item").empty()) json["item"] = record.field("item");
    context.out << json_text(json);
  } else {
    const std::string what = respond::describe(record);
    context.out << fmt::format("{}: {}{}{}\n", about, to_string(record.kind), what.empty() ? "" : " ", what);
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
  if (!context.options.json)
    context.out << CopiedCommands(context).complete(
        fmt::format("next: anclora incident export {} --out {}.tar\n", id, id));
  return code;
}

// A text of the report. Of root_cause and its like the newest stands; of the lessons each.
Result<int> write_part(CommandContext& context, const Arguments& arguments) {
  RETURN_IF_ERROR(respond::check_report_part(arguments.part));
  if (arguments.text.empty()) return Error(ErrorKind::kInvalidArgument, "the text is empty", "say it in a sentence");
  return add(context, arguments, false, [&](const plan::Plan&, const IncidentState&) -> Result<IncidentRecord> {
    IncidentRecord record(IncidentKind::kWritten, arguments.contact, arguments.text);
    record.fields = {{"part", arguments.part}};
    return record;
  });
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

void add_talking(CLI::App& incident, CommandContext& context) {
  const auto note = std::make_shared<Arguments>();
  CLI::App* command = add_incident_subcommand(incident, context, note, "note", "a line for the timeline",
                                              "note 'the provider confirms' --as oncall",
                                              [](CommandContext& each, const Arguments& arguments) {
                                                return say(each, arguments, IncidentKind::kNote, false);
                                              });
  command->add_option("text", note->text, "what is to be kept")->required();
  command->add_option("--incident", note->incident, kIncidentHelp);
  add_who(*command, note);

  const auto ack = std::make_shared<Arguments>();
  command = add_incident_subcommand(incident, context, ack, "ack", "say that you take it: the escalation stops",
                                    "ack --as oncall", [](CommandContext& each, const Arguments& arguments) {
                                      return say(each, arguments, IncidentKind::kAcknowledged, true);
                                    });
  command->add_option("incident", ack->incident, kIncidentHelp);
  command->add_option("--text", ack->text, "what you do about it");
  add_who(*command, ack);

  const auto severity = std::make_shared<Arguments>();
  command = add_incident_subcommand(incident, context, severity, "severity", "change how severe it is",
                                    "severity critical --as oncall --reason 'no order is taken'", change_severity);
  command->add_option("severity", severity->severity, "a severity of the plan")->required();
  command->add_option("--incident", severity->incident, kIncidentHelp);
  command->add_option("--reason", severity->text, "why");
  add_who(*command, severity);

  const auto close = std::make_shared<Arguments>();
  command = add_incident_subcommand(incident, context, close, "close", "it is over",
                                    "close --as oncall --reason 'served since 16:09'", close_incident);
  command->add_option("incident", close->incident, kIncidentHelp);
  command->add_option("--reason", close->text, "what ended it")->required();
  add_who(*command, close);
}

// Of which incident or drill.
void add_about(CLI::App& command, const std::shared_ptr<Arguments>& arguments, bool of_drills) {
  if (!of_drills) {
    command.add_option("--incident", arguments->incident, kIncidentHelp);
    return;
  }
  arguments->drill.emplace();
  command.add_option("--drill", *arguments->drill, "the drill's id (default: the newest)");
  std::string footer = command.get_footer();
  footer.replace(footer.find(" incident "), 10, " drill ");
  command.footer(footer);
}

void add_writing(CLI::App& parent, CommandContext& context, bool of_drills) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = add_incident_subcommand(parent, context, arguments, "write",
                                              "what only people know, into the report: root cause, lessons, impact",
                                              "write root_cause 'the disk of host-7 was full' --as oncall", write_part);
  command->add_option("part", arguments->part, fmt::format("{}", fmt::join(respond::kReportParts, ", ")))->required();
  command->add_option("text", arguments->text, "the text")->required();
  add_about(*command, arguments, of_drills);
  add_who(*command, arguments);
}

void add_actions(CLI::App& parent, CommandContext& context, bool of_drills) {
  CLI::App* action = parent.add_subcommand("action", "what is to be done so that it does not happen again");
  action->require_subcommand(1);
  action->footer(std::string("Example: anclora ") + (of_drills ? "drill" : "incident") +
                 " action add 'alarm on memory' --owner oncall --due 2026-12-01 --as oncall");
  const auto added = std::make_shared<Arguments>();
  CLI::App* command =
      add_incident_subcommand(*action, context, added, "add", "an action item with an owner",
                              "action add 'alarm on memory' --owner oncall --due 2026-12-01 --as oncall", add_action);
  command->add_option("text", added->text, "what is to be done")->required();
  command->add_option("--owner", added->owner, "a contact's id in the plan")->required();
  command->add_option("--due", added->due, "the day by which it is to be done: 2026-12-01");
  add_about(*command, added, of_drills);
  add_who(*command, added);

  const auto done = std::make_shared<Arguments>();
  command = add_incident_subcommand(*action, context, done, "done", "an action item is done",
                                    "action done a1 --as oncall --evidence 'the alarm fired in a test'", finish_action);
  command->add_option("item", done->item, "the action item's id, as incident show names it")->required();
  command->add_option("--evidence", done->text, "what proves it")->required();
  add_about(*command, done, of_drills);
  add_who(*command, done);
}

}  // namespace

void add_incident_entries(CLI::App& incident, CommandContext& context) {
  add_talking(incident, context);
  add_writing(incident, context, false);
  add_actions(incident, context, false);
}

void add_drill_entries(CLI::App& drill, CommandContext& context) {
  add_writing(drill, context, true);
  add_actions(drill, context, true);
}

}  // namespace anclora::app
