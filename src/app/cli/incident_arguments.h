// What the `incident` commands read from the command line.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/cli/command_context.h"
#include "plan/plan.h"

namespace anclora::app {

struct IncidentArguments {
  std::string incident, contact, text, scenario, plan, severity, item, owner, due, part;
  // Instead of an incident: what is written is of this drill, or of the newest one where it is empty.
  std::optional<std::string> drill;
};
using IncidentArg = std::shared_ptr<IncidentArguments>;

inline constexpr const char* kIncidentHelp = "the incident's id (default: the newest open one)";

// A subcommand of `parent` that calls `run`; `example` is what follows "anclora incident".
CLI::App* add_incident_subcommand(CLI::App& parent, CommandContext& context, const IncidentArg& arguments,
                                  const char* name, const char* help, const std::string& example,
                                  Result<int> (*run)(CommandContext&, const IncidentArguments&));
// --as, required.
void add_who(CLI::App& command, const IncidentArg& arguments);

// kInvalidArgument naming the plan's severities; a plan without any takes all.
Status check_severity(const plan::Plan& plan, const std::string& severity);

// What people add to an incident: notes, acknowledgement, severity, the end, the report's texts, action items.
void add_incident_entries(CLI::App& incident, CommandContext& context);
// To a drill: the report's texts, action items.
void add_drill_entries(CLI::App& drill, CommandContext& context);

}  // namespace anclora::app
