#include "app/cli/incident_site.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ostream>

#include "app/cli/run_site.h"
#include "app/daemon/state_folder.h"
#include "plan/lint/plan_lookup.h"
#include "plan/read_plan.h"

namespace anclora::app {
namespace {

Error none_here(const CommandContext& context) {
  return Error(ErrorKind::kNotFound, incidents_folder(context) + " holds no incident",
               "open one: anclora incident open --scenario S --plan FILE --as WHO");
}

void read_run_of(const CommandContext& context, const std::string& run, StoredIncident& stored) {
  auto journal = respond::read_journal(context.files, runs_folder(context) + "/" + run);
  if (journal) {
    stored.runs.push_back({run, std::move(*journal)});
    return;
  }
  if (journal.error().kind() == ErrorKind::kDataLoss) stored.damaged = true;
  stored.problems.push_back(journal.error().kind() == ErrorKind::kNotFound
                                ? fmt::format("the journal of {} is not on this machine", run)
                                : journal.error().message());
}

bool is_linked(const CommandContext& context, const std::string& run) {
  const std::string root = incidents_folder(context);
  const auto ids = respond::list_incidents(context.files, root);
  if (!ids) return false;
  return std::ranges::any_of(*ids, [&](const std::string& id) {
    const auto content = respond::read_incident(context.files, root + "/" + id);
    return content &&
           std::ranges::find(content->state.runs, run, &respond::LinkedRun::run) != content->state.runs.end();
  });
}

}  // namespace

std::string incidents_folder(const CommandContext& context) { return state_root(context.environment) + "/incidents"; }

respond::IncidentWorld incident_world(const CommandContext& context) {
  return {context.files, context.clock, context.random};
}

Result<std::string> choose_incident(const CommandContext& context, const std::string& id, bool open_only) {
  if (!id.empty()) {
    RETURN_IF_ERROR(respond::check_incident_id(id));
    return id;
  }
  const std::string root = incidents_folder(context);
  ASSIGN_OR_RETURN(auto ids, respond::list_incidents(context.files, root));
  std::ranges::reverse(ids);
  std::string newest;
  for (const std::string& each : ids) {
    const auto content = respond::read_incident(context.files, fmt::format("{}/{}", root, each));
    if (!content && content.error().kind() == ErrorKind::kNotFound) continue;  // its opening was cut short
    if (content && content->state.open()) return each;
    if (newest.empty()) newest = each;
  }
  if (newest.empty()) return none_here(context);
  if (!open_only) return newest;
  return Error(ErrorKind::kNotFound, "no incident is open; the newest is " + newest,
               "see it: anclora incident show " + newest);
}

Result<std::unique_ptr<respond::IncidentLog>> open_incident(const CommandContext& context, const std::string& id,
                                                            bool open_only) {
  ASSIGN_OR_RETURN(const std::string chosen, choose_incident(context, id, open_only));
  return respond::IncidentLog::open(incident_world(context), incidents_folder(context), chosen);
}

Status check_contact(const plan::Plan& plan, const std::string& contact, const char* option) {
  if (plan::find_contact(plan, contact) != nullptr) return {};
  return Error(
      ErrorKind::kInvalidArgument, fmt::format("the plan has no contact {}", contact),
      fmt::format("name one of the plan's contacts with {}: {}", option, fmt::join(plan::ids_in(plan.contacts), ", ")));
}

Result<StoredIncident> read_stored_incident(const CommandContext& context, const std::string& id) {
  StoredIncident stored;
  stored.folder = incidents_folder(context) + "/" + id;
  auto content = respond::read_incident(context.files, stored.folder);
  if (!content && content.error().kind() == ErrorKind::kNotFound)  // names those there are
    return respond::IncidentLog::open(incident_world(context), incidents_folder(context), id).error();
  if (!content) return content.error();
  stored.content = std::move(*content);
  ASSIGN_OR_RETURN(const Bytes bytes, respond::read_incident_plan(context.files, stored.folder));
  ASSIGN_OR_RETURN(stored.plan, plan::read_kept_plan(stored.content.state.plan_file, bytes));
  if (stored.plan.hash_hex != stored.content.state.plan_hash) {
    stored.damaged = true;
    stored.problems.push_back(stored.folder + "/plan.yaml is not the plan that the incident was opened with");
  }
  for (const respond::LinkedRun& run : stored.content.state.runs) read_run_of(context, run.run, stored);
  return stored;
}

void link_run_to_incident(CommandContext& context, const plan::Plan& plan, const Bytes& plan_bytes,
                          const std::string& scenario, const std::string& run, const std::string& starter) {
  if (is_linked(context, run)) return;
  const auto found = std::ranges::find(plan.scenarios, scenario, &plan::Scenario::id);
  respond::NewIncident incident;
  incident.scenario = scenario;
  incident.severity = found == plan.scenarios.end() ? "" : found->severity;
  incident.service = plan.service;
  incident.plan_file = plan.file;
  incident.plan_bytes = plan_bytes;
  incident.origin = "run";
  incident.opened_by = starter;
  const auto linked = [&]() -> Result<std::string> {
    ASSIGN_OR_RETURN(auto log,
                     respond::IncidentLog::open_or_join(incident_world(context), incidents_folder(context), incident));
    respond::IncidentRecord record(respond::IncidentKind::kRunLinked, starter);
    record.fields = {{"run", run}, {"scenario", scenario}};
    RETURN_IF_ERROR(log->append(std::move(record)));
    return log->id() + (log->joined() ? " (open already)" : " (opened)");
  }();
  if (linked)
    context.err << "incident " << *linked << "\n";
  else
    context.err << "warning: the run stands in no incident: " << linked.error().message()
                << "\nthe recovery goes on; look at its end: anclora incident list\n";
}

}  // namespace anclora::app
