// What an incident's journal says. A pure fold over the records; what may not follow is refused.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "respond/incident/incident_record.h"

namespace anclora::respond {

struct IncidentVerdict {
  WallTime time;
  std::string detection, evidence;
  std::optional<WallTime> first_bad;
  std::string not_started;  // why no run was begun for it, for people; empty: one was, or was under way
};

struct IncidentSignal {
  WallTime time;
  std::string source, name, state, text;
};

struct IncidentNote {
  WallTime time;
  std::string contact, text;
};

struct Acknowledgement {
  std::string contact;
  WallTime time;
  std::string text;
};

// One message to one person by one channel of theirs; each change of its state is a record. What respond/notify's
// Delivery says, and about what.
struct IncidentDelivery {
  std::string event;  // what was told: "opened", "escalated", "restored", "closed", "run/<step>", ...
  std::string level;  // of the escalation, empty for none
  std::string contact;
  std::string channel;      // smtp, webhook, pagerduty, ...
  std::uint32_t index = 0;  // of the channel in the contact's list
  std::string state;        // sent, failed, limited, skipped
  std::string detail;
  std::uint32_t attempts = 0;
  WallTime time;  // set by the journal
};
IncidentRecord to_record(const IncidentDelivery& delivery);

struct LinkedRun {
  std::string run, scenario;
  WallTime time;
};

struct ActionItem {
  std::string id;  // "a1", "a2", ...
  std::string text, owner, due;
  WallTime added;
  std::optional<WallTime> done;
  std::string done_by, evidence;
};

// The parts of the report that only people can write, by their names in its JSON. Of the last two every text counts, of
// the others the newest.
inline constexpr std::array<std::string_view, 8> kReportParts = {
    "root_cause", "impact", "users_affected", "revenue_impact", "resolution", "prevention", "went_well", "to_improve"};
// kInvalidArgument naming the parts there are.
Status check_report_part(std::string_view part);

struct WrittenText {
  std::string part, contact, text;
  WallTime time;
};

struct IncidentState {
  std::string id, scenario, severity, service, plan_file, plan_hash, origin;
  std::string opened_by;  // empty: by itself
  std::string summary;    // the text that it was opened with
  std::optional<WallTime> opened, closed;
  std::string closed_by, closing;
  std::vector<IncidentVerdict> verdicts;
  std::vector<IncidentSignal> signals;
  std::vector<IncidentNote> notes;
  std::vector<Acknowledgement> acknowledgements;  // each person once, the latest: it holds again from then on
  std::vector<LinkedRun> runs;                    // each once
  std::vector<WrittenText> written;               // in the order of writing, also what was written anew
  std::vector<ActionItem> actions;
  std::vector<IncidentDelivery> deliveries;  // the newest state of each event, contact and channel
  WallTime last_time;

  bool open() const { return opened && !closed; }
  const Acknowledgement* acknowledged_by(std::string_view contact) const;
  const ActionItem* action(std::string_view id) const;
};

// The state after one more record. kFailedPrecondition, with what to do, when it may not follow.
Status apply(IncidentState& state, const IncidentRecord& record);

}  // namespace anclora::respond
