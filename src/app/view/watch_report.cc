#include "app/view/watch_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

namespace anclora::app {
namespace {

nlohmann::ordered_json time_or_null(const std::optional<WallTime>& time) {
  return time ? nlohmann::ordered_json(format_rfc3339(*time)) : nlohmann::ordered_json();
}

std::string clock_time(WallTime time) { return format_rfc3339(time).substr(11, 8) + "Z"; }

}  // namespace

nlohmann::ordered_json to_json(const respond::ProbeView& probe) {
  nlohmann::ordered_json json = {{"id", probe.probe},
                                 {"uses", probe.uses},
                                 {"vantage", probe.vantage},
                                 {"here", probe.here},
                                 {"control", probe.control},
                                 {"state", respond::to_string(probe.state)},
                                 {"down_since", time_or_null(probe.down_since)},
                                 {"changed_at", time_or_null(probe.changed_at)},
                                 {"last", nullptr}};
  if (probe.last)
    json["last"] = {{"state", respond::to_string(probe.last->state)},
                    {"at", format_rfc3339(probe.last->at)},
                    {"took_ms", static_cast<double>(probe.last->took.count()) / 1000},
                    {"reason", probe.last->reason},
                    {"facts", probe.last->facts}};
  return json;
}

nlohmann::ordered_json to_json(const respond::RuleVerdict& verdict) {
  return {{"rule", verdict.rule},
          {"scenario", verdict.scenario},
          {"state", respond::to_string(verdict.state)},
          {"policy", verdict.start ? "start" : "propose"},
          {"out_since", time_or_null(verdict.out_since)},
          {"held_since", time_or_null(verdict.held_since)},
          {"acted_at", time_or_null(verdict.acted_at)},
          {"evidence", verdict.evidence}};
}

std::string to_text(const respond::ProbeView& probe) {
  std::string text = fmt::format("{} at {}: {}", probe.probe, probe.vantage, respond::to_string(probe.state));
  if (probe.down_since) text += " since " + clock_time(*probe.down_since);
  if (!probe.last) return text + (probe.here ? ", not looked at yet" : ", nobody has reported");
  // One look settles nothing: the state follows when several agree.
  if (probe.last->state != probe.state)
    text += fmt::format(" yet, last seen {}", respond::to_string(probe.last->state));
  if (!probe.last->reason.empty()) text += ", " + probe.last->reason;
  return text;
}

std::string to_text(const respond::RuleVerdict& verdict) {
  std::string text = fmt::format("{}: {}", verdict.rule, respond::to_string(verdict.state));
  if (verdict.out_since) text += ", out since " + clock_time(*verdict.out_since);
  if (!verdict.evidence.empty()) text += fmt::format(" ({})", fmt::join(verdict.evidence, "; "));
  return text;
}

}  // namespace anclora::app
