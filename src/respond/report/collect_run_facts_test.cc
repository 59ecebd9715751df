#include "respond/report/collect_run_facts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "respond/testing/engine_world.h"

namespace anclora::respond {
namespace {

using namespace std::chrono_literals;
using testing::EngineWorld;
using testing::make_plan;
using testing::make_step;

plan::Plan plan_with_objectives(std::vector<plan::Step> steps) {
  plan::Plan plan = make_plan(std::move(steps));
  plan.scenarios[0].severity = "critical";
  plan.scenarios[0].impact = "nothing works";
  plan.severities = {{"critical", 5min, 10min, {}}};
  return plan;
}

ReportFacts facts_of(EngineWorld& world, const std::vector<plan::DrillResult>* drills = nullptr) {
  const JournalContent journal = read_journal(world.disk, EngineWorld::kFolder).value();
  return collect_run_facts(world.plan, world.run_plan(), journal, world.state(), world.clock.wall_now(), drills);
}

const ReportStep& step_of(const ReportFacts& facts, const std::string& id) {
  return *std::ranges::find(facts.steps, id, &ReportStep::id);
}

bool tells(const ReportFacts& facts, const std::string& kind, const std::string& step) {
  return std::ranges::any_of(facts.timeline,
                             [&](const ReportEvent& event) { return event.kind == kind && event.step == step; });
}

TEST(RunFacts, TellWhatAFinishedRunDidAndWhatItAchieved) {
  EngineWorld world(plan_with_objectives({make_step("a", "test.act"), make_step("b", "test.look", {"a"})}));
  world.actions.script("a").in_execute = [&] { world.clock.advance(7s); };
  ASSERT_EQ(world.start().value(), RunEnd::kFinished);
  const ReportFacts facts = facts_of(world);
  EXPECT_EQ(facts.kind, ReportKind::kIncident);
  EXPECT_EQ(facts.state, "finished");
  EXPECT_EQ(facts.severity, "critical");
  EXPECT_EQ(facts.words.impact, "nothing works");
  EXPECT_EQ(facts.rto.objective, Duration(5min));
  EXPECT_GE(facts.rto.achieved.value(), Duration(7s));
  EXPECT_EQ(facts.rto.met, Verdict::kPassed);
  EXPECT_GE(step_of(facts, "a").took.value(), Duration(7s));
  EXPECT_TRUE(step_of(facts, "a").changes);
  EXPECT_TRUE(tells(facts, "step.verified", "b"));
  EXPECT_FALSE(tells(facts, "step.outcome", "b"));
  EXPECT_TRUE(std::ranges::is_sorted(facts.timeline, {}, &ReportEvent::time));
  EXPECT_EQ(facts.evidence.front().records, world.records().size());
  EXPECT_EQ(facts.people.front().id, "ada");
  EXPECT_FALSE(facts.plan_verified.has_value());
}

TEST(RunFacts, CallAnAbortedRunAMissHoweverShortItWas) {
  EngineWorld world(plan_with_objectives({make_step("a", "test.act")}));
  world.actions.script("a").fail_execute = 9;
  ASSERT_EQ(world.start().value(), RunEnd::kPersonNeeded);
  ReportFacts facts = facts_of(world);
  EXPECT_EQ(facts.rto.met, Verdict::kUnknown);
  EXPECT_EQ(facts.reasons.size(), 1U);
  world.ask(RequestKind::kAbort, "", "bob", "wrong scenario");
  ASSERT_EQ(world.resume().value(), RunEnd::kAborted);
  facts = facts_of(world);
  EXPECT_EQ(facts.state, "aborted");
  EXPECT_EQ(facts.rto.met, Verdict::kFailed);
  EXPECT_EQ(facts.rto.met_max, Verdict::kFailed);
  EXPECT_FALSE(facts.rto.achieved.has_value());
  EXPECT_TRUE(tells(facts, "step.failed", "a"));
  EXPECT_EQ(facts.people.back().id, "bob");
  EXPECT_EQ(facts.people.back().part, "aborted");
}

TEST(RunFacts, SayWhatWasDoneByHandByWhomAndWhy) {
  EngineWorld world(plan_with_objectives({make_step("a", "test.act"), make_step("b", "test.act", {"a"})}));
  world.actions.script("a").fail_execute = 9;
  ASSERT_EQ(world.start().value(), RunEnd::kPersonNeeded);
  world.ask(RequestKind::kDone, "a", "cyd", "saw it with my own eyes");
  ASSERT_EQ(world.resume().value(), RunEnd::kFinished);
  const ReportStep step = step_of(facts_of(world), "a");
  EXPECT_EQ(step.state, "manual_done");
  EXPECT_EQ(step.settled_by, "cyd");
  EXPECT_EQ(step.evidence, "saw it with my own eyes");
}

TEST(RunFacts, HaveTheChecklistOfADrillWithWhatNobodyProvedOpen) {
  EngineWorld world(plan_with_objectives({make_step("a", "test.act")}));
  world.begin.drill = true;
  world.begin.environment = "lab";
  ASSERT_EQ(world.start().value(), RunEnd::kFinished);
  ReportFacts facts = facts_of(world);
  EXPECT_EQ(facts.kind, ReportKind::kDrill);
  EXPECT_TRUE(facts.sandbox);
  const auto verdict = [&](const char* id) { return std::ranges::find(facts.checks, id, &ReportCheck::id)->verdict; };
  EXPECT_EQ(verdict("recovery_executed"), Verdict::kPassed);
  EXPECT_EQ(verdict("service_restored"), Verdict::kPassed);
  EXPECT_EQ(verdict("backup_created"), Verdict::kUnknown);
  EXPECT_EQ(verdict("rpo_measured"), Verdict::kUnknown);
  set_check(facts, {ReportCheck::Phase::kBefore, "team_notified", "", Verdict::kPassed, "1 of 1"});
  EXPECT_EQ(verdict("team_notified"), Verdict::kPassed);
  EXPECT_EQ(facts.people.front().part, "tester");
}

TEST(RunFacts, JudgeTheLossOfTheDataThatTheRunTouchedOnly) {
  plan::Plan plan = plan_with_objectives({make_step("a", "test.act")});
  plan::Value to;
  to.kind = plan::ValueKind::kScalar;
  to.text = "redis-new";
  plan.scenarios[0].steps[0].with.kind = plan::ValueKind::kMap;
  plan.scenarios[0].steps[0].with.entries = {{"to", {}, to}};
  plan::Target standby;
  standby.id = "redis-new";
  standby.standby_of = "redis-main";
  plan.targets.push_back(standby);
  plan.data = {{"queue", 1min, "beacon", {"redis-main"}, {}}, {"logs", 24h, "backup", {"archive"}, {}}};
  EngineWorld world(std::move(plan));
  ASSERT_EQ(world.start().value(), RunEnd::kFinished);
  RunState state = world.state();
  const JournalContent journal = read_journal(world.disk, EngineWorld::kFolder).value();
  const auto rpo = [&] {
    return collect_run_facts(world.plan, world.run_plan(), journal, state, world.clock.wall_now()).rpo;
  };
  ASSERT_EQ(rpo().size(), 1U);
  EXPECT_EQ(rpo()[0].met, Verdict::kUnknown);
  state.steps[0].outputs = {{"rpo_seconds", "3.250"}, {"commands_lost", "14"}, {"keys", "1204"}, {"url", "redis://x"}};
  EXPECT_EQ(rpo()[0].lost, Duration(3250ms));
  EXPECT_EQ(rpo()[0].writes, 14U);
  EXPECT_EQ(rpo()[0].met, Verdict::kPassed);
  EXPECT_EQ(rpo()[0].proof, "a");
  state.steps[0].outputs["rpo_seconds"] = "61";
  EXPECT_EQ(rpo()[0].met, Verdict::kFailed);
  state.steps[0].outputs["rpo_seconds"] = "nan";
  EXPECT_FALSE(rpo()[0].lost.has_value());
  const auto impact = collect_run_facts(world.plan, world.run_plan(), journal, state, world.clock.wall_now()).impact;
  ASSERT_EQ(impact.size(), 2U);
  EXPECT_EQ(impact[1].name + "=" + impact[1].value, "keys=1204");
}

TEST(RunFacts, SayWhetherADrillVouchesForExactlyThisPlan) {
  plan::Plan plan = plan_with_objectives({make_step("a", "test.act")});
  plan.hash_hex = "aa";
  EngineWorld world(std::move(plan));
  ASSERT_EQ(world.start().value(), RunEnd::kFinished);
  plan::DrillResult drill;
  drill.scenario = "s";
  drill.plan_hash = "bb";
  drill.passed = true;
  drill.ended = world.clock.wall_now();
  std::vector<plan::DrillResult> drills{drill};
  EXPECT_EQ(facts_of(world, &drills).plan_verified, std::optional(false));
  EXPECT_EQ(facts_of(world, &drills).plan_last_passed, drill.ended);
  drills[0].plan_hash = "aa";
  EXPECT_EQ(facts_of(world, &drills).plan_verified, std::optional(true));
}

TEST(RunFacts, OfAPlayedDisasterDoNotTellOfARestoredService) {
  EngineWorld world(plan_with_objectives({make_step("a", "test.act")}));
  ASSERT_EQ(world.start().value(), RunEnd::kFinished);
  EXPECT_TRUE(tells(facts_of(world), "run.mark", ""));
  RunPlan run = world.run_plan();
  run.part = RunPart::kInject;
  const JournalContent journal = read_journal(world.disk, EngineWorld::kFolder).value();
  const ReportFacts facts = collect_run_facts(world.plan, run, journal, world.state(), world.clock.wall_now());
  EXPECT_FALSE(tells(facts, "run.mark", ""));
  EXPECT_TRUE(tells(facts, "step.verified", "a"));
}

TEST(RunFacts, OfAnotherRunAreAddedWithoutRepeatingPeopleAndEvidence) {
  EngineWorld world(plan_with_objectives({make_step("a", "test.act")}));
  ASSERT_EQ(world.start().value(), RunEnd::kFinished);
  ReportFacts facts = facts_of(world);
  const ReportFacts before = facts;
  add_run_facts(facts, before);
  EXPECT_EQ(facts.people.size(), before.people.size());
  EXPECT_EQ(facts.evidence.size(), before.evidence.size());
  EXPECT_EQ(facts.timeline.size(), 2 * before.timeline.size());
  EXPECT_TRUE(std::ranges::is_sorted(facts.timeline, {}, &ReportEvent::time));
}

}  // namespace
}  // namespace anclora::respond
