// One line of an incident's journal: what was seen, said and done about it, by whom. docs/formats/incident-log.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "respond/runbook/chained_line.h"

namespace anclora::respond {

// The fields of each kind; `actor` is a contact's id, empty for the product; `text` is for people.
enum class IncidentKind : std::uint8_t {
  kOpened,        // first and once: incident, scenario, severity, service, plan_file, plan_hash, origin
  kVerdict,       // of a detection rule: detection, first_bad (RFC 3339), not_started (why no run); text: evidence
  kSignal,        // an alert from outside, no proof: source, name, state
  kSeverity,      // severity; text: why
  kNote,          // text
  kAcknowledged,  // actor took it; text
  kDelivery,      // a message to a person: see IncidentDelivery
  kRunLinked,     // run, scenario
  kWritten,       // part (see kReportParts): a text of the report by a person
  kActionAdded,   // item, owner, due (YYYY-MM-DD); text: what
  kActionDone,    // item; text: evidence
  kClosed,        // text: why. After it only notes, deliveries, the report's texts and action items
};
// "incident.opened", ...: as in the journal.
std::string_view to_string(IncidentKind kind);

struct IncidentRecord : ChainedLine {
  IncidentKind kind = IncidentKind::kNote;

  IncidentRecord() = default;
  explicit IncidentRecord(IncidentKind of, std::string who = {}, std::string what = {}) : kind(of) {
    actor = std::move(who);
    text = std::move(what);
  }
};
// kUnsupported for a kind that this version does not know.
Result<IncidentRecord> to_incident_record(ChainedLine line, std::string_view kind);

}  // namespace anclora::respond
