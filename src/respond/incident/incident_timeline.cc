#include "respond/incident/incident_timeline.h"

#include <fmt/format.h>

#include <algorithm>

namespace anclora::respond {
namespace {

// "head: text", or one of them.
std::string joined(std::string head, const std::string& text) {
  if (head.empty() || text.empty()) return head + text;
  return head + ": " + text;
}

}  // namespace

std::string describe(const IncidentRecord& record) {
  switch (record.kind) {
    case IncidentKind::kOpened:
      return joined(fmt::format("{}, severity {}", record.field("scenario"), record.field("severity")), record.text);
    case IncidentKind::kVerdict:
      return joined(record.field("detection"), record.text);
    case IncidentKind::kSignal:
      return joined(fmt::format("{} {} {}", record.field("source"), record.field("name"), record.field("state")),
                    record.text);
    case IncidentKind::kSeverity:
      return joined(record.field("severity"), record.text);
    case IncidentKind::kDelivery:
      return joined(fmt::format("{} to {} by {} {}", record.field("event"), record.field("contact"),
                                record.field("channel"), record.field("state")),
                    record.text);
    case IncidentKind::kRunLinked:
      return record.field("run");
    case IncidentKind::kWritten:
      return joined(record.field("part"), record.text);
    case IncidentKind::kActionAdded:
      return joined(fmt::format("{} for {}{}{}", record.field("item"), record.field("owner"),
                                record.field("due").empty() ? "" : " by ", record.field("due")),
                    record.text);
    case IncidentKind::kActionDone:
      return joined(record.field("item"), record.text);
    case IncidentKind::kNote:
    case IncidentKind::kAcknowledged:
    case IncidentKind::kClosed:
      break;
  }
  return record.text;
}

std::string describe(const RunRecord& record) {
  if (record.kind == RecordKind::kMark) return fmt::format("{} = {}", record.field("name"), record.field("time"));
  if (record.kind == RecordKind::kKept) return record.field("name");
  if (record.kind == RecordKind::kRunStarted)
    return joined(record.field("scenario"), record.field("starter").empty() ? "" : "by " + record.field("starter"));
  if (record.kind == RecordKind::kApprovalExpired) return joined(record.field("policy"), record.text);
  return record.text;
}

std::vector<ReportEvent> incident_timeline(const IncidentContent& incident, const std::vector<RunOfIncident>& runs) {
  std::vector<ReportEvent> timeline;
  timeline.reserve(incident.records.size());
  for (const IncidentRecord& record : incident.records)
    timeline.push_back(
        {record.time, incident.state.id, std::string(to_string(record.kind)), {}, record.actor, describe(record)});
  for (const RunOfIncident& run : runs)
    for (const RunRecord& record : run.journal.records)
      timeline.push_back(
          {record.time, run.run, std::string(to_string(record.kind)), record.step, record.actor, describe(record)});
  std::ranges::stable_sort(timeline, {}, &ReportEvent::time);
  return timeline;
}

}  // namespace anclora::respond
