#include "app/view/drill_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "respond/drill/scorecard.h"

namespace anclora::app {
namespace {

using Json = nlohmann::ordered_json;
using respond::DrillRecord;

Json seconds_of(const std::optional<Duration>& duration) {
  if (!duration) return nullptr;
  return static_cast<double>(duration->count()) / 1e6;
}

Json time_of(const std::optional<WallTime>& time) { return time ? Json(format_rfc3339(*time)) : Json(nullptr); }

std::string short_time(WallTime time) { return format_rfc3339(time).substr(0, 16) + "Z"; }

std::string of_objective(const std::optional<Duration>& objective) {
  return objective ? ", objective " + format_duration(*objective) : std::string();
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string split_text(const respond::DrillAchieved& achieved) {
  std::string text;
  for (const auto& [name, part] : {std::pair("detect", achieved.detect), std::pair("decide", achieved.decide),
                                   std::pair("act", achieved.act), std::pair("verify", achieved.verify)})
    if (part) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, format_duration(*part));
  return text;
}

std::string rpo_text(const DrillRecord& record, const respond::DrillTrend& trend) {
  std::string text = respond::figure_with_trend(record.achieved.rpo, trend.rpo_before);
  if (record.achieved.rpo_writes) text += fmt::format(", {} writes", *record.achieved.rpo_writes);
  if (record.achieved.rpo_basis == "clock") text += ", by the clock: at most";
  if (record.achieved.rpo_basis == "beacon") text += ", by the beacon";
  if (record.achieved.rpo_basis == "source") text += ", by the source's offset";
  return text;
}

Json brief_json(const DrillRecord& record) {
  return {{"id", record.id},
          {"number", record.number},
          {"scenario", record.scenario},
          {"environment", record.environment},
          {"started", format_rfc3339(record.started)},
          {"ended", format_rfc3339(record.ended)},
          {"passed", record.passed},
          {"interrupted", record.interrupted},
          {"cleaned", record.cleanup.done},
          {"rto_seconds", seconds_of(record.achieved.rto)},
          {"rto_objective_seconds", seconds_of(record.objectives.rto)},
          {"rpo_seconds", seconds_of(record.achieved.rpo)},
          {"rpo_objective_seconds", seconds_of(record.objectives.rpo)},
          {"reasons", record.reasons}};
}

}  // namespace

std::string to_text(const DrillRecord& record, const std::vector<DrillRecord>& records) {
  const respond::DrillTrend trend = respond::trend_of(records, record);
  std::string text = fmt::format("drill {} of {} on {}: {}\n", record.id, record.scenario, record.environment,
                                 record.passed ? "passed" : "FAILED");
  for (const std::string& reason : record.reasons) text += "  because: " + first_line(reason) + "\n";
  text += fmt::format("  RTO  {}{}\n", respond::figure_with_trend(record.achieved.rto, trend.rto_before),
                      of_objective(record.objectives.rto));
  if (const std::string split = split_text(record.achieved); !split.empty()) text += "       " + split + "\n";
  text += fmt::format("  RPO  {}{}\n", rpo_text(record, trend), of_objective(record.objectives.rpo));
  for (const respond::DrillStep& step : record.steps)
    text += fmt::format("  {:<9} {:<16} {:<14} {:<9} {}\n", step.part, step.id, step.state,
                        step.took ? format_duration(*step.took) : "", first_line(step.summary));
  for (const respond::DrillCheck& check : record.checks)
    text += fmt::format("  {} {}: {}\n", check.passed ? "ok " : "BAD", check.name, first_line(check.result));
  text += fmt::format("  cleanup {}: {}\n", record.cleanup.done ? "done" : "NOT DONE", record.cleanup.text);
  text += fmt::format("  record {}, {} earlier of this scenario, {} passed, {} in a row\n", record.number,
                      trend.earlier, trend.passed, trend.in_a_row);
  return text;
}

Json to_json(const DrillRecord& record, const std::vector<DrillRecord>& records) {
  Hash256 hash{};
  Json json = Json::parse(respond::encode_drill_record(record, {}, hash));
  for (const char* member : {"v", "n", "prev", "hash"}) json.erase(member);
  json["number"] = record.number;
  const respond::DrillTrend trend = respond::trend_of(records, record);
  json["trend"] = {{"earlier", trend.earlier},
                   {"earlier_passed", trend.passed},
                   {"passed_in_a_row", trend.in_a_row},
                   {"rto_before_seconds", seconds_of(trend.rto_before)},
                   {"rpo_before_seconds", seconds_of(trend.rpo_before)}};
  return json;
}

std::string schedule_text(const std::vector<respond::ScheduledDrill>& schedule, WallTime now) {
  std::string text;
  for (const respond::ScheduledDrill& drill : schedule) {
    std::string when = "due now: it never passed";
    if (drill.ever_passed())
      when = drill.overdue ? "overdue since " + short_time(drill.due) : "due " + short_time(drill.due);
    if (drill.next_attempt > now && drill.overdue) when += ", next attempt " + short_time(drill.next_attempt);
    text += fmt::format("{:<20} {:<20} {:<12} {}{}\n", drill.id, drill.scenario, drill.environment, when,
                        drill.unverified && drill.ever_passed() ? ", unverified: the plan was edited since" : "");
  }
  return text;
}

Json schedule_json(const std::vector<respond::ScheduledDrill>& schedule) {
  Json list = Json::array();
  for (const respond::ScheduledDrill& drill : schedule)
    list.push_back({{"id", drill.id},
                    {"scenario", drill.scenario},
                    {"environment", drill.environment},
                    {"every_seconds", seconds_of(drill.every)},
                    {"last_run", time_of(drill.last_run)},
                    {"last_passed", time_of(drill.last_passed)},
                    {"due", drill.ever_passed() ? Json(format_rfc3339(drill.due)) : Json(nullptr)},
                    {"next_attempt", drill.last_run ? Json(format_rfc3339(drill.next_attempt)) : Json(nullptr)},
                    {"overdue", drill.overdue},
                    {"unverified", drill.unverified}});
  return list;
}

std::string to_text(const DrillOverview& overview) {
  std::string text;
  for (const DrillRecord& record : overview.ledger.records) {
    const respond::DrillTrend trend = respond::trend_of(overview.ledger.records, record);
    text += fmt::format("{:>3} {} {:<6} {:<18} {:<10} RTO {}; RPO {}  {}\n", record.number, short_time(record.started),
                        record.passed ? "passed" : "FAILED", record.scenario, record.environment,
                        respond::figure_with_trend(record.achieved.rto, trend.rto_before),
                        respond::figure_with_trend(record.achieved.rpo, trend.rpo_before), record.id);
    if (!record.reasons.empty()) text += "      " + first_line(record.reasons.front()) + "\n";
    if (!record.cleanup.done) text += "      not cleaned up: " + first_line(record.cleanup.text) + "\n";
  }
  if (overview.ledger.records.empty()) text += "no drill was run on this machine: anclora drill run restore\n";
  for (const std::string& id : overview.running) text += "running: " + id + "\n";
  for (const std::string& id : overview.abandoned)
    text += fmt::format("left open: {}; its process is gone: anclora drill clean\n", id);
  text += schedule_text(overview.schedule, overview.now);
  if (!overview.ledger.records.empty())
    text += fmt::format("the newest record's hash is {}\n", to_hex(overview.ledger.tip));
  return text;
}

Json to_json(const DrillOverview& overview) {
  Json drills = Json::array();
  for (const DrillRecord& record : overview.ledger.records) drills.push_back(brief_json(record));
  return {{"drills", std::move(drills)},
          {"running", overview.running},
          {"left_open", overview.abandoned},
          {"schedule", schedule_json(overview.schedule)},
          {"damage", overview.ledger.damage},
          {"newest_hash", overview.ledger.records.empty() ? Json(nullptr) : Json(to_hex(overview.ledger.tip))}};
}

}  // namespace anclora::app
