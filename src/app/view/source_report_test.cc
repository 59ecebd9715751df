#include "app/view/source_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace anclora::app {
namespace {

using testing::HasSubstr;

TEST(SourceReport, SaysThatASourceWithoutAnyEntryIsNotProtectedYet) {
  storage::SourceState state;
  state.source = "orders";
  state.url = "redis://10.0.0.5:6379";
  const SourceReport report = report_source(state, WallTime(std::chrono::seconds(1'800'000'000)), std::nullopt);
  EXPECT_EQ(report.link, LinkState::kLoadingBase);
  EXPECT_THAT(report.first_thing_to_mend, HasSubstr("nothing is protected yet"));
  EXPECT_THAT(to_text(report, WallTime()), HasSubstr("nothing yet: no complete base"));
  const nlohmann::ordered_json json = to_json(report);
  EXPECT_TRUE(json["protected_offset"].is_null());
  EXPECT_EQ(json["windows"].size(), 0u);
}

// One timeline with a base, its newest entry 5 s old.
storage::SourceState written_just_before(WallTime now) {
  storage::SourceState state;
  storage::TimelineState timeline;
  timeline.id = storage::TimelineId{1};
  storage::BaseInfo base;
  base.timeline = timeline.id;
  base.offset = redis::Offset{100};
  timeline.bases.push_back(base);
  state.timelines.push_back(timeline);
  storage::Head head;
  head.timeline = timeline.id;
  head.stored = now - std::chrono::seconds(5);
  head.entry.first = head.entry.last = head.entry.boundary = redis::Offset{150};
  state.head = head;
  return state;
}

TEST(SourceReport, SaysThatCaptureRunsAndDoesNotHearTheSource) {
  const WallTime now(std::chrono::seconds(1'800'000'000));
  storage::SourceState state = written_just_before(now);
  state.head->entry.marks.push_back({redis::Offset{150}, now - std::chrono::minutes(20), MonoTime{}});
  EXPECT_EQ(report_source(state, now, std::nullopt).link, LinkState::kLive);
  state.head->entry.catching_up = true;
  const SourceReport report = report_source(state, now, std::nullopt);
  EXPECT_EQ(report.link, LinkState::kNoLink);
  EXPECT_EQ(report.lag, std::chrono::minutes(20));
  EXPECT_THAT(report.first_thing_to_mend, HasSubstr("not heard the source since 2027-01-15T07:40:00"));
  state.head->entry.last = state.head->entry.boundary = redis::Offset{160};
  EXPECT_EQ(report_source(state, now, std::nullopt).link, LinkState::kCatchingUp);
}

TEST(SourceReport, SaysWhatIsWrongWithTheSourceByItsOwnWordWhileCaptureRuns) {
  const WallTime now(std::chrono::seconds(1'800'000'000));
  storage::SourceState state = written_just_before(now);
  state.head->entry.note = "a FAILOVER\nhangs";
  const SourceReport report = report_source(state, now, std::nullopt);
  EXPECT_EQ(report.link, LinkState::kLive);
  EXPECT_EQ(report.source_trouble, "a FAILOVER\\x0ahangs");
  EXPECT_EQ(report.first_thing_to_mend, report.source_trouble);
  EXPECT_EQ(to_json(report)["source_trouble"], report.source_trouble);
  state.head->stored = now - std::chrono::minutes(5);  // whatever it was, nobody has looked since
  EXPECT_EQ(report_source(state, now, std::nullopt).source_trouble, "");
  state.head->stored = now;
  state.head->entry.kind = storage::EntryKind::kClaim;  // its note is another word
  EXPECT_EQ(report_source(state, now, std::nullopt).source_trouble, "");
}

TEST(SourceReport, AVerificationBeforeTheSourceWasThereIsNoneOfIt) {
  const WallTime opened(std::chrono::seconds(1'800'000'000));
  storage::SourceState state;
  state.timelines.resize(1);
  state.timelines.front().id = storage::TimelineId{1};
  state.timelines.front().opened = opened;
  const auto verified = [&](Duration after) {
    return report_source(state, opened + std::chrono::hours(1), LastVerification{opened + after, true})
        .last_verification;
  };
  EXPECT_FALSE(verified(-std::chrono::minutes(1)).has_value());
  EXPECT_TRUE(verified(std::chrono::minutes(1)).has_value());
  state.timelines.front().id = storage::TimelineId{2};  // its first timeline was let go: it was there before
  EXPECT_TRUE(verified(-std::chrono::minutes(1)).has_value());
}

// As after a recovery by a restore: the new server has another history.
TEST(SourceReport, AGapIsToBeMendedUntilWhatCameAfterItIsVerified) {
  const WallTime began(std::chrono::seconds(1'800'000'000));
  SourceReport report;
  report.link = LinkState::kLive;
  report.protected_up_to = storage::Position{storage::TimelineId{2}, redis::Offset{200}};
  report.windows.resize(2);
  report.windows.back().from = {storage::TimelineId{2}, redis::Offset{100}};
  report.gaps.resize(1);
  report.gaps.back().after = report.windows.back().from;
  report.gaps.back().after_time = began;
  report.gaps.back().reason = "another history";
  EXPECT_THAT(first_to_mend(report), HasSubstr("not verified since the gap before 2027-01-15T08:00:00"));
  report.last_verification = {began - std::chrono::minutes(1), true};
  EXPECT_THAT(first_to_mend(report), HasSubstr("anclora verify --restore (another history)"));
  report.last_verification = {began + std::chrono::minutes(1), true};
  EXPECT_EQ(first_to_mend(report), "");
  report.last_verification->passed = false;
  EXPECT_THAT(first_to_mend(report), HasSubstr("the last verification failed"));
  report.last_verification = {began - std::chrono::minutes(1), false};
  EXPECT_THAT(first_to_mend(report), HasSubstr("the last verification failed")) << "a gap must not hide it";
}

}  // namespace
}  // namespace anclora::app
