// What the `incident` commands share: where incidents are kept, which one is meant, who may speak, its runs.
#pragma once

#include <string>
#include <vector>

#include "app/cli/command_context.h"
#include "plan/plan.h"
#include "respond/incident/incident_log.h"
#include "respond/incident/incident_timeline.h"

namespace anclora::app {

// "<state folder>/incidents".
std::string incidents_folder(const CommandContext& context);
respond::IncidentWorld incident_world(const CommandContext& context);

// The named incident; else the newest open one; else, unless `open_only`, the newest. kNotFound when there is none.
Result<std::string> choose_incident(const CommandContext& context, const std::string& id, bool open_only);
Result<std::unique_ptr<respond::IncidentLog>> open_incident(const CommandContext& context, const std::string& id,
                                                            bool open_only);

// kInvalidArgument naming the plan's contacts.
Status check_contact(const plan::Plan& plan, const std::string& contact, const char* option);

// An incident as it stands on the disk, with its runs.
struct StoredIncident {
  std::string folder;
  respond::IncidentContent content;
  plan::Plan plan;  // as it was at the opening
  std::vector<respond::RunOfIncident> runs;
  std::vector<std::string> problems;  // of a linked run that is not here or is damaged
  bool damaged = false;               // one of them is damage
};
Result<StoredIncident> read_stored_incident(const CommandContext& context, const std::string& id);

// Opens or joins the incident of a run on production and links the run, unless it is linked already (a resumed run).
// What fails is a warning: the recovery goes on.
void link_run_to_incident(CommandContext& context, const plan::Plan& plan, const Bytes& plan_bytes,
                          const std::string& scenario, const std::string& run, const std::string& starter);

// Notes in the plan's repository (or --repo) how far the incident's journal goes; false where there is none. What fails
// is a warning.
bool note_incident_in_repository(CommandContext& context, const StoredIncident& stored);

// The subcommands of `incident` in files of their own.
void add_incident_audit(CLI::App& incident, CommandContext& context);
void add_incident_report(CLI::App& incident, CommandContext& context);

}  // namespace anclora::app
