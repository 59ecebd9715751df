#include "respond/actions/plan_probe.h"

#include <gtest/gtest.h>

namespace anclora::respond {
namespace {

using redis::Offset;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(BackupLag, GrowsWhileCaptureRunsAndDoesNotHearTheSource) {
  const WallTime now(seconds(1'800'000'000));
  storage::SourceState state;
  state.head.emplace();
  state.head->timeline = storage::TimelineId{1};
  state.head->stored = now - seconds(5);
  state.head->entry.first = state.head->entry.last = state.head->entry.boundary = Offset{150};
  storage::RecoveryWindow newest;
  newest.to = {storage::TimelineId{1}, Offset{150}};
  newest.to_time = now - minutes(20);
  EXPECT_EQ(backup_lag(state, newest, now), seconds(5));  // nothing was written, and capture is there
  state.head->entry.catching_up = true;
  EXPECT_EQ(backup_lag(state, newest, now), minutes(20));
  state.head->entry.catching_up = false;
  state.head->entry.source_offset = Offset{151};
  EXPECT_EQ(backup_lag(state, newest, now), minutes(20));
}

TEST(VerificationComplaint, IsMadeOfOneFromBeforeTheSourceWasThere) {
  const WallTime opened(seconds(1'800'000'000));
  storage::SourceState state;
  state.timelines.resize(1);
  state.timelines.front().id = storage::TimelineId{1};
  state.timelines.front().opened = opened;
  const auto complaint = [&](std::optional<WallTime> passed) {
    return verification_complaint(passed, state, minutes(60), opened + minutes(30));
  };
  EXPECT_EQ(complaint(opened - minutes(1)), "it was never verified: it came after the last verification");
  EXPECT_EQ(complaint(opened + minutes(1)), "");
  EXPECT_NE(complaint(std::nullopt), "");
  state.timelines.front().id = storage::TimelineId{2};  // its first timeline was let go: it was there before
  EXPECT_EQ(complaint(opened - minutes(1)), "");
  EXPECT_TRUE(complaint(opened - minutes(31)).starts_with("its last verification is "));
}

}  // namespace
}  // namespace anclora::respond
