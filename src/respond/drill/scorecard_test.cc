#include "respond/drill/scorecard.h"

#include <gtest/gtest.h>

namespace anclora::respond {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

DrillRecord ran(std::uint64_t number, bool passed, int rto, const std::string& scenario = "lost") {
  DrillRecord record;
  record.number = number;
  record.scenario = scenario;
  record.passed = passed;
  record.achieved.rto = seconds(rto);
  return record;
}

TEST(Scorecard, ComparesWithTheMedianOfPassedDrillsBefore) {
  const std::vector<DrillRecord> records = {ran(1, true, 10),         ran(2, false, 99), ran(3, true, 20),
                                            ran(4, true, 5, "other"), ran(5, true, 40),  ran(6, true, 3)};
  const DrillTrend trend = trend_of(records, records.back());
  EXPECT_EQ(trend.earlier, 4U);
  EXPECT_EQ(trend.passed, 3U);
  EXPECT_EQ(trend.in_a_row, 3U);
  EXPECT_EQ(trend.rto_before, Duration(seconds(20)));
  EXPECT_FALSE(trend.rpo_before);
}

TEST(Scorecard, SaysHowMuchMoreOrLess) {
  EXPECT_EQ(figure_with_trend(std::nullopt, seconds(1)), "not measured");
  EXPECT_EQ(figure_with_trend(seconds(2), std::nullopt), format_duration(seconds(2)));
  EXPECT_EQ(figure_with_trend(seconds(2), milliseconds(1990)), format_duration(seconds(2)) + " (as before)");
  EXPECT_NE(figure_with_trend(seconds(2), seconds(1)).find("more than before"), std::string::npos);
  EXPECT_NE(figure_with_trend(seconds(1), seconds(2)).find("less than before"), std::string::npos);
}

TEST(Scorecard, PastDurationsAreMediansOfDoneStepsOfThatScenario) {
  const auto with = [](DrillRecord record, int took, const std::string& state, const std::string& part = "recovery") {
    record.steps = {{part, "data", "redis.restore", state, seconds(took), ""}};
    return record;
  };
  const std::vector<DrillRecord> records = {
      with(ran(1, true, 1), 4, "done"), with(ran(2, true, 1), 8, "done"), with(ran(3, true, 1), 100, "skipped"),
      with(ran(4, true, 1), 100, "done", "inject"), with(ran(5, true, 1, "other"), 100, "done")};
  const PastDurations past = past_durations(records, "lost");
  ASSERT_EQ(past.size(), 1U);
  EXPECT_EQ(past.at("data"), Duration(seconds(6)));
}

}  // namespace
}  // namespace anclora::respond
