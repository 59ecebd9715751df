#include "app/cli/run_report_command.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "app/cli/drill_site.h"
#include "app/cli/report_output.h"
#include "app/view/run_report.h"
#include "respond/report/collect_run_facts.h"

namespace anclora::app {
namespace {

struct Arguments {
  std::string run;
  ReportOptions report;
};

Result<int> report_run(CommandContext& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string run, choose_run(context, arguments.run));
  ASSIGN_OR_RETURN(const StoredRun stored, read_run(context, run));
  ASSIGN_OR_RETURN(respond::ReportFacts facts, facts_of_run(context, stored));
  return deliver_report(context, std::move(facts), arguments.report);
}

}  // namespace

Result<respond::ReportFacts> facts_of_run(const CommandContext& context, const StoredRun& stored) {
  const WallTime now = context.clock.wall_now();
  ASSIGN_OR_RETURN(const respond::DrillLedger ledger, respond::read_drills(context.files, drills_folder(context)));
  for (const std::string& damage : ledger.damage) context.err << "warning: " << damage << "\n";
  const std::vector<plan::DrillResult> drills = respond::to_results(ledger.records);
  respond::ReportFacts facts =
      respond::collect_run_facts(stored.plan, stored.run, stored.journal, stored.state, now, &drills);
  facts.state = run_state_text({stored.plan, stored.run, stored.state, stored.has_runner, now});
  return facts;
}

void add_run_report_command(CLI::App& run, CommandContext& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      run.add_subcommand("report", "what a run did, as a report for people: objectives, timeline, loss");
  command->add_option("--run", arguments->run, "the run's id (default: the newest on this machine)");
  add_report_options(*command, arguments->report);
  command->footer("Example: anclora run report --out report.html --language es");
  command->callback(
      [&context, arguments] { context.action = [&context, arguments] { return report_run(context, *arguments); }; });
}

}  // namespace anclora::app
