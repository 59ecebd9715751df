#include "respond/drill/drill_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "respond/runbook/sealed_record.h"

namespace anclora::respond {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;

// How much of a record is kept. The first that fits is taken; the last always fits.
struct Room {
  std::size_t text, items;  // bytes of a text, entries of a list
};
constexpr Room kRooms[] = {{kMaxDrillText, 1000}, {1024, 1000}, {256, 1000}, {64, 100}};

std::string cut(const std::string& text, const Room& room) {
  return text.size() <= room.text ? text : text.substr(0, room.text) + " [cut]";
}

// Microseconds as a decimal number of seconds, exact both ways for two centuries.
double seconds_of(Duration duration) { return static_cast<double>(duration.count()) / 1e6; }

void put(Json& json, const char* name, const std::optional<Duration>& duration) {
  if (duration) json[name] = seconds_of(*duration);
}

std::optional<Duration> duration_in(const Json& json, const char* name) {
  if (!json.contains(name)) return std::nullopt;
  return Duration(std::llround(json.at(name).get<double>() * 1e6));
}

Json lists_json(const DrillRecord& record, const Room& room) {
  Json lists;
  const auto add = [&](const char* name, const auto& items, const auto& to_json) {
    lists[name] = Json::array();
    for (const auto& item : items)
      if (lists[name].size() < room.items) lists[name].push_back(to_json(item));
  };
  add("checks", record.checks, [&](const DrillCheck& check) {
    return Json{{"name", cut(check.name, room)}, {"result", cut(check.result, room)}, {"passed", check.passed}};
  });
  add("steps", record.steps, [&](const DrillStep& step) {
    Json json{{"part", step.part}, {"id", cut(step.id, room)}, {"uses", cut(step.uses, room)}, {"state", step.state}};
    put(json, "seconds", step.took);
    json["summary"] = cut(step.summary, room);
    return json;
  });
  return lists;
}

Json facts_json(const std::map<std::string, std::string>& facts, const Room& room) {
  Json json = Json::object();
  for (const auto& [name, value] : facts)
    if (json.size() < room.items) json[cut(name, room)] = cut(value, room);
  if (room.text < kMaxDrillText)
    json["cut"] = fmt::format("the record was too large: texts beyond {} bytes and lists beyond {} entries were cut",
                              room.text, room.items);
  return json;
}

Json measured_json(const DrillRecord& record) {
  Json json;
  const DrillObjectives& wanted = record.objectives;
  json["objectives"] = {{"severity", wanted.severity}};
  put(json["objectives"], "rto_seconds", wanted.rto);
  put(json["objectives"], "rto_max_seconds", wanted.rto_max);
  put(json["objectives"], "rpo_seconds", wanted.rpo);
  const DrillAchieved& achieved = record.achieved;
  Json& got = json["achieved"] = Json::object();
  put(got, "rto_seconds", achieved.rto);
  put(got, "detect_seconds", achieved.detect);
  put(got, "decide_seconds", achieved.decide);
  put(got, "act_seconds", achieved.act);
  put(got, "verify_seconds", achieved.verify);
  put(got, "rpo_seconds", achieved.rpo);
  if (achieved.rpo_writes) got["rpo_writes"] = *achieved.rpo_writes;
  got["rpo_basis"] = achieved.rpo_basis;
  return json;
}

void read_measured(const Json& json, DrillRecord& record) {
  const Json& wanted = json.at("objectives");
  record.objectives = {wanted.value("severity", ""), duration_in(wanted, "rto_seconds"),
                       duration_in(wanted, "rto_max_seconds"), duration_in(wanted, "rpo_seconds")};
  const Json& got = json.at("achieved");
  DrillAchieved& achieved = record.achieved;
  achieved.rto = duration_in(got, "rto_seconds");
  achieved.detect = duration_in(got, "detect_seconds");
  achieved.decide = duration_in(got, "decide_seconds");
  achieved.act = duration_in(got, "act_seconds");
  achieved.verify = duration_in(got, "verify_seconds");
  achieved.rpo = duration_in(got, "rpo_seconds");
  if (got.contains("rpo_writes")) achieved.rpo_writes = got.at("rpo_writes").get<std::uint64_t>();
  achieved.rpo_basis = got.value("rpo_basis", "");
}

Result<DecodedDrill> read_fields(const Json& json) {
  RETURN_IF_ERROR(check_record_version(json, kVersion));
  DecodedDrill decoded;
  DrillRecord& record = decoded.record;
  record.number = json.at("n").get<std::uint64_t>();
  record.id = json.at("id").get<std::string>();
  record.scenario = json.at("scenario").get<std::string>();
  record.environment = json.value("environment", "");
  record.service = json.value("service", "");
  record.plan_file = json.value("plan_file", "");
  record.plan_hash = json.value("plan_hash", "");
  record.starter = json.value("starter", "");
  record.runner = json.value("runner", "");
  record.program = json.value("program", "");
  record.inject_run = json.value("inject_run", "");
  record.recovery_run = json.value("recovery_run", "");
  ASSIGN_OR_RETURN(record.started, parse_rfc3339(json.at("started").get<std::string>()));
  ASSIGN_OR_RETURN(record.ended, parse_rfc3339(json.at("ended").get<std::string>()));
  record.passed = json.at("passed").get<bool>();
  record.interrupted = json.value("interrupted", false);
  record.reasons = json.at("reasons").get<std::vector<std::string>>();
  read_measured(json, record);
  for (const Json& each : json.at("checks"))
    record.checks.push_back(
        {each.at("name").get<std::string>(), each.at("result").get<std::string>(), each.at("passed").get<bool>()});
  for (const Json& each : json.at("steps"))
    record.steps.push_back({each.at("part").get<std::string>(), each.at("id").get<std::string>(),
                            each.value("uses", ""), each.at("state").get<std::string>(), duration_in(each, "seconds"),
                            each.value("summary", "")});
  record.cleanup = {json.at("cleanup").at("done").get<bool>(), json.at("cleanup").value("text", "")};
  record.facts = json.at("facts").get<std::map<std::string, std::string>>();
  ASSIGN_OR_RETURN(decoded.previous, parse_hash(json.at("prev").get<std::string>()));
  return decoded;
}

std::string encode(const DrillRecord& record, const Hash256& previous, const Room& room) {
  Json json{{"v", kVersion},
            {"n", record.number},
            {"id", record.id},
            {"scenario", record.scenario},
            {"environment", record.environment},
            {"service", cut(record.service, room)},
            {"plan_file", cut(record.plan_file, room)},
            {"plan_hash", record.plan_hash},
            {"starter", cut(record.starter, room)},
            {"runner", cut(record.runner, room)},
            {"program", cut(record.program, room)},
            {"inject_run", record.inject_run},
            {"recovery_run", record.recovery_run},
            {"started", format_rfc3339(record.started)},
            {"ended", format_rfc3339(record.ended)},
            {"passed", record.passed},
            {"interrupted", record.interrupted}};
  json["reasons"] = Json::array();
  for (const std::string& reason : record.reasons)
    if (json["reasons"].size() < room.items) json["reasons"].push_back(cut(reason, room));
  json.update(measured_json(record));
  json.update(lists_json(record, room));
  json["cleanup"] = {{"done", record.cleanup.done}, {"text", cut(record.cleanup.text, room)}};
  json["facts"] = facts_json(record.facts, room);
  json["prev"] = to_hex(previous);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string encode_drill_record(const DrillRecord& record, const Hash256& previous, Hash256& hash) {
  std::string line;
  for (const Room& room : kRooms) {
    line = seal_line(encode(record, previous, room), hash);
    if (line.size() <= kMaxDrillRecordBytes) break;
  }
  return line;
}

Result<DecodedDrill> decode_drill_record(std::string_view line) {
  return decode_sealed(line, kMaxDrillRecordBytes, read_fields);
}

std::vector<plan::DrillResult> to_results(const std::vector<DrillRecord>& records) {
  std::vector<plan::DrillResult> results;
  results.reserve(records.size());
  for (const DrillRecord& record : records)
    results.push_back({record.id, record.scenario, record.environment, record.plan_hash, record.passed, record.ended,
                       record.achieved.rto, record.achieved.rpo});
  return results;
}

bool judge_objectives(const DrillObjectives& objectives, const DrillAchieved& achieved,
                      std::vector<std::string>& reasons) {
  const std::size_t before = reasons.size();
  const auto judge = [&](const char* name, const std::optional<Duration>& wanted, const std::optional<Duration>& got) {
    if (!wanted) return;
    if (!got)
      reasons.push_back(fmt::format("{} was not measured; the objective is {}", name, format_duration(*wanted)));
    else if (*got > *wanted)
      reasons.push_back(
          fmt::format("{} {} misses the objective of {}", name, format_duration(*got), format_duration(*wanted)));
  };
  judge("RTO", objectives.rto, achieved.rto);
  judge("RPO", objectives.rpo, achieved.rpo);
  return reasons.size() == before;
}

}  // namespace anclora::respond
