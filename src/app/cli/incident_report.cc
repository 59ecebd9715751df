// `incident report`.
#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "app/cli/incident_site.h"
#include "app/cli/report_output.h"
#include "app/cli/run_report_command.h"
#include "app/cli/run_site.h"
#include "respond/incident/incident_facts.h"

namespace anclora::app {
namespace {

struct Arguments {
  std::string incident;
  ReportOptions report;
};

Result<int> report(CommandContext& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string id, choose_incident(context, arguments.incident, false));
  ASSIGN_OR_RETURN(const StoredIncident stored, read_stored_incident(context, id));
  std::vector<respond::ReportFacts> runs;
  for (const respond::LinkedRun& linked : stored.content.state.runs) {
    const auto run = read_run(context, linked.run);
    auto facts = run ? facts_of_run(context, *run) : Result<respond::ReportFacts>(run.error());
    if (facts)
      runs.push_back(std::move(*facts));
    else
      context.err << "warning: the report lacks " << linked.run << ": " << facts.error().message() << "\n";
  }
  respond::ReportFacts facts =
      respond::collect_incident_facts(stored.plan, stored.content, runs, context.clock.wall_now());
  note_incident_in_repository(context, stored);
  return deliver_report(context, std::move(facts), arguments.report);
}

}  // namespace

void add_incident_report(CLI::App& incident, CommandContext& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      incident.add_subcommand("report", "the post-incident report: timeline, loss, objectives, actions");
  command->add_option("incident", arguments->incident, "the incident's id (default: the newest open one)");
  add_report_options(*command, arguments->report);
  command->footer("Example: anclora incident report --out report.html --language es");
  command->callback(
      [&context, arguments] { context.action = [&context, arguments] { return report(context, *arguments); }; });
}

}  // namespace anclora::app
