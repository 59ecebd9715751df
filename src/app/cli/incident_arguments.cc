#include "app/cli/incident_arguments.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "plan/lint/plan_lookup.h"

namespace anclora::app {

CLI::App* add_incident_subcommand(CLI::App& parent, CommandContext& context, const IncidentArg& arguments,
                                  const char* name, const char* help, const std::string& example,
                                  Result<int> (*run)(CommandContext&, const IncidentArguments&)) {
  CLI::App* command = parent.add_subcommand(name, help);
  command->footer("Example: anclora incident " + example);
  command->callback(
      [&context, arguments, run] { context.action = [&context, arguments, run] { return run(context, *arguments); }; });
  return command;
}

void add_who(CLI::App& command, const IncidentArg& arguments) {
  command.add_option("--as", arguments->contact, "who you are: a contact's id in the plan")->required();
}

Status check_severity(const plan::Plan& plan, const std::string& severity) {
  if (plan.severities.empty() || plan::find_severity(plan, severity) != nullptr) return {};
  return Error(ErrorKind::kInvalidArgument, fmt::format("the plan has no severity {}", severity),
               fmt::format("it has: {}", fmt::join(plan::ids_in(plan.severities), ", ")));
}

}  // namespace anclora::app
