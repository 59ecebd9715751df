#include "app/cli/drill_report_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <ostream>

#include "app/cli/drill_site.h"
#include "app/cli/drill_words.h"
#include "app/cli/error_report.h"
#include "app/cli/report_output.h"
#include "app/cli/run_report_command.h"
#include "app/cli/run_site.h"
#include "respond/incident/incident_facts.h"
#include "respond/report/collect_drill_facts.h"
#include "respond/report/collect_run_facts.h"

namespace anclora::app {
namespace {

struct Arguments {
  std::string id;
  ReportOptions report;
};

// What the journals of its runs say; a run that is not on this machine is missing, with a warning.
respond::ReportFacts facts_of_runs(const CommandContext& context, const respond::DrillRecord& record) {
  respond::ReportFacts facts;
  for (const std::string& run : {record.recovery_run, record.inject_run}) {
    if (run.empty()) continue;
    const auto stored = read_run(context, run);
    auto more = stored ? facts_of_run(context, *stored) : Result<respond::ReportFacts>(stored.error());
    if (!more) {
      context.err << "warning: the report lacks the run " << run << ": " << more.error().message() << "\n";
      continue;
    }
    if (run == record.recovery_run)
      facts = std::move(*more);
    else
      respond::add_run_facts(facts, *more);
  }
  return facts;
}

Result<int> report_drill(CommandContext& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const respond::DrillLedger ledger, respond::read_drills(context.files, drills_folder(context)));
  ASSIGN_OR_RETURN(const respond::DrillRecord record, choose_drill(ledger, arguments.id));
  respond::ReportFacts facts =
      respond::collect_drill_facts(record, facts_of_runs(context, record), context.clock.wall_now());
  ASSIGN_OR_RETURN(const auto written, read_drill_words(context, record.id));
  if (written) respond::add_what_people_wrote(facts, *written);
  const auto results = respond::to_results(ledger.records);
  if (!record.plan_hash.empty())
    facts.plan_verified = std::ranges::any_of(results, [&](const plan::DrillResult& drill) {
      return drill.passed && drill.scenario == record.scenario && drill.plan_hash == record.plan_hash;
    });
  facts.evidence.push_back({"drill_records", "", to_hex(ledger.tip), ledger.records.size(), "anclora drill list"});
  ASSIGN_OR_RETURN(const int code, deliver_report(context, std::move(facts), arguments.report));
  if (ledger.damage.empty()) return code;
  return print_error(
      context, Error(ErrorKind::kDataLoss, "the records were changed after they were kept: " + ledger.damage.front(),
                     "compare with a copy; what is shown is what can still be read"));
}

}  // namespace

void add_drill_report_command(CLI::App& drill, CommandContext& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = drill.add_subcommand("report", "the DR test report of a drill");
  command->add_option("id", arguments->id, "the drill (default: the newest)");
  add_report_options(*command, arguments->report);
  command->footer("Example: anclora drill report --out drill.html --language es");
  command->callback(
      [&context, arguments] { context.action = [&context, arguments] { return report_drill(context, *arguments); }; });
}

}  // namespace anclora::app
