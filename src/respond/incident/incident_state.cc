#include "respond/incident/incident_state.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace anclora::respond {
namespace {

Error refused(std::string message, std::string hint) {
  return Error(ErrorKind::kFailedPrecondition, std::move(message), std::move(hint));
}

bool may_follow_the_end(IncidentKind kind) {
  return kind == IncidentKind::kNote || kind == IncidentKind::kDelivery || kind == IncidentKind::kWritten ||
         kind == IncidentKind::kActionAdded || kind == IncidentKind::kActionDone;
}

std::optional<WallTime> time_field(const IncidentRecord& record, std::string_view name) {
  const auto time = parse_rfc3339(record.field(name));
  return time ? std::optional(*time) : std::nullopt;
}

void take_opening(IncidentState& state, const IncidentRecord& record) {
  state.id = record.field("incident");
  state.scenario = record.field("scenario");
  state.severity = record.field("severity");
  state.service = record.field("service");
  state.plan_file = record.field("plan_file");
  state.plan_hash = record.field("plan_hash");
  state.origin = record.field("origin");
  state.opened_by = record.actor;
  state.summary = record.text;
  state.opened = record.time;
}

std::uint32_t number_field(const IncidentRecord& record, std::string_view name) {
  const std::string text = record.field(name);
  std::uint32_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void take_delivery(IncidentState& state, const IncidentRecord& record) {
  IncidentDelivery delivery;
  delivery.event = record.field("event");
  delivery.level = record.field("level");
  delivery.contact = record.field("contact");
  delivery.channel = record.field("channel");
  delivery.index = number_field(record, "index");
  delivery.state = record.field("state");
  delivery.detail = record.text;
  delivery.attempts = number_field(record, "attempts");
  delivery.time = record.time;
  const auto known = std::ranges::find_if(state.deliveries, [&](const IncidentDelivery& other) {
    return other.event == delivery.event && other.contact == delivery.contact && other.channel == delivery.channel &&
           other.index == delivery.index;
  });
  if (known == state.deliveries.end())
    state.deliveries.push_back(std::move(delivery));
  else
    *known = std::move(delivery);
}

Status take_action_done(IncidentState& state, const IncidentRecord& record) {
  const std::string id = record.field("item");
  const auto item = std::ranges::find(state.actions, id, &ActionItem::id);
  if (item == state.actions.end())
    return refused(fmt::format("{} has no action item {}", state.id, id), "see them: anclora incident show");
  if (item->done)
    return refused(fmt::format("{} is done already, since {}, by {}", id, format_rfc3339(*item->done), item->done_by),
                   "see it: anclora incident show");
  item->done = record.time;
  item->done_by = record.actor;
  item->evidence = record.text;
  return {};
}

Status take_action_added(IncidentState& state, const IncidentRecord& record) {
  if (state.action(record.field("item")) != nullptr)
    return refused(record.field("item") + " is there already", "add it under another id");
  state.actions.push_back(
      {record.field("item"), record.text, record.field("owner"), record.field("due"), record.time, {}, {}, {}});
  return {};
}

Status take_written(IncidentState& state, const IncidentRecord& record) {
  if (const Status known = check_report_part(record.field("part")); !known) return refused(known.error().message(), "");
  state.written.push_back({record.field("part"), record.actor, record.text, record.time});
  return {};
}

Status take(IncidentState& state, const IncidentRecord& record) {
  switch (record.kind) {
    case IncidentKind::kOpened:
      take_opening(state, record);
      return {};
    case IncidentKind::kVerdict:
      state.verdicts.push_back({record.time, record.field("detection"), record.text, time_field(record, "first_bad"),
                                record.field("not_started")});
      return {};
    case IncidentKind::kSignal:
      state.signals.push_back(
          {record.time, record.field("source"), record.field("name"), record.field("state"), record.text});
      return {};
    case IncidentKind::kSeverity:
      state.severity = record.field("severity");
      return {};
    case IncidentKind::kNote:
      state.notes.push_back({record.time, record.actor, record.text});
      return {};
    case IncidentKind::kAcknowledged:
      std::erase_if(state.acknowledgements,
                    [&](const Acknowledgement& before) { return before.contact == record.actor; });
      state.acknowledgements.push_back({record.actor, record.time, record.text});
      return {};
    case IncidentKind::kDelivery:
      take_delivery(state, record);
      return {};
    case IncidentKind::kRunLinked:
      if (std::ranges::find(state.runs, record.field("run"), &LinkedRun::run) == state.runs.end())
        state.runs.push_back({record.field("run"), record.field("scenario"), record.time});
      return {};
    case IncidentKind::kWritten:
      return take_written(state, record);
    case IncidentKind::kActionAdded:
      return take_action_added(state, record);
    case IncidentKind::kActionDone:
      return take_action_done(state, record);
    case IncidentKind::kClosed:
      break;
  }
  state.closed = record.time;
  state.closed_by = record.actor;
  state.closing = record.text;
  return {};
}

}  // namespace

Status check_report_part(std::string_view part) {
  if (std::ranges::find(kReportParts, part) != kReportParts.end()) return {};
  return Error(ErrorKind::kInvalidArgument, fmt::format("the report has no part \"{}\"", part),
               fmt::format("it has: {}", fmt::join(kReportParts, ", ")));
}

IncidentRecord to_record(const IncidentDelivery& delivery) {
  IncidentRecord record(IncidentKind::kDelivery, {}, delivery.detail);
  record.fields = {{"event", delivery.event},
                   {"level", delivery.level},
                   {"contact", delivery.contact},
                   {"channel", delivery.channel},
                   {"index", std::to_string(delivery.index)},
                   {"state", delivery.state},
                   {"attempts", std::to_string(delivery.attempts)}};
  return record;
}

const Acknowledgement* IncidentState::acknowledged_by(std::string_view contact) const {
  const auto found = std::ranges::find(acknowledgements, contact, &Acknowledgement::contact);
  return found == acknowledgements.end() ? nullptr : &*found;
}

const ActionItem* IncidentState::action(std::string_view item) const {
  const auto found = std::ranges::find(actions, item, &ActionItem::id);
  return found == actions.end() ? nullptr : &*found;
}

Status apply(IncidentState& state, const IncidentRecord& record) {
  const bool opening = record.kind == IncidentKind::kOpened;
  if (opening == state.opened.has_value())
    return refused(opening ? "the incident is opened twice" : "the incident was not opened", "");
  if (state.closed && !may_follow_the_end(record.kind))
    return refused(
        fmt::format("{} was closed at {}", state.id, format_rfc3339(*state.closed)),
        "what comes after it is a note, a text of the report or an action item; a new one: anclora incident open");
  RETURN_IF_ERROR(take(state, record));
  state.last_time = record.time;
  return {};
}

}  // namespace anclora::respond
