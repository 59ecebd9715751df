#include "respond/incident/incident_record.h"

#include <array>

namespace anclora::respond {
namespace {

constexpr std::array<std::pair<IncidentKind, std::string_view>, 12> kNames = {{
    {IncidentKind::kOpened, "incident.opened"},
    {IncidentKind::kVerdict, "incident.verdict"},
    {IncidentKind::kSignal, "incident.signal"},
    {IncidentKind::kSeverity, "incident.severity"},
    {IncidentKind::kNote, "incident.note"},
    {IncidentKind::kAcknowledged, "incident.acknowledged"},
    {IncidentKind::kDelivery, "incident.delivery"},
    {IncidentKind::kRunLinked, "incident.run_linked"},
    {IncidentKind::kWritten, "incident.written"},
    {IncidentKind::kActionAdded, "action.added"},
    {IncidentKind::kActionDone, "action.done"},
    {IncidentKind::kClosed, "incident.closed"},
}};

}  // namespace

std::string_view to_string(IncidentKind kind) {
  for (const auto& [known, text] : kNames)
    if (known == kind) return text;
  return "?";
}

Result<IncidentRecord> to_incident_record(ChainedLine line, std::string_view kind) {
  for (const auto& [known, text] : kNames) {
    if (text != kind) continue;
    IncidentRecord record(known);
    static_cast<ChainedLine&>(record) = std::move(line);
    return record;
  }
  return unknown_kind(kind);
}

}  // namespace anclora::respond
