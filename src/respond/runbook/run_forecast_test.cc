#include "respond/runbook/run_forecast.h"

#include <gtest/gtest.h>

#include <chrono>

#include "respond/testing/engine_world.h"

namespace anclora::respond {
namespace {

using namespace std::chrono_literals;
using testing::EngineWorld;
using testing::make_plan;
using testing::make_step;

plan::Step with_budget(plan::Step step, Duration budget) {
  step.budget = budget;
  return step;
}

struct RunForecastTest : ::testing::Test {
  // a 60 s and b 10 s at the same time, then c 30 s; tidy is work after recovery.
  plan::Plan plan = [] {
    plan::Plan made =
        make_plan({with_budget(make_step("c", "test.look", {"a", "b"}), 30s),
                   with_budget(make_step("a", "test.act"), 60s), with_budget(make_step("b", "test.act"), 10s)});
    made.scenarios[0].after = {with_budget(make_step("tidy", "test.act"), 1h)};
    return made;
  }();
  RunPlan run = *prepare_run(plan, "s", RunPart::kRecovery, testing::ScriptedActions::schema);
  RunState state = initial_state(run);
  WallTime start = *parse_rfc3339("2026-11-24T12:00:00Z");

  void SetUp() override { add(RecordKind::kRunStarted, "", 0s); }

  void add(RecordKind kind, const std::string& step, Duration at, std::map<std::string, std::string> fields = {}) {
    RunRecord record;
    record.kind = kind;
    record.step = step;
    record.attempt = 1;
    record.time = start + at;
    record.fields = std::move(fields);
    const Status applied = apply(run, state, record);
    ASSERT_TRUE(applied) << applied.error().to_string();
  }
  void done(const std::string& step, Duration from, Duration to, Outputs outputs = {}) {
    add(RecordKind::kIntent, step, from);
    add(RecordKind::kOutcome, step, to, std::move(outputs));
    add(RecordKind::kVerified, step, to);
  }
  void mark(const std::string& name, Duration at) {
    add(RecordKind::kMark, "", at, {{"name", name}, {"time", format_rfc3339(start + at)}});
  }
};

TEST_F(RunForecastTest, AddsTheCriticalPathOfBudgetsToWhatHasPassed) {
  const Forecast now = forecast(run, state, start + 5s);
  EXPECT_EQ(now.elapsed, 5s);
  EXPECT_EQ(now.remaining, 90s);
  EXPECT_FALSE(now.over_rto);
}

TEST_F(RunForecastTest, CountsTheRestOfARunningStepOnly) {
  add(RecordKind::kIntent, "a", 0s);
  EXPECT_EQ(forecast(run, state, start + 20s).remaining, 70s);
  EXPECT_EQ(forecast(run, state, start + 100s).remaining, 40s);  // late, and never negative: b and c are left
}

TEST_F(RunForecastTest, PrefersWhatDrillsMeasured) {
  EXPECT_EQ(forecast(run, state, start, {{"a", 5s}, {"c", 100s}}).remaining, 110s);
}

TEST_F(RunForecastTest, CountsFromTheFirstBadProbe) {
  mark("t_out", -2min);
  EXPECT_EQ(forecast(run, state, start + 5s).elapsed, 125s);
}

TEST_F(RunForecastTest, SaysWhenTheObjectiveAndItsMaximumWillBeMissed) {
  mark("t_out", -14min);
  EXPECT_TRUE(forecast(run, state, start).over_rto);
  EXPECT_FALSE(forecast(run, state, start).over_rto_max);
  EXPECT_TRUE(forecast(run, state, start + 15min).over_rto_max);
}

TEST_F(RunForecastTest, CountsTheRestOfAnApproval) {
  run.steps[0].step.approve.emplace();
  run.steps[0].step.approve->timeout = 120s;
  EXPECT_EQ(forecast(run, state, start).remaining, 210s);
  add(RecordKind::kApprovalRequested, "c", 0s);
  EXPECT_EQ(forecast(run, state, start + 100s).remaining, 110s);
}

TEST_F(RunForecastTest, SplitsTheAchievedTimeWithoutARest) {
  mark("t_out", -60s);
  mark("t_det", -40s);
  mark("t_decl", 10s);
  done("a", 11s, 50s, {{"rpo_seconds", "2.5"}, {"rpo_writes", "9"}});
  done("b", 11s, 20s, {{"rpo_seconds", "10"}});
  done("c", 50s, 70s);
  mark("t_serv", 70s);
  const RtoSplit split = split_rto(run, state);
  EXPECT_EQ(split.detect, 20s);
  EXPECT_EQ(split.decide, 50s);
  EXPECT_EQ(split.act, 40s);
  EXPECT_EQ(split.verify, 20s);
  EXPECT_EQ(split.achieved, 130s);
  EXPECT_EQ(*split.detect + *split.decide + *split.act + *split.verify, *split.achieved);
  EXPECT_TRUE(split.met);
  EXPECT_EQ(measured_rpo(state).seconds, "10");
  EXPECT_EQ(measured_rpo(state).writes, "9");
  EXPECT_EQ(forecast(run, state, start + 9h).total, 130s);  // the clock stopped
}

TEST_F(RunForecastTest, VerifiesForNoNegativeTimeWhenTheServiceIsBackBeforeTheLastStepEnds) {
  mark("t_out", -60s);
  mark("t_det", -40s);
  mark("t_decl", 10s);
  done("a", 11s, 50s);
  mark("t_serv", 45s);
  const RtoSplit split = split_rto(run, state);
  EXPECT_EQ(split.act, 35s);
  EXPECT_EQ(split.verify, 0s);
  EXPECT_EQ(*split.detect + *split.decide + *split.act + *split.verify, *split.achieved);
}

TEST_F(RunForecastTest, MeetsNothingThatWasNotAchieved) {
  EXPECT_FALSE(split_rto(run, state).achieved);
  EXPECT_FALSE(split_rto(run, state).met);
}

}  // namespace
}  // namespace anclora::respond
