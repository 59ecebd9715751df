#include "respond/incident/incident_state.h"

#include <gtest/gtest.h>

#include <chrono>

namespace anclora::respond {
namespace {

IncidentRecord opened() {
  IncidentRecord record(IncidentKind::kOpened, "ada", "gone");
  record.fields = {{"incident", "inc-1"}, {"scenario", "redis-lost"}, {"severity", "high"}, {"service", "shop"}};
  record.time = *parse_rfc3339("2026-11-24T12:00:00Z");
  return record;
}

IncidentRecord with(IncidentKind kind, std::string actor, std::map<std::string, std::string> fields) {
  IncidentRecord record(kind, std::move(actor));
  record.fields = std::move(fields);
  record.time = *parse_rfc3339("2026-11-24T12:01:00Z");
  return record;
}

IncidentState open_state() {
  IncidentState state;
  EXPECT_TRUE(apply(state, opened()));
  return state;
}

TEST(IncidentState, IsOpenedOnceAndBeforeAnythingElse) {
  IncidentState state;
  EXPECT_FALSE(apply(state, with(IncidentKind::kNote, "ada", {})));
  EXPECT_TRUE(apply(state, opened()));
  EXPECT_FALSE(apply(state, opened()));
  EXPECT_EQ(state.opened_by, "ada");
}

TEST(IncidentState, OfAPersonsAcknowledgementsTheLatestCounts) {
  IncidentState state = open_state();
  EXPECT_TRUE(apply(state, with(IncidentKind::kAcknowledged, "bob", {})));
  IncidentRecord again = with(IncidentKind::kAcknowledged, "bob", {});
  again.time += std::chrono::hours(1);
  EXPECT_TRUE(apply(state, again));
  EXPECT_EQ(state.acknowledged_by("bob")->time, again.time);
  EXPECT_TRUE(apply(state, with(IncidentKind::kAcknowledged, "eve", {})));
  ASSERT_EQ(state.acknowledgements.size(), 2U);
  EXPECT_NE(state.acknowledged_by("bob"), nullptr);
  EXPECT_EQ(state.acknowledged_by("ada"), nullptr);
}

TEST(IncidentState, KeepsTheNewestStateOfADelivery) {
  IncidentState state = open_state();
  IncidentDelivery delivery{"opened", "l1", "bob", "smtp", 0, "failed", "status 503", 2, {}};
  EXPECT_TRUE(apply(state, to_record(delivery)));
  delivery.state = "sent";
  EXPECT_TRUE(apply(state, to_record(delivery)));
  delivery.index = 1;  // another channel of the same kind
  EXPECT_TRUE(apply(state, to_record(delivery)));
  ASSERT_EQ(state.deliveries.size(), 2U);
  EXPECT_EQ(state.deliveries[0].state, "sent");
  EXPECT_EQ(state.deliveries[0].level, "l1");
  EXPECT_EQ(state.deliveries[0].attempts, 2U);
  EXPECT_EQ(state.deliveries[0].detail, "status 503");
  EXPECT_EQ(state.deliveries[1].index, 1U);
}

TEST(IncidentState, FollowsAnActionItemToItsEnd) {
  IncidentState state = open_state();
  const auto added = with(IncidentKind::kActionAdded, "ada", {{"item", "a1"}, {"owner", "bob"}, {"due", "2026-12-01"}});
  EXPECT_TRUE(apply(state, added));
  EXPECT_FALSE(apply(state, added));
  EXPECT_FALSE(apply(state, with(IncidentKind::kActionDone, "bob", {{"item", "a2"}})));
  EXPECT_TRUE(apply(state, with(IncidentKind::kClosed, "ada", {})));
  EXPECT_TRUE(apply(state, with(IncidentKind::kActionDone, "bob", {{"item", "a1"}})));
  EXPECT_FALSE(apply(state, with(IncidentKind::kActionDone, "bob", {{"item", "a1"}})));
  ASSERT_NE(state.action("a1"), nullptr);
  EXPECT_EQ(state.action("a1")->done_by, "bob");
}

TEST(IncidentState, LinksARunOnceAndNoneAfterTheEnd) {
  IncidentState state = open_state();
  EXPECT_TRUE(apply(state, with(IncidentKind::kRunLinked, "", {{"run", "r1"}, {"scenario", "redis-lost"}})));
  EXPECT_TRUE(apply(state, with(IncidentKind::kRunLinked, "", {{"run", "r1"}, {"scenario", "redis-lost"}})));
  EXPECT_EQ(state.runs.size(), 1U);
  EXPECT_TRUE(apply(state, with(IncidentKind::kClosed, "ada", {})));
  const Status late = apply(state, with(IncidentKind::kRunLinked, "", {{"run", "r2"}}));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind(), ErrorKind::kFailedPrecondition);
}

TEST(IncidentState, RemembersVerdictsSignalsAndTheNewestSeverity) {
  IncidentState state = open_state();
  EXPECT_TRUE(apply(
      state, with(IncidentKind::kVerdict, "", {{"detection", "d1"}, {"first_bad", "2026-11-24T11:59:58.000000Z"}})));
  EXPECT_TRUE(apply(state, with(IncidentKind::kSignal, "", {{"source", "alertmanager"}, {"name", "RedisDown"}})));
  EXPECT_TRUE(apply(state, with(IncidentKind::kSeverity, "bob", {{"severity", "critical"}})));
  EXPECT_EQ(state.severity, "critical");
  ASSERT_TRUE(state.verdicts.at(0).first_bad);
  EXPECT_EQ(state.signals.at(0).name, "RedisDown");
}

TEST(IncidentState, KeepsWhatPeopleWriteForTheReportAlsoAfterTheEnd) {
  IncidentState state = open_state();
  EXPECT_TRUE(apply(state, with(IncidentKind::kWritten, "bob", {{"part", "root_cause"}})));
  EXPECT_TRUE(apply(state, with(IncidentKind::kClosed, "ada", {})));
  EXPECT_TRUE(apply(state, with(IncidentKind::kWritten, "ada", {{"part", "root_cause"}})));
  ASSERT_EQ(state.written.size(), 2U);
  EXPECT_EQ(state.written[0].contact, "bob");
  const Status unknown = apply(state, with(IncidentKind::kWritten, "ada", {{"part", "blame"}}));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind(), ErrorKind::kFailedPrecondition);
  EXPECT_EQ(state.written.size(), 2U);
}

TEST(IncidentRecord, ReadsBackEveryKind) {
  for (int kind = 0; kind <= static_cast<int>(IncidentKind::kClosed); ++kind) {
    const IncidentRecord record(static_cast<IncidentKind>(kind), "ada", "text");
    Hash256 hash{};
    const auto decoded = decode_line(encode_line(record, to_string(record.kind), {}, hash));
    ASSERT_TRUE(decoded);
    const auto back = to_incident_record(decoded->line, decoded->kind);
    ASSERT_TRUE(back) << decoded->kind;
    EXPECT_EQ(back->kind, record.kind);
    EXPECT_EQ(back->actor, "ada");
  }
  EXPECT_EQ(to_incident_record({}, "run.started").error().kind(), ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace anclora::respond
