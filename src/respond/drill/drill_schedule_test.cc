#include "respond/drill/drill_schedule.h"

#include <gtest/gtest.h>

namespace anclora::respond {
namespace {

using std::chrono::hours;

constexpr Duration kDay = hours(24);

plan::Plan plan_with(std::vector<plan::DrillSchedule> drills) {
  plan::Plan plan;
  plan.hash_hex = "new";
  plan.drills = std::move(drills);
  return plan;
}

plan::DrillSchedule monthly(const std::string& scenario, const std::string& environment = "lab") {
  plan::DrillSchedule drill;
  drill.id = scenario + "-monthly";
  drill.scenario = scenario;
  drill.environment = environment;
  drill.every = 30 * kDay;
  return drill;
}

DrillRecord ran(const std::string& scenario, WallTime ended, bool passed, const std::string& hash = "new",
                const std::string& environment = "lab") {
  DrillRecord record;
  record.scenario = scenario;
  record.environment = environment;
  record.plan_hash = hash;
  record.passed = passed;
  record.ended = ended;
  return record;
}

TEST(DrillSchedule, ADrillThatNeverRanIsDueAtOnce) {
  const ManualClock start;
  const WallTime now = ManualClock().wall_now();
  const auto due = due_drills(plan_with({monthly("lost")}), {}, now);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_TRUE(due[0].overdue && due[0].unverified && !due[0].ever_passed());
}

TEST(DrillSchedule, APassedDrillIsDueAgainAfterItsInterval) {
  ManualClock clock;
  const std::vector<DrillRecord> records = {ran("lost", clock.wall_now(), true)};
  const plan::Plan plan = plan_with({monthly("lost")});
  clock.advance(29 * kDay);
  EXPECT_TRUE(due_drills(plan, records, clock.wall_now()).empty());
  EXPECT_FALSE(drill_schedule(plan, records, clock.wall_now())[0].overdue);
  clock.advance(kDay);
  EXPECT_EQ(due_drills(plan, records, clock.wall_now()).size(), 1U);
}

TEST(DrillSchedule, AFailedDrillIsTriedAgainAfterADayAndStaysOverdue) {
  ManualClock clock;
  const std::vector<DrillRecord> records = {ran("lost", clock.wall_now(), false)};
  const plan::Plan plan = plan_with({monthly("lost")});
  clock.advance(hours(23));
  EXPECT_TRUE(due_drills(plan, records, clock.wall_now()).empty());
  EXPECT_TRUE(drill_schedule(plan, records, clock.wall_now())[0].overdue);
  clock.advance(hours(1));
  EXPECT_EQ(due_drills(plan, records, clock.wall_now()).size(), 1U);
}

TEST(DrillSchedule, APassInAnotherEnvironmentOrOfAnotherScenarioDoesNotCount) {
  ManualClock clock;
  const std::vector<DrillRecord> records = {ran("lost", clock.wall_now(), true, "new", "other"),
                                            ran("corrupt", clock.wall_now(), true)};
  EXPECT_EQ(due_drills(plan_with({monthly("lost")}), records, clock.wall_now()).size(), 1U);
}

TEST(DrillSchedule, APassWithAnOlderPlanLeavesItUnverifiedButNotDue) {
  ManualClock clock;
  const std::vector<DrillRecord> records = {ran("lost", clock.wall_now(), true, "old")};
  const auto schedule = drill_schedule(plan_with({monthly("lost")}), records, clock.wall_now());
  EXPECT_TRUE(schedule[0].unverified);
  EXPECT_FALSE(schedule[0].overdue);
}

TEST(DrillSchedule, TheLongestDueComesFirst) {
  ManualClock clock;
  std::vector<DrillRecord> records = {ran("b", clock.wall_now(), true)};
  clock.advance(kDay);
  records.push_back(ran("a", clock.wall_now(), true));
  clock.advance(40 * kDay);
  const auto due = due_drills(plan_with({monthly("a"), monthly("b"), monthly("c")}), records, clock.wall_now());
  ASSERT_EQ(due.size(), 3U);
  EXPECT_EQ(due[0].scenario, "c");
  EXPECT_EQ(due[1].scenario, "b");
}

TEST(DrillSchedule, ARestoreCountsWhereverItRan) {
  ManualClock clock;
  const std::vector<DrillRecord> records = {ran("restore", clock.wall_now(), true, "", "scratch")};
  EXPECT_TRUE(due_drills(plan_with({monthly("restore", "")}), records, clock.wall_now()).empty());
}

}  // namespace
}  // namespace anclora::respond
