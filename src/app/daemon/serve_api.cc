#include "app/daemon/serve_api.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "app/cli/drill_site.h"
#include "app/cli/incident_site.h"
#include "app/view/drill_report.h"
#include "app/view/incident_view.h"
#include "app/view/run_report.h"
#include "app/view/watch_report.h"
#include "plan/lint/plan_lookup.h"
#include "respond/runbook/run_folder.h"

#ifndef ANCLORA_VERSION
#define ANCLORA_VERSION "0.1.0"
#endif

namespace anclora::app {
namespace {

using Json = nlohmann::ordered_json;
using app::to_json;  // beside those of this file

constexpr Duration kAnswerWithin = std::chrono::seconds(3);
constexpr std::size_t kNewestRuns = 50;
constexpr std::size_t kMostReadings = 100;

std::string dumped(const Json& json) { return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace); }

Json maybe(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }
Json maybe(const std::optional<WallTime>& time) { return time ? Json(format_rfc3339(*time)) : Json(nullptr); }

Json to_json(const ChildView& child) {
  return {{"name", child.name},
          {"running", child.running},
          {"pid", child.pid},
          {"kept", child.keep},
          {"started", maybe(child.started)},
          {"restarts", child.restarts},
          {"last_exit", child.last_exit ? Json(*child.last_exit) : Json(nullptr)},
          {"problem", child.problem}};
}

Json to_json(const BackupView& backup) {
  const double objective = static_cast<double>(backup.rpo_objective.count()) / 1e6;
  return {{"id", backup.id},
          {"source", backup.source},
          {"repository", backup.repository},
          {"data", backup.data},
          {"away", backup.away},
          {"age_seconds", maybe(backup.age_seconds)},
          {"lag_seconds", maybe(backup.lag_seconds)},
          {"rpo_seconds", maybe(backup.rpo_seconds())},
          {"rpo_objective_seconds", objective > 0 ? Json(objective) : Json(nullptr)},
          {"asked", maybe(backup.asked)}};
}

Json to_json(const RunView& run) {
  return {{"run", run.run},
          {"scenario", run.scenario},
          {"state", run.state},
          {"has_runner", run.has_runner},
          {"waits_for", run.waits_for},
          {"next_command", run.next_command},
          {"elapsed_seconds", run.elapsed_seconds},
          {"forecast_seconds", run.forecast_seconds},
          {"over_rto", run.over_rto}};
}

template <class T>
Json list_of(const std::vector<T>& items) {
  Json list = Json::array();
  for (const T& item : items) list.push_back(to_json(item));
  return list;
}

Result<respond::RequestKind> kind_of(const std::string& what) {
  using enum respond::RequestKind;
  for (const auto kind : {kApprove, kRefuse, kSkip, kDone, kRetry, kUndo, kAbort})
    if (respond::to_string(kind) == what) return kind;
  return Error(ErrorKind::kNotFound, "a run takes no " + what);
}

// The runner's answer, as it stands in the journal.
Result<std::string> answer_of(const CommandContext& context, const std::string& folder, const std::string& id) {
  const MonoTime deadline = context.clock.mono_now() + kAnswerWithin;
  do {
    ASSIGN_OR_RETURN(const respond::JournalContent journal, respond::read_journal(context.files, folder));
    for (const respond::RunRecord& record : journal.records) {
      if (record.request != id) continue;
      if (record.kind == respond::RecordKind::kRequestRefused)
        return Error(ErrorKind::kFailedPrecondition, record.text.substr(0, record.text.find("\nhint: ")));
      return dumped({{"answer", respond::to_string(record.kind)}, {"step", record.step}});
    }
    context.clock.sleep_for(std::chrono::milliseconds(50));
  } while (context.clock.mono_now() < deadline);
  return Error(ErrorKind::kDeadlineExceeded, "the runner has not answered yet", "look: GET /api/runs");
}

Result<respond::Reading> reading_of(const nlohmann::json& json) {
  respond::Reading reading;
  const std::string state = json.value("state", "");
  if (state != "up" && state != "down" && state != "unknown")
    return Error(ErrorKind::kInvalidArgument, "a reading's state is up, down or unknown");
  reading.state = state == "up"     ? respond::ProbeState::kUp
                  : state == "down" ? respond::ProbeState::kDown
                                    : respond::ProbeState::kUnknown;
  reading.reason = json.value("reason", "").substr(0, 300);
  ASSIGN_OR_RETURN(reading.at, parse_rfc3339(json.value("at", "")));
  return reading;
}

}  // namespace

std::string ServeApi::metrics() {
  ServeView view = loop_.view();
  view.version = ANCLORA_VERSION;
  return to_prometheus(view);
}

Result<std::string> ServeApi::status() {
  const ServeView view = loop_.view();
  Json scenarios = Json::array();
  for (const ScenarioView& each : view.scenarios)
    scenarios.push_back({{"id", each.id},
                         {"rto_forecast_seconds", each.forecast_seconds},
                         {"basis", each.basis},
                         {"rto_seconds", static_cast<double>(each.objective.count()) / 1e6}});
  Json rules = Json::array();
  for (const respond::RuleVerdict& verdict : view.verdicts)
    rules.push_back({{"rule", verdict.rule}, {"state", respond::to_string(verdict.state)}});
  return dumped({{"service", view.service},
                 {"plan", loop_.plan().file},
                 {"plan_hash", loop_.plan().hash_hex},
                 {"version", ANCLORA_VERSION},
                 {"started", format_rfc3339(view.started)},
                 {"healthy", loop_.healthy()},
                 {"isolated", view.isolated},
                 {"rules", rules},
                 {"incidents_open", view.incidents_open},
                 {"incidents_unacknowledged", view.incidents_unacknowledged},
                 {"runs", list_of(view.runs)},
                 {"backups", list_of(view.backups)},
                 {"scenarios", scenarios},
                 {"children", list_of(view.children)},
                 {"notes", loop_.notes()}});
}

Result<std::string> ServeApi::probes() { return dumped({{"probes", list_of(loop_.view().probes)}}); }
Result<std::string> ServeApi::verdicts() { return dumped({{"verdicts", list_of(loop_.view().verdicts)}}); }

Result<std::string> ServeApi::incidents() {
  ASSIGN_OR_RETURN(const auto ids, respond::list_incidents(context_.files, incidents_folder(context_)));
  Json list = Json::array();
  for (const std::string& id : ids) {
    const auto content = respond::read_incident(context_.files, incidents_folder(context_) + "/" + id);
    list.push_back(content ? to_json(content->state) : Json{{"incident", id}, {"problem", content.error().message()}});
  }
  return dumped({{"incidents", list}});
}

Result<std::string> ServeApi::incident(const std::string& id) {
  RETURN_IF_ERROR(respond::check_incident_id(id));
  ASSIGN_OR_RETURN(const StoredIncident stored, read_stored_incident(context_, id));
  IncidentView view{
      stored.content, {}, incident_timeline(stored.content, stored.runs), stored.problems, context_.clock.wall_now()};
  for (const respond::LinkedRun& linked : stored.content.state.runs)
    if (const auto run = view_run(context_, linked.run)) view.runs.push_back({run->run, run->state, run->next_command});
  return dumped(to_json(view));
}

Result<std::string> ServeApi::runs() {
  ASSIGN_OR_RETURN(auto ids, respond::list_runs(context_.files, runs_folder(context_)));
  if (ids.size() > kNewestRuns) ids.erase(ids.begin(), ids.end() - static_cast<std::ptrdiff_t>(kNewestRuns));
  Json list = Json::array();
  for (const std::string& id : ids) {
    const auto view = view_run(context_, id);
    list.push_back(view ? to_json(*view) : Json{{"run", id}, {"problem", view.error().message()}});
  }
  return dumped({{"runs", list}});
}

Result<std::string> ServeApi::run(const std::string& id) {
  RETURN_IF_ERROR(respond::check_run_id(id));
  ASSIGN_OR_RETURN(const StoredRun stored, read_run(context_, id));
  const RunReport report{stored.plan, stored.run, stored.state, stored.has_runner, context_.clock.wall_now()};
  return dumped(to_json(report));
}

Result<std::string> ServeApi::drills() {
  ASSIGN_OR_RETURN(const auto ledger, respond::read_drills(context_.files, drills_folder(context_)));
  const WallTime now = context_.clock.wall_now();
  DrillOverview overview{ledger, {}, {}, respond::drill_schedule(loop_.plan(), ledger.records, now), now};
  ASSIGN_OR_RETURN(const auto running, respond::running_drills(context_.files, drills_folder(context_)));
  for (const respond::BegunDrill& drill : running) overview.running.push_back(drill.id);
  return dumped(to_json(overview));
}

Result<std::string> ServeApi::start(const std::string& scenario, const std::string& contact) {
  const auto& scenarios = loop_.plan().scenarios;
  if (std::ranges::find(scenarios, scenario, &plan::Scenario::id) == scenarios.end())
    return Error(ErrorKind::kNotFound, "the plan has no such scenario",
                 fmt::format("it has: {}", fmt::join(plan::ids_in(scenarios), ", ")));
  RETURN_IF_ERROR(check_contact(loop_.plan(), contact, "\"as\""));
  ASSIGN_OR_RETURN(const std::string run, loop_.order({scenario, "", contact, {}, {}}));
  return dumped({{"run", run}, {"scenario", scenario}});
}

Result<std::string> ServeApi::decide_run(const ApiDecision& decision) {
  RETURN_IF_ERROR(respond::check_run_id(decision.id));
  ASSIGN_OR_RETURN(const respond::RequestKind kind, kind_of(decision.what));
  ASSIGN_OR_RETURN(const StoredRun stored, read_run(context_, decision.id));
  const respond::RunRequest request{"", kind, decision.step, decision.contact, decision.text};
  ASSIGN_OR_RETURN(const auto judged,
                   respond::judge_request(stored.plan, stored.run, stored.state, request, context_.clock.wall_now()));
  static_cast<void>(judged);  // the runner judges again; here it is known at once what it would say
  ASSIGN_OR_RETURN(const std::string id,
                   respond::submit_request(context_.files, stored.folder, request, context_.clock, context_.random));
  if (!stored.has_runner) return dumped({{"answer", "kept for the next runner"}, {"step", decision.step}});
  return answer_of(context_, stored.folder, id);
}

Result<std::string> ServeApi::decide_incident(const ApiDecision& decision) {
  RETURN_IF_ERROR(respond::check_incident_id(decision.id));
  ASSIGN_OR_RETURN(const auto log,
                   respond::IncidentLog::open(incident_world(context_), incidents_folder(context_), decision.id));
  RETURN_IF_ERROR(check_contact(loop_.plan(), decision.contact, "\"as\""));
  if (decision.text.size() > respond::kMaxRecordText)
    return Error(ErrorKind::kInvalidArgument, "the text is longer than " + format_size(respond::kMaxRecordText));
  if (decision.what == "note" && decision.text.empty())
    return Error(ErrorKind::kInvalidArgument, "the note has no text");
  const auto kind = decision.what == "ack" ? respond::IncidentKind::kAcknowledged : respond::IncidentKind::kNote;
  ASSIGN_OR_RETURN(const auto record, log->append(respond::IncidentRecord(kind, decision.contact, decision.text)));
  return dumped({{"incident", decision.id}, {"kind", to_string(record.kind)}, {"number", record.number}});
}

Result<std::string> ServeApi::release(const ApiDecision& decision) {
  RETURN_IF_ERROR(check_contact(loop_.plan(), decision.contact, "\"as\""));
  RETURN_IF_ERROR(loop_.release(decision.id));
  return dumped({{"rule", decision.id}, {"released_by", decision.contact}});
}

Result<std::string> ServeApi::report(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_array() || json.size() > kMostReadings)
    return Error(ErrorKind::kInvalidArgument, "the body is no list of at most 100 readings",
                 R"([{"probe", "vantage", "state", "reason", "at"}])");
  for (const auto& each : json) {
    const bool whole =
        each.is_object() && std::ranges::all_of(each, [](const auto& value) { return value.is_string(); });
    if (!whole) return Error(ErrorKind::kInvalidArgument, "a reading is an object of texts");
    ASSIGN_OR_RETURN(respond::Reading reading, reading_of(each));
    RETURN_IF_ERROR(loop_.report(each.value("probe", ""), each.value("vantage", ""), std::move(reading)));
  }
  return dumped({{"readings", json.size()}});
}

Result<std::string> ServeApi::alerts(const std::string& body) {
  ASSIGN_OR_RETURN(auto signals, respond::parse_signals(body));
  const std::size_t count = signals.size();
  loop_.take(std::move(signals));
  return dumped({{"signals", count}});
}

}  // namespace anclora::app
