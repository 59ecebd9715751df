// `anclora run report`: what a run's journal says, as a report.
#pragma once

#include "app/cli/command_context.h"
#include "app/cli/run_site.h"
#include "respond/report/report_facts.h"

namespace anclora::app {

void add_run_report_command(CLI::App& run, CommandContext& context);

// The facts of a stored run, with what the drills on this machine say of its plan.
Result<respond::ReportFacts> facts_of_run(const CommandContext& context, const StoredRun& stored);

}  // namespace anclora::app
