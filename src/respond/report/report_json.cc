#include "respond/report/report_json.h"

#include <nlohmann/json.hpp>

namespace anclora::respond {
namespace {

using Json = nlohmann::ordered_json;

Json seconds(const std::optional<Duration>& duration) {
  return duration ? Json(static_cast<double>(duration->count()) / 1e6) : Json(nullptr);
}
Json objective(Duration duration) { return duration > Duration::zero() ? seconds(duration) : Json(nullptr); }
Json time(const std::optional<WallTime>& time) { return time ? Json(format_rfc3339(*time)) : Json(nullptr); }

const char* name_of(Verdict verdict) {
  return verdict == Verdict::kPassed ? "passed" : verdict == Verdict::kFailed ? "failed" : "unknown";
}
const char* name_of(ReportCheck::Phase phase) {
  return phase == ReportCheck::Phase::kBefore ? "before" : phase == ReportCheck::Phase::kDuring ? "during" : "after";
}

template <class T, class Make>
Json list(const std::vector<T>& items, Make make) {
  Json out = Json::array();
  for (const T& item : items) out.push_back(make(item));
  return out;
}

Json rto_json(const ReportRto& rto) {
  return {{"objective_seconds", objective(rto.objective)},
          {"maximum_seconds", objective(rto.maximum)},
          {"achieved_seconds", seconds(rto.achieved)},
          {"detect_seconds", seconds(rto.detect)},
          {"decide_seconds", seconds(rto.decide)},
          {"act_seconds", seconds(rto.act)},
          {"verify_seconds", seconds(rto.verify)},
          {"met", name_of(rto.met)},
          {"met_maximum", name_of(rto.met_max)}};
}

Json rpo_json(const ReportRpo& rpo) {
  return {{"data", rpo.data},
          {"objective_seconds", objective(rpo.objective)},
          {"lost_seconds", seconds(rpo.lost)},
          {"lost_writes", rpo.writes ? Json(*rpo.writes) : Json(nullptr)},
          {"proof", rpo.proof},
          {"met", name_of(rpo.met)}};
}

Json event_json(const ReportEvent& event) {
  return {{"time", format_rfc3339(event.time)},
          {"source", event.source},
          {"kind", event.kind},
          {"step", event.step},
          {"actor", event.actor},
          {"text", event.text}};
}

Json step_json(const ReportStep& step) {
  return {{"run", step.run},
          {"id", step.id},
          {"uses", step.uses},
          {"state", step.state},
          {"after", step.after},
          {"changes", step.changes},
          {"attempts", step.attempts},
          {"budget_seconds", objective(step.budget)},
          {"took_seconds", seconds(step.took)},
          {"started", time(step.started)},
          {"finished", time(step.finished)},
          {"summary", step.summary},
          {"problem", step.problem},
          {"settled_by", step.settled_by},
          {"evidence", step.evidence}};
}

Json approval_json(const ReportApproval& approval) {
  return {{"run", approval.run},
          {"step", approval.step},
          {"roles", approval.roles},
          {"need", approval.need},
          {"given", list(approval.given,
                         [](const ReportGrant& grant) {
                           return Json{{"contact", grant.contact}, {"time", format_rfc3339(grant.time)}};
                         })},
          {"refused_by", approval.refused_by},
          {"granted", approval.granted},
          {"waited_seconds", seconds(approval.waited)}};
}

Json words_json(const ReportWords& words) {
  return {{"impact", words.impact},
          {"root_cause", words.root_cause},
          {"resolution", words.resolution},
          {"users_affected", words.users_affected},
          {"revenue_impact", words.revenue_impact},
          {"prevention", words.prevention},
          {"findings", words.findings},
          {"went_well", words.went_well},
          {"to_improve", words.to_improve}};
}

Json plan_json(const ReportFacts& facts) {
  return {{"file", facts.plan_file},
          {"hash", facts.plan_hash},
          {"verified", facts.plan_verified ? Json(*facts.plan_verified) : Json(nullptr)},
          {"last_passed", time(facts.plan_last_passed)}};
}

void add_lists(Json& json, const ReportFacts& facts) {
  json["people"] = list(facts.people, [](const ReportPerson& each) {
    return Json{{"id", each.id}, {"name", each.name}, {"part", each.part}};
  });
  json["timeline"] = list(facts.timeline, event_json);
  json["steps"] = list(facts.steps, step_json);
  json["approvals"] = list(facts.approvals, approval_json);
  json["impact"] = list(facts.impact, [](const ReportCount& each) {
    return Json{{"name", each.name}, {"value", each.value}, {"source", each.source}};
  });
  json["checks"] = list(facts.checks, [](const ReportCheck& each) {
    return Json{{"phase", name_of(each.phase)},
                {"id", each.id},
                {"text", each.text},
                {"verdict", name_of(each.verdict)},
                {"proof", each.proof}};
  });
  json["actions"] = list(facts.actions, [](const ReportAction& each) {
    return Json{{"id", each.id}, {"text", each.text}, {"owner", each.owner}, {"due", each.due}, {"state", each.state}};
  });
  json["deliveries"] = list(facts.deliveries, [](const ReportDelivery& each) {
    return Json{{"time", format_rfc3339(each.time)},
                {"contact", each.contact},
                {"channel", each.channel},
                {"state", each.state},
                {"text", each.text}};
  });
  json["evidence"] = list(facts.evidence, [](const ReportEvidence& each) {
    return Json{
        {"what", each.what}, {"id", each.id}, {"hash", each.hash}, {"records", each.records}, {"verify", each.verify}};
  });
}

}  // namespace

std::string facts_to_json(const ReportFacts& facts) {
  Json marks = Json::object();
  for (const auto& [name, at] : facts.marks) marks[name] = format_rfc3339(at);
  Json json = {{"format", 1},
               {"kind", facts.kind == ReportKind::kDrill ? "drill" : "incident"},
               {"id", facts.id},
               {"service", facts.service},
               {"scenario", facts.scenario},
               {"title", facts.title},
               {"severity", facts.severity},
               {"environment", facts.environment},
               {"sandbox", facts.sandbox},
               {"runs", facts.runs},
               {"state", facts.state},
               {"reasons", facts.reasons},
               {"started", time(facts.started)},
               {"ended", time(facts.ended)},
               {"marks", marks},
               {"plan", plan_json(facts)},
               {"rto", rto_json(facts.rto)},
               {"rpo", list(facts.rpo, rpo_json)}};
  add_lists(json, facts);
  json["words"] = words_json(facts.words);
  json["generated"] = format_rfc3339(facts.generated);
  json["version"] = facts.version;
  return json.dump(2, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace anclora::respond
