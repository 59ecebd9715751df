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

}  // namespace
}  // namespace anclora::respond
