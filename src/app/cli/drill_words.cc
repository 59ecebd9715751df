#include "app/cli/drill_words.h"

#include "app/cli/drill_site.h"
#include "app/cli/incident_site.h"

namespace anclora::app {
namespace {

std::string words_folder(const CommandContext& context, const std::string& drill) {
  return drills_folder(context) + "/" + drill + "/written";
}

}  // namespace

Result<std::unique_ptr<respond::IncidentLog>> open_drill_words(const CommandContext& context,
                                                               const std::string& drill) {
  ASSIGN_OR_RETURN(const respond::DrillLedger ledger, respond::read_drills(context.files, drills_folder(context)));
  ASSIGN_OR_RETURN(const respond::DrillRecord record, choose_drill(ledger, drill));
  if (record.plan_hash.empty())
    return Error(ErrorKind::kFailedPrecondition, record.id + " had no plan that says who you are",
                 "run it with --plan FILE");
  ASSIGN_OR_RETURN(const Bytes plan, respond::read_drill_plan(context.files, drills_folder(context) + "/" + record.id));
  respond::NewIncident about;
  about.scenario = record.scenario;
  about.service = record.service;
  about.plan_file = record.plan_file;
  about.plan_bytes = plan;
  about.origin = "drill";
  about.text = record.id;
  return respond::IncidentLog::open_or_join(incident_world(context), words_folder(context, record.id), about);
}

Result<std::optional<respond::IncidentState>> read_drill_words(const CommandContext& context,
                                                               const std::string& drill) {
  const std::string root = words_folder(context, drill);
  ASSIGN_OR_RETURN(const auto ids, respond::list_incidents(context.files, root));
  if (ids.empty()) return std::optional<respond::IncidentState>();
  ASSIGN_OR_RETURN(const respond::IncidentContent content,
                   respond::read_incident(context.files, root + "/" + ids.back()));
  return std::optional(content.state);
}

}  // namespace anclora::app
