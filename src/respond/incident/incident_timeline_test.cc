#include "respond/incident/incident_timeline.h"

#include <gtest/gtest.h>

namespace anclora::respond {
namespace {

WallTime at(int second) { return *parse_rfc3339("2026-11-24T12:00:00Z") + std::chrono::seconds(second); }

IncidentRecord record(IncidentKind kind, int second, std::map<std::string, std::string> fields, std::string text = {}) {
  IncidentRecord made(kind, "ada", std::move(text));
  made.fields = std::move(fields);
  made.time = at(second);
  return made;
}

RunRecord run_record(RecordKind kind, int second, std::string step) {
  RunRecord made;
  made.kind = kind;
  made.step = std::move(step);
  made.time = at(second);
  return made;
}

TEST(IncidentTimeline, MergesTheJournalsByTimeAndNamesTheirSources) {
  IncidentContent incident;
  incident.state.id = "inc-1";
  incident.records = {record(IncidentKind::kOpened, 0, {{"scenario", "lost"}, {"severity", "high"}}, "gone"),
                      record(IncidentKind::kNote, 5, {}, "called ada"), record(IncidentKind::kClosed, 9, {}, "over")};
  RunOfIncident first{"lost-1", {}};
  first.journal.records = {run_record(RecordKind::kRunStarted, 1, ""), run_record(RecordKind::kIntent, 5, "fence"),
                           run_record(RecordKind::kVerified, 6, "fence")};
  RunOfIncident second{"lost-2", {}};
  second.journal.records = {run_record(RecordKind::kRunStarted, 2, "")};
  std::vector<std::string> seen;
  for (const ReportEvent& event : incident_timeline(incident, {first, second}))
    seen.push_back(event.source + " " + event.kind + " " + event.step);
  EXPECT_EQ(seen, (std::vector<std::string>{"inc-1 incident.opened ", "lost-1 run.started ", "lost-2 run.started ",
                                            "inc-1 incident.note ", "lost-1 step.intent fence",
                                            "lost-1 step.verified fence", "inc-1 incident.closed "}));
}

TEST(IncidentTimeline, DescribesEachKindByWhatItHolds) {
  EXPECT_EQ(describe(record(IncidentKind::kOpened, 0, {{"scenario", "lost"}, {"severity", "high"}}, "gone")),
            "lost, severity high: gone");
  EXPECT_EQ(describe(record(IncidentKind::kSeverity, 0, {{"severity", "high"}})), "high");
  EXPECT_EQ(describe(record(IncidentKind::kActionAdded, 0, {{"item", "a1"}, {"owner", "bob"}}, "test it")),
            "a1 for bob: test it");
  EXPECT_EQ(
      describe(record(IncidentKind::kDelivery, 0,
                      {{"event", "opened"}, {"contact", "bob"}, {"channel", "smtp"}, {"state", "failed"}}, "503")),
      "opened to bob by smtp failed: 503");
}

}  // namespace
}  // namespace anclora::respond
