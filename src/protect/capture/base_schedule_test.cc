#include "protect/capture/base_schedule.h"

#include <gtest/gtest.h>

namespace anclora::protect {
namespace {

constexpr WallTime kNoon{std::chrono::hours(500'000)};
constexpr storage::TimelineId kTimeline{3};

storage::Position at(std::uint64_t offset) { return {kTimeline, {offset}}; }

TEST(BaseSchedule, IsNotDueBeforeAFirstBaseOrWithoutNewData) {
  BaseSchedule schedule(std::chrono::hours(24), std::chrono::minutes(1));
  EXPECT_FALSE(schedule.due(at(1'000'000'000'000), kNoon, 0));
  schedule.made(at(500), kNoon, 0);
  EXPECT_FALSE(schedule.due(at(500), kNoon + std::chrono::hours(100), 0));
  EXPECT_FALSE(schedule.due(std::nullopt, kNoon + std::chrono::hours(100), 0));
}

TEST(BaseSchedule, IsDueByAge) {
  BaseSchedule schedule(std::chrono::hours(24), std::chrono::minutes(1));
  schedule.made(at(500), kNoon, 0);
  EXPECT_FALSE(schedule.due(at(501), kNoon + std::chrono::hours(23), 0));
  EXPECT_TRUE(schedule.due(at(501), kNoon + std::chrono::hours(24), 0));
}

TEST(BaseSchedule, IsDueWhenReplayWouldTakeTooLongByBytesOrByCommands) {
  BaseSchedule schedule(std::chrono::hours(24), std::chrono::minutes(1));
  schedule.made(at(500), kNoon, 1000);
  EXPECT_FALSE(schedule.due(at(500 + 60 * kReplayBytesPerSecond), kNoon, 1000));
  EXPECT_TRUE(schedule.due(at(500 + 61 * kReplayBytesPerSecond), kNoon, 1000));
  EXPECT_FALSE(schedule.due(at(600), kNoon, 1000 + 60 * kReplayCommandsPerSecond));
  EXPECT_TRUE(schedule.due(at(600), kNoon, 1000 + 61 * kReplayCommandsPerSecond));
}

TEST(BaseSchedule, GoesOnAfterAForkWithTheBaseOfItsParent) {
  BaseSchedule schedule(std::chrono::hours(24), std::chrono::minutes(1));
  schedule.made(at(500), kNoon, 0);
  const storage::Position forked{kTimeline.next(), {400}};
  EXPECT_FALSE(schedule.due(forked, kNoon + std::chrono::hours(23), 0));
  EXPECT_TRUE(schedule.due(forked, kNoon + std::chrono::hours(24), 0));
  const std::uint64_t far = 600 + 61 * kReplayBytesPerSecond;
  EXPECT_TRUE(schedule.due(storage::Position{kTimeline.next(), {far}}, kNoon, 0));
}

}  // namespace
}  // namespace anclora::protect
