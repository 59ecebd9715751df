#include "respond/testing/sample_reports.h"

#include <chrono>

namespace anclora::respond::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Phase = ReportCheck::Phase;

constexpr const char* kRun = "redis-lost-20261124T100000Z-1f3a";

WallTime at(Duration since) { return parse_rfc3339("2026-11-24T10:00:00Z").value() + since; }

ReportEvent event(Duration when, const char* kind, const char* step, const char* text, const char* actor = "") {
  return {at(when), kRun, kind, step, actor, text};
}

ReportStep step(const char* id, const char* uses, const char* state, Duration took, const char* text) {
  ReportStep out;
  out.run = kRun;
  out.id = id;
  out.uses = uses;
  out.state = state;
  out.changes = true;
  out.attempts = 1;
  out.budget = seconds(10);
  out.started = at(seconds(6));
  out.finished = at(seconds(6) + took);
  out.took = took;
  (out.state == "done" ? out.summary : out.problem) = text;
  return out;
}

ReportFacts redis_lost() {
  ReportFacts facts;
  facts.id = "drill-redis-lost-20261124T100000Z-77aa";
  facts.service = "whatsapp-messages";
  facts.scenario = "redis-lost";
  facts.title = "Redis is lost";
  facts.severity = "critical";
  facts.environment = "local";
  facts.sandbox = true;
  facts.runs = {kRun};
  facts.state = "passed";
  facts.started = at({});
  facts.ended = at(seconds(41));
  facts.marks = {{"t_out", at({})},
                 {"t_det", at(milliseconds(2400))},
                 {"t_decl", at(seconds(5))},
                 {"t_act", at(milliseconds(5100))},
                 {"t_serv", at(seconds(34))}};
  facts.plan_file = "plans/local.yaml";
  facts.plan_hash = "f6f02909535a07922a9650be02da62de34a67d4168740336811e3b05684c175e";
  facts.plan_verified = true;
  facts.plan_last_passed = at(-std::chrono::hours(24 * 30));
  facts.people = {{"ada", "Ada", "tester"}, {"bob", "Bob", "approved"}};
  facts.rto = {minutes(5),  minutes(10), seconds(34),      milliseconds(2400), milliseconds(2600),
               seconds(21), seconds(8),  Verdict::kPassed, Verdict::kPassed};
  facts.rpo = {{"queue", minutes(1), milliseconds(3200), 14, "data", Verdict::kPassed}};
  facts.timeline = {event({}, "run.mark", "", "t_out"),
                    event(milliseconds(2400), "run.mark", "", "t_det"),
                    event(seconds(3), "run.started", "", kRun),
                    event(seconds(4), "approval.requested", "", ""),
                    event(seconds(5), "approval.granted", "", "go on", "bob"),
                    event(seconds(5), "run.mark", "", "t_decl"),
                    event(seconds(6), "step.intent", "data", "redis.restore"),
                    event(seconds(7), "step.change", "data", "restore into redis-new"),
                    event(seconds(26), "step.verified", "data", "1204 keys are back"),
                    event(seconds(34), "run.mark", "", "t_serv"),
                    event(seconds(41), "run.finished", "", "")};
  facts.steps = {step("fence", "redis.fence", "done", milliseconds(40), "redis-main does not answer"),
                 step("data", "redis.restore", "done", seconds(20), "1204 keys are back"),
                 step("canary", "queue.canary", "done", milliseconds(350), "a message went through")};
  facts.approvals = {{kRun, "", {"oncall"}, 1, {{"bob", at(seconds(5))}}, "", true, seconds(1)}};
  facts.impact = {{"keys", "1204", "data"}, {"commands_lost", "14", "data"}};
  facts.checks = {{Phase::kBefore, "backup_created", "", Verdict::kPassed, "point 3f0a:99"},
                  {Phase::kBefore, "team_notified", "", Verdict::kUnknown, ""},
                  {Phase::kDuring, "recovery_executed", "", Verdict::kPassed, kRun},
                  {Phase::kDuring, "rto_measured", "", Verdict::kPassed, "34.0 s"},
                  {Phase::kAfter, "data_validated", "", Verdict::kPassed, "1204 keys, beacon 99"},
                  {Phase::kAfter, "step.canary", "canary (queue.canary)", Verdict::kPassed, "a message went through"},
                  {Phase::kAfter, "lessons_documented", "", Verdict::kUnknown, ""}};
  facts.evidence = {{"run_journal", kRun, "77a0e1b84c11d0c7a1e9f0b4558d1c3d1f1a9d0a2b3c4d5e6f708192a3b4c5d6", 57,
                     std::string("anclora run status --verify --run ") + kRun}};
  facts.generated = at(minutes(2));
  facts.version = "0.1.0";
  return facts;
}

}  // namespace

ReportFacts passed_drill() { return redis_lost(); }

ReportFacts failed_drill() {
  ReportFacts facts = redis_lost();
  facts.state = "failed";
  facts.plan_verified = false;
  facts.plan_last_passed.reset();
  facts.reasons = {"canary: no answer within 20 s", "RTO was not achieved"};
  facts.marks.erase("t_serv");
  facts.rto.achieved = facts.rto.act = facts.rto.verify = std::nullopt;
  facts.rto.met = facts.rto.met_max = Verdict::kFailed;
  facts.rpo = {{"queue", minutes(1), seconds(90), std::nullopt, "data", Verdict::kFailed},
               {"analytics", minutes(15), std::nullopt, std::nullopt, "backup", Verdict::kUnknown}};
  facts.steps.back() = step("canary", "queue.canary", "failed_paused", seconds(20), "no answer within 20 s");
  facts.steps.back().attempts = 3;
  facts.checks[5].verdict = Verdict::kFailed;
  facts.checks[5].proof = "no answer within 20 s";
  facts.timeline.back() = event(seconds(41), "run.aborted", "", "the drill is over", "ada");
  facts.timeline.insert(facts.timeline.end() - 2, event(seconds(27), "step.failed", "canary", "no answer within 20 s"));
  return facts;
}

ReportFacts closed_incident() {
  ReportFacts facts = redis_lost();
  facts.kind = ReportKind::kIncident;
  facts.id = "incident-20261124T100003Z-9c1e";
  facts.state = "closed";
  facts.environment = "";
  facts.sandbox = false;
  facts.people = {{"ada", "Ada", "commander"}, {"bob", "Bob", "acknowledged"}};
  facts.checks = {facts.checks[5]};
  facts.timeline.insert(facts.timeline.begin() + 2, event(seconds(3), "incident.opened", "", "redis-gone"));
  facts.timeline.push_back(event(minutes(1), "incident.note", "", "the disk of host-7 was full", "ada"));
  facts.timeline.push_back(event(minutes(90), "incident.closed", "", "served for an hour", "ada"));
  facts.ended = at(minutes(90));
  facts.actions = {{"a1", "watch the disk of host-7", "bob", "2026-12-01", "open"},
                   {"a2", "rehearse this monthly", "", "", "done"}};
  facts.deliveries = {{at(seconds(4)), "ada", "smtp", "sent", "Redis is lost"},
                      {at(seconds(4)), "ada", "webhook", "failed", "HTTP 500"}};
  facts.words.impact = "no message is taken";
  facts.words.root_cause = "The disk of host-7 was full.";
  facts.words.went_well = {"the replica was fit"};
  facts.evidence.push_back({"incident_journal", facts.id,
                            "0c5af00d4c11d0c7a1e9f0b4558d1c3d1f1a9d0a2b3c4d5e6f708192a3b4c5d6", 9,
                            "anclora incident verify " + facts.id});
  return facts;
}

const std::vector<std::string>& hostile_texts() {
  static const std::vector<std::string> texts = {
      "<script>alert(1)</script>",
      "\"><img src=x onerror=alert(1)>",
      "' style='background:url(http://evil.example/x)",
      "</style></title><svg/onload=alert(1)>",
      "| a | b |\n|---|---|\n# Heading\n- [x] done",
      "[click](javascript:alert(1)) ![x](http://evil.example/x.png) <http://evil.example>",
      "`code` ``` **bold** _em_ ~~no~~ &lt;b&gt; $x$ @all http://evil.example www.evil.example",
      "1. one\n2) two\n> quote\n===\n---",
      std::string("bell \x07 escape \x1b[31mred\x1b[0m nul \0 end", 36),
      "right \xE2\x80\xAE to left \xE2\x81\xA6 and \xE2\x80\x8B zero \xEF\xBB\xBF",
      "broken \xFF\xC3( \xED\xA0\x80 \xF4\x90\x80\x80 \xC0\xAF",
      std::string(8192, 'x') + "<script>",
  };
  return texts;
}

ReportFacts with_text_everywhere(ReportFacts facts, const std::string& text) {
  facts.id = facts.service = facts.scenario = facts.title = facts.severity = facts.environment = text;
  facts.state = facts.plan_file = facts.plan_hash = facts.version = text;
  facts.runs = facts.reasons = {text, text};
  for (ReportPerson& each : facts.people) each = {text, text, text};
  for (ReportRpo& each : facts.rpo) each.data = each.proof = text;
  for (ReportEvent& each : facts.timeline) each = {each.time, text, text, text, text, text};
  for (ReportStep& each : facts.steps) {
    each.run = each.id = each.uses = each.state = text;
    each.summary = each.problem = each.settled_by = each.evidence = text;
  }
  for (ReportApproval& each : facts.approvals) {
    each.run = each.step = each.refused_by = text;
    each.roles = {text};
  }
  for (ReportCount& each : facts.impact) each = {text, text, text};
  for (ReportCheck& each : facts.checks) each.id = each.text = each.proof = text;
  for (ReportAction& each : facts.actions) each = {text, text, text, text, text};
  for (ReportDelivery& each : facts.deliveries) each = {each.time, text, text, text, text};
  for (ReportEvidence& each : facts.evidence) each = {text, text, text, each.records, text};
  facts.words = {text, text, text, text, text, text, text, {text}, {text}};
  return facts;
}

}  // namespace anclora::respond::testing
