#include "respond/detect/detector.h"

#include <gtest/gtest.h>

#include <random>

namespace anclora::respond {
namespace {

plan::Probe probe(const std::string& id, std::vector<std::string> from, bool control = false) {
  plan::Probe probe;
  probe.id = id;
  probe.from = std::move(from);
  probe.bad_in_a_row = 2;
  probe.good_in_a_row = 2;
  probe.control = control;
  return probe;
}

plan::Condition down(const std::string& id, std::uint32_t at_least = 1) {
  return {id, ProbeState::kDown, at_least, {}};
}

// A redis seen from three places, a web page from one, two unrelated control probes.
plan::Plan three_vantages() {
  plan::Plan plan;
  plan.probes = {probe("redis", {"madrid", "paris", "oslo"}), probe("page", {}), probe("anchor-1", {}, true),
                 probe("anchor-2", {}, true)};
  plan::Detection rule;
  rule.id = "redis-lost";
  rule.scenario = "redis-loss";
  rule.all = {down("redis", 2)};
  rule.for_time = std::chrono::seconds(3);
  rule.start = true;
  rule.quiet_after = std::chrono::hours(1);
  plan.detections = {rule};
  return plan;
}

class DetectorTest : public ::testing::Test {
 protected:
  void look(const std::string& probe, const std::string& vantage, ProbeState state, int times = 2) {
    for (int i = 0; i < times; ++i) {
      Reading reading;
      reading.state = state;
      reading.at = now;
      reading.reason = state == ProbeState::kUp ? "" : "connection refused";
      ASSERT_TRUE(detector.add(probe, vantage, reading).has_value());
    }
  }
  void all_well() {
    for (const char* place : {"madrid", "paris", "oslo"}) look("redis", place, ProbeState::kUp);
    look("page", "here", ProbeState::kUp);
    look("anchor-1", "here", ProbeState::kUp);
    look("anchor-2", "here", ProbeState::kUp);
  }
  RuleVerdict judge(int seconds_later = 0) {
    now += std::chrono::seconds(seconds_later);
    return detector.judge(now).at(0);
  }
  WallTime now{std::chrono::seconds(1'800'000'000)};
  plan::Plan plan = three_vantages();
  Detector detector{plan};
};

TEST_F(DetectorTest, IsQuietWhileAllIsWell) {
  all_well();
  EXPECT_EQ(judge(60).state, RuleState::kQuiet);
}

TEST_F(DetectorTest, SuspectsThenConfirmsAfterTheTimeOfTheRule) {
  all_well();
  const WallTime out = now;
  look("redis", "madrid", ProbeState::kDown);
  now += std::chrono::seconds(1);
  look("redis", "paris", ProbeState::kDown);
  EXPECT_EQ(judge().state, RuleState::kSuspected);
  EXPECT_EQ(judge(2).state, RuleState::kSuspected);
  const RuleVerdict verdict = judge(1);
  EXPECT_EQ(verdict.state, RuleState::kConfirmed);
  EXPECT_EQ(verdict.scenario, "redis-loss");
  EXPECT_TRUE(verdict.start);
  EXPECT_EQ(verdict.out_since, out);  // the outage began with the first bad look, not with the verdict
  EXPECT_EQ(verdict.evidence.size(), 2U);
}

TEST_F(DetectorTest, DoesNotBelieveOneVantagePointOfThree) {
  all_well();
  look("redis", "oslo", ProbeState::kDown, 50);
  EXPECT_EQ(judge(600).state, RuleState::kQuiet);
}

TEST_F(DetectorTest, AnotherObserverThatFellSilentCountsNoMore) {
  all_well();
  look("redis", "madrid", ProbeState::kDown);
  Reading heard;
  heard.state = ProbeState::kDown;
  heard.at = now;
  heard.received = now;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(detector.add("redis", "paris", heard).has_value());
  judge();
  EXPECT_EQ(judge(3).state, RuleState::kConfirmed);
  look("redis", "madrid", ProbeState::kDown);  // still seen from here
  EXPECT_EQ(judge(26).state, RuleState::kConfirmed);
  EXPECT_EQ(judge(2).state, RuleState::kQuiet);
  heard.received = now;
  ASSERT_TRUE(detector.add("redis", "paris", heard).has_value());
  EXPECT_EQ(judge().state, RuleState::kSuspected);
}

TEST_F(DetectorTest, UnknownFromTheOthersConfirmsNothing) {
  all_well();
  look("redis", "oslo", ProbeState::kDown, 50);
  look("redis", "madrid", ProbeState::kUnknown, 50);
  look("redis", "paris", ProbeState::kUnknown, 50);
  EXPECT_EQ(judge(600).state, RuleState::kQuiet);
}

TEST_F(DetectorTest, DeclaresNothingWhenTheObserverIsCutOff) {
  all_well();
  for (const char* place : {"madrid", "paris", "oslo"}) look("redis", place, ProbeState::kDown);
  look("anchor-1", "here", ProbeState::kDown);
  look("anchor-2", "here", ProbeState::kDown);
  EXPECT_TRUE(detector.isolated());
  EXPECT_EQ(judge(600).state, RuleState::kIsolated);
}

TEST_F(DetectorTest, TakesAControlProbeThatDoesNotKnowForAFailingOne) {
  all_well();
  for (const char* place : {"madrid", "paris", "oslo"}) look("redis", place, ProbeState::kDown);
  look("anchor-1", "here", ProbeState::kUnknown, 1);
  EXPECT_FALSE(detector.isolated());
  look("anchor-2", "here", ProbeState::kUnknown, 1);  // our resolver, say: its state is up until more looks agree
  EXPECT_TRUE(detector.isolated());
}

TEST(Detector, WhatOthersSawOfAControlProbeDoesNotHideThatThisPlaceIsCutOff) {
  plan::Plan plan;
  plan.probes = {probe("anchor-1", {"madrid", "paris"}, true), probe("anchor-2", {"madrid", "paris"}, true),
                 probe("anchor-3", {"paris"}, true)};
  Detector detector{plan};
  Reading own, heard;
  own.at = heard.at = WallTime(std::chrono::seconds(1'800'000'000));
  own.state = heard.state = ProbeState::kUp;
  heard.received = heard.at;
  for (int i = 0; i < 2; ++i) {
    for (const char* anchor : {"anchor-1", "anchor-2"}) ASSERT_TRUE(detector.add(anchor, "madrid", own).has_value());
    for (const char* anchor : {"anchor-1", "anchor-2", "anchor-3"})
      ASSERT_TRUE(detector.add(anchor, "paris", heard).has_value());
  }
  EXPECT_FALSE(detector.isolated());
  own.state = ProbeState::kDown;
  for (int i = 0; i < 2; ++i)
    for (const char* anchor : {"anchor-1", "anchor-2"}) ASSERT_TRUE(detector.add(anchor, "madrid", own).has_value());
  EXPECT_TRUE(detector.isolated());  // nothing is heard from paris any more
  own.state = ProbeState::kUp;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(detector.add("anchor-1", "madrid", own).has_value());
  EXPECT_FALSE(detector.isolated());  // one of two: anchor-3 is not looked at from here
}

TEST_F(DetectorTest, CountsTheTimeAnewOnceTheObserverIsBack) {
  all_well();
  for (const char* place : {"madrid", "paris", "oslo"}) look("redis", place, ProbeState::kDown);
  look("anchor-1", "here", ProbeState::kDown);
  look("anchor-2", "here", ProbeState::kDown);
  judge(600);
  look("anchor-1", "here", ProbeState::kUp);
  EXPECT_EQ(judge(0).state, RuleState::kSuspected);
  EXPECT_EQ(judge(3).state, RuleState::kConfirmed);
}

TEST_F(DetectorTest, ForgetsASuspicionThatEnds) {
  all_well();
  look("redis", "madrid", ProbeState::kDown);
  look("redis", "paris", ProbeState::kDown);
  EXPECT_EQ(judge(2).state, RuleState::kSuspected);
  look("redis", "paris", ProbeState::kUp);
  EXPECT_EQ(judge(1).state, RuleState::kQuiet);
  look("redis", "paris", ProbeState::kDown);
  EXPECT_EQ(judge(0).state, RuleState::kSuspected);
}

TEST_F(DetectorTest, KeepsQuietAfterARunUntilAPersonReleasesIt) {
  all_well();
  look("redis", "madrid", ProbeState::kDown);
  look("redis", "paris", ProbeState::kDown);
  judge();
  EXPECT_EQ(judge(3).state, RuleState::kConfirmed);
  detector.acted("redis-loss", true, now);
  EXPECT_EQ(judge(86'400).state, RuleState::kSilenced);
  ASSERT_TRUE(detector.release("redis-lost").has_value());
  judge();
  EXPECT_EQ(judge(3).state, RuleState::kConfirmed);
}

TEST_F(DetectorTest, ConfirmsAnotherLossAfterARunThoughItMayStartNothing) {
  all_well();
  look("redis", "madrid", ProbeState::kDown);
  look("redis", "paris", ProbeState::kDown);
  judge();
  judge(3);
  detector.acted("redis-loss", true, now);
  EXPECT_EQ(judge(3).state, RuleState::kSilenced);  // what the run dealt with
  all_well();
  EXPECT_TRUE(judge(1).well_since_acted);
  look("redis", "madrid", ProbeState::kDown);
  look("redis", "paris", ProbeState::kDown);
  EXPECT_EQ(judge(1).state, RuleState::kSuspected);
  const RuleVerdict verdict = judge(3);
  EXPECT_EQ(verdict.state, RuleState::kConfirmed);
  EXPECT_TRUE(verdict.acted_at.has_value());
  ASSERT_TRUE(detector.release("redis-lost").has_value());
  EXPECT_EQ(judge().state, RuleState::kConfirmed);
  EXPECT_FALSE(judge().acted_at.has_value());
}

TEST_F(DetectorTest, TakesWhatItDoesNotKnowForNoRecovery) {
  look("anchor-1", "here", ProbeState::kUp);
  detector.acted("redis-loss", true, now);  // as after a start: no look at the rule's probes yet
  EXPECT_FALSE(judge(1).well_since_acted);
  look("redis", "madrid", ProbeState::kDown);
  EXPECT_FALSE(judge(1).well_since_acted);
  look("redis", "paris", ProbeState::kDown);
  EXPECT_EQ(judge(60).state, RuleState::kSilenced);
  detector.seen_well("redis-lost");  // the observer before us saw it
  EXPECT_EQ(judge(60).state, RuleState::kConfirmed);
}

TEST_F(DetectorTest, IsNotSilencedByARunThatDidNotComplete) {
  all_well();
  look("redis", "madrid", ProbeState::kDown);
  look("redis", "paris", ProbeState::kDown);
  judge();
  detector.acted("redis-loss", false, now);
  EXPECT_EQ(judge(3).state, RuleState::kConfirmed);
}

TEST_F(DetectorTest, RefusesToReleaseWhatIsNotSilenced) {
  EXPECT_FALSE(detector.release("redis-lost").has_value());
  EXPECT_FALSE(detector.release("no-such-rule").has_value());
}

TEST_F(DetectorTest, RefusesALookOfAnUnknownProbeOrPlace) {
  EXPECT_FALSE(detector.add("nothing", "here", {}).has_value());
  EXPECT_FALSE(detector.add("redis", "here", {}).has_value());
}

// An hour of looks, one a second and place, each place failing at random for streaks below the threshold.
TEST_F(DetectorTest, DeclaresNothingInAnHourOfChaosBelowTheThreshold) {
  std::mt19937 random(20261124);
  std::map<std::string, int> bad_left;
  std::map<std::string, bool> was_bad;
  for (int second = 0; second < 3600; ++second, now += std::chrono::seconds(1)) {
    for (const char* place : {"madrid", "paris", "oslo"}) {
      const bool bad = !was_bad[place] && random() % 3 == 0;  // never two in a row, the threshold
      was_bad[place] = bad;
      look("redis", place, bad ? ProbeState::kDown : random() % 20 == 0 ? ProbeState::kUnknown : ProbeState::kUp, 1);
    }
    ASSERT_NE(detector.judge(now).at(0).state, RuleState::kConfirmed) << "at second " << second;
  }
}

}  // namespace
}  // namespace anclora::respond
