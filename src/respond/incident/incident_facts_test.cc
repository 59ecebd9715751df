#include "respond/incident/incident_facts.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace anclora::respond {
namespace {

WallTime at(int second) { return *parse_rfc3339("2026-11-24T12:00:00Z") + std::chrono::seconds(second); }

IncidentContent content() {
  IncidentContent incident;
  const auto add = [&](IncidentKind kind, int second, std::map<std::string, std::string> fields, std::string text) {
    IncidentRecord record(kind, kind == IncidentKind::kVerdict ? "" : "ada", std::move(text));
    record.fields = std::move(fields);
    record.time = at(second);
    ASSERT_TRUE(apply(incident.state, record));
    incident.records.push_back(record);
    ++incident.count;
  };
  add(IncidentKind::kOpened, 10, {{"incident", "inc-1"}, {"scenario", "lost"}, {"severity", "high"}}, "gone");
  add(IncidentKind::kVerdict, 11, {{"detection", "d"}, {"first_bad", "2026-11-24T12:00:02Z"}}, "3 of 3");
  add(IncidentKind::kAcknowledged, 12, {}, "");
  add(IncidentKind::kActionAdded, 13, {{"item", "a1"}, {"owner", "ada"}, {"due", "2026-12-01"}}, "alarm");
  add(IncidentKind::kClosed, 90, {}, "served again");
  return incident;
}

ReportFacts run(const char* id, const char* state, int second) {
  ReportFacts facts;
  facts.id = id;
  facts.runs = {id};
  facts.state = state;
  facts.marks = {{"t_out", at(second)}};
  facts.rto.achieved = std::chrono::seconds(second);
  facts.timeline = {{at(second), id, "run.started", "", "", ""}};
  return facts;
}

TEST(IncidentFacts, TakeTheClocksOfTheNewestRunThatFinished) {
  const ReportFacts facts = collect_incident_facts(
      {}, content(), {run("r1", "aborted", 20), run("r2", "finished", 30), run("r3", "aborted", 40)}, at(100));
  EXPECT_EQ(facts.rto.achieved, Duration(std::chrono::seconds(30)));
  EXPECT_EQ(facts.marks.at("t_out"), at(30));
  EXPECT_EQ(facts.runs.size(), 3U);
  EXPECT_EQ(facts.timeline.size(), 8U);
  EXPECT_TRUE(std::ranges::is_sorted(facts.timeline, {}, &ReportEvent::time));
}

TEST(IncidentFacts, SayWhatTheIncidentSaysWithoutAnyRun) {
  const ReportFacts facts = collect_incident_facts({}, content(), {}, at(100));
  EXPECT_EQ(facts.kind, ReportKind::kIncident);
  EXPECT_EQ(facts.state, "closed");
  EXPECT_EQ(facts.marks.at("t_out"), at(2));
  EXPECT_EQ(facts.marks.at("t_det"), at(11));
  ASSERT_EQ(facts.actions.size(), 1U);
  EXPECT_EQ(facts.actions[0].state, "open");
  EXPECT_EQ(facts.words.resolution, "served again");
  EXPECT_EQ(facts.words.root_cause, "");
  EXPECT_EQ(facts.evidence.at(0).records, 5U);
}

TEST(IncidentFacts, SayWhatPeopleWroteTheNewestOfEachTextAndAllLessons) {
  IncidentContent incident = content();
  const auto write = [&](const char* part, const char* text) {
    IncidentRecord record(IncidentKind::kWritten, "bob", text);
    record.fields = {{"part", part}};
    record.time = at(95);
    EXPECT_TRUE(apply(incident.state, record)) << part;
    incident.records.push_back(record);
  };
  for (const std::string_view part : kReportParts) write(std::string(part).c_str(), ("1 " + std::string(part)).c_str());
  for (const char* part : {"root_cause", "went_well", "to_improve"}) write(part, "2");
  const ReportFacts facts = collect_incident_facts({}, incident, {}, at(100));
  EXPECT_EQ(facts.words.root_cause, "2");
  EXPECT_EQ(facts.words.impact, "1 impact");
  EXPECT_EQ(facts.words.users_affected, "1 users_affected");
  EXPECT_EQ(facts.words.revenue_impact, "1 revenue_impact");
  EXPECT_EQ(facts.words.resolution, "1 resolution");  // instead of what the incident was closed with
  EXPECT_EQ(facts.words.prevention, "1 prevention");
  EXPECT_EQ(facts.words.went_well, (std::vector<std::string>{"1 went_well", "2"}));
  EXPECT_EQ(facts.words.to_improve, (std::vector<std::string>{"1 to_improve", "2"}));
  EXPECT_TRUE(std::ranges::any_of(facts.timeline, [](const ReportEvent& event) {
    return event.kind == "incident.written" && event.actor == "bob" && event.text == "root_cause: 1 root_cause";
  }));
}

}  // namespace
}  // namespace anclora::respond
