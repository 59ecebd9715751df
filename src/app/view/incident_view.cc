#include "app/view/incident_view.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace anclora::app {
namespace {

using Json = nlohmann::ordered_json;
using respond::IncidentState;

Json time_of(const std::optional<WallTime>& time) { return time ? Json(format_rfc3339(*time)) : Json(nullptr); }

Json list_of(const auto& items, const auto& make) {
  Json list = Json::array();
  for (const auto& item : items) list.push_back(make(item));
  return list;
}

Json facts_json(const IncidentState& state) {
  return {{"acknowledgements",
           list_of(state.acknowledgements,
                   [](const auto& each) -> Json {
                     return {{"contact", each.contact}, {"time", format_rfc3339(each.time)}, {"text", each.text}};
                   })},
          {"verdicts", list_of(state.verdicts,
                               [](const auto& each) -> Json {
                                 return {{"time", format_rfc3339(each.time)},
                                         {"detection", each.detection},
                                         {"evidence", each.evidence},
                                         {"first_bad", time_of(each.first_bad)},
                                         {"not_started", each.not_started}};
                               })},
          {"signals", list_of(state.signals,
                              [](const auto& each) -> Json {
                                return {{"time", format_rfc3339(each.time)},
                                        {"source", each.source},
                                        {"name", each.name},
                                        {"state", each.state},
                                        {"text", each.text}};
                              })},
          {"notes", list_of(state.notes,
                            [](const auto& each) -> Json {
                              return {
                                  {"time", format_rfc3339(each.time)}, {"contact", each.contact}, {"text", each.text}};
                            })},
          {"written", list_of(state.written,
                              [](const auto& each) -> Json {
                                return {{"part", each.part},
                                        {"contact", each.contact},
                                        {"time", format_rfc3339(each.time)},
                                        {"text", each.text}};
                              })},
          {"actions", list_of(state.actions,
                              [](const auto& each) -> Json {
                                return {{"id", each.id},
                                        {"text", each.text},
                                        {"owner", each.owner},
                                        {"due", each.due},
                                        {"added", format_rfc3339(each.added)},
                                        {"done", time_of(each.done)},
                                        {"done_by", each.done_by},
                                        {"evidence", each.evidence}};
                              })},
          {"deliveries", list_of(state.deliveries, [](const auto& each) -> Json {
             return {{"time", format_rfc3339(each.time)},
                     {"event", each.event},
                     {"level", each.level},
                     {"contact", each.contact},
                     {"channel", each.channel},
                     {"index", each.index},
                     {"state", each.state},
                     {"detail", each.detail},
                     {"attempts", each.attempts}};
           })}};
}

std::string one_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string event_text(const respond::ReportEvent& event) {
  const std::string what = event.step.empty() ? event.kind : event.kind + " " + event.step;
  const std::string by = event.actor.empty() ? "" : " by " + event.actor;
  const std::string text = event.text.empty() ? "" : ": " + one_line(event.text);
  return fmt::format("  {}  {}{}{}  [{}]\n", format_rfc3339(event.time).substr(11, 12), what, by, text, event.source);
}

std::string actions_text(const IncidentState& state) {
  std::string text;
  for (const respond::ActionItem& item : state.actions) {
    text += fmt::format("  {} {} {}: {}", item.done ? "✓" : " ", item.id, item.owner, one_line(item.text));
    if (!item.due.empty()) text += ", due " + item.due;
    text += item.done ? fmt::format(" (done by {}: {})\n", item.done_by, one_line(item.evidence)) : "\n";
  }
  return text;
}

std::string people_text(const IncidentState& state) {
  std::string text;
  for (const respond::Acknowledgement& each : state.acknowledgements)
    text += fmt::format("acknowledged by {} at {}\n", each.contact, format_rfc3339(each.time));
  if (state.acknowledgements.empty()) text += "acknowledged by nobody\n";
  std::size_t failed = 0;
  for (const respond::IncidentDelivery& each : state.deliveries) failed += each.state == "failed" ? 1 : 0;
  if (!state.deliveries.empty()) text += fmt::format("told: {} messages, {} failed\n", state.deliveries.size(), failed);
  return text;
}

}  // namespace

std::string next_command(const IncidentView& view) {
  const IncidentState& state = view.content.state;
  if (state.open() && state.acknowledgements.empty()) return fmt::format("anclora incident ack {} --as NAME", state.id);
  for (const RunLine& run : view.runs)
    if (!run.next_command.empty()) return run.next_command;
  if (!state.open()) return {};
  bool running = false;
  for (const RunLine& run : view.runs) running = running || run.state == "running";
  if (running) return {};
  if (view.runs.empty())
    return fmt::format("anclora run start {} --plan {} --as NAME --dry-run", state.scenario, state.plan_file);
  return fmt::format("anclora incident close {} --as NAME --reason TEXT", state.id);
}

Json to_json(const IncidentState& state) {
  return {{"incident", state.id},         {"state", state.open() ? "open" : "closed"},
          {"scenario", state.scenario},   {"severity", state.severity},
          {"service", state.service},     {"opened", time_of(state.opened)},
          {"opened_by", state.opened_by}, {"origin", state.origin},
          {"summary", state.summary},     {"closed", time_of(state.closed)},
          {"closed_by", state.closed_by}, {"closing", state.closing}};
}

Json to_json(const IncidentView& view) {
  const IncidentState& state = view.content.state;
  Json json = to_json(state);
  json["plan_file"] = state.plan_file;
  json["plan_hash"] = state.plan_hash;
  json.update(facts_json(state));
  json["runs"] = list_of(view.runs, [](const RunLine& run) -> Json {
    return {{"run", run.run}, {"state", run.state}, {"next_command", run.next_command}};
  });
  json["timeline"] = list_of(view.timeline, [](const respond::ReportEvent& event) -> Json {
    return {{"time", format_rfc3339(event.time)},
            {"source", event.source},
            {"kind", event.kind},
            {"step", event.step},
            {"actor", event.actor},
            {"text", event.text}};
  });
  json["journal"] = {{"records", view.content.count},
                     {"segments", view.content.segments},
                     {"hash", to_hex(view.content.tip)},
                     {"cut_bytes", view.content.torn_bytes}};
  json["problems"] = view.problems;
  json["next_command"] = next_command(view);
  return json;
}

std::string to_line(const IncidentState& state, WallTime now) {
  const WallTime end = state.closed ? *state.closed : now;
  return fmt::format("{} {:<7} {:<9} {} for {}{}\n", state.id, state.open() ? "open" : "closed", state.severity,
                     state.scenario, format_duration(end - state.opened.value_or(end)),
                     state.open() && state.acknowledgements.empty() ? ", acknowledged by nobody" : "");
}

std::string to_text(const IncidentView& view) {
  const IncidentState& state = view.content.state;
  std::string text = to_line(state, view.now);
  if (!state.summary.empty()) text += one_line(state.summary) + "\n";
  text += people_text(state);
  for (const RunLine& run : view.runs) text += fmt::format("run {}: {}\n", run.run, run.state);
  text += "timeline (UTC):\n";
  for (const respond::ReportEvent& event : view.timeline) text += event_text(event);
  if (!state.actions.empty()) text += "action items:\n" + actions_text(state);
  if (state.closed)
    text += fmt::format("closed by {} at {}: {}\n", state.closed_by, format_rfc3339(*state.closed),
                        one_line(state.closing));
  for (const std::string& problem : view.problems) text += "PROBLEM " + problem + "\n";
  if (const std::string next = next_command(view); !next.empty()) text += "next: " + next + "\n";
  return text;
}

}  // namespace anclora::app
