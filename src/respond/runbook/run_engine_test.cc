#include "respond/runbook/run_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "respond/runbook/run_folder.h"
#include "respond/runbook/run_forecast.h"
#include "respond/testing/engine_world.h"

namespace anclora::respond {
namespace {

using namespace std::chrono_literals;
using testing::EngineWorld;
using testing::make_plan;
using testing::make_step;

std::size_t place_of(const std::vector<std::string>& log, const std::string& what) {
  return static_cast<std::size_t>(std::ranges::find(log, what) - log.begin());
}

plan::Step approved(plan::Step step, std::uint32_t need, Duration timeout, plan::OnTimeout policy) {
  step.approve.emplace();
  step.approve->roles = {"lead"};
  step.approve->need = need;
  step.approve->timeout = timeout;
  step.approve->on_timeout = policy;
  return step;
}

TEST(RunEngine, RunsEachStepOnceAfterWhatItNeeds) {
  EngineWorld world(make_plan({make_step("c", "test.act", {"a", "b"}), make_step("a", "test.once"),
                               make_step("b", "test.look"), make_step("d", "test.once", {"c"})}));
  ASSERT_EQ(world.start().value(), RunEnd::kFinished);
  const auto log = world.actions.log();
  EXPECT_LT(place_of(log, "verify a"), place_of(log, "execute c"));
  EXPECT_LT(place_of(log, "verify b"), place_of(log, "execute c"));
  EXPECT_LT(place_of(log, "verify c"), place_of(log, "execute d"));
  for (const char* step : {"a", "c", "d"}) EXPECT_EQ(world.actions.effects(step), 1) << step;
  const RunState state = world.state();
  EXPECT_TRUE(state.finished);
  EXPECT_TRUE(state.marks.contains("t_act"));
  EXPECT_TRUE(state.marks.contains("t_serv"));
  EXPECT_EQ(world.step("d").outputs["made"], "d");
}

TEST(RunEngine, StopsTheClockOnlyWhenWhatTheScenarioCallsRestoredHolds) {
  plan::Plan plan = make_plan({make_step("a", "test.act"), make_step("b", "test.act")});
  plan.scenarios[0].restored = {{"api", plan::ProbeState::kUp, 1, {}}, {"api", plan::ProbeState::kDown, 1, {}}};
  plan.scenarios[0].after = {make_step("tidy", "test.act")};
  EngineWorld world(std::move(plan));
  world.actions.script("restored:api").fail_execute = 1;
  ASSERT_EQ(world.start().value(), RunEnd::kPersonNeeded);
  EXPECT_EQ(world.step("restored:api").state, StepState::kFailedPaused);
  EXPECT_EQ(world.step("a").state, StepState::kDone);
  EXPECT_FALSE(world.state().marks.contains("t_serv"));
  EXPECT_EQ(world.actions.effects("tidy"), 0);
  world.ask(RequestKind::kRetry, "restored:api", "bob");
  world.clock.advance(1min);
  ASSERT_EQ(world.resume().value(), RunEnd::kFinished);
  const RunState state = world.state();
  EXPECT_EQ(state.marks.at("t_serv"),
            std::max(*world.step("restored:api").finished, *world.step("restored:api:2").finished));
  EXPECT_GE(*split_rto(world.run_plan(), state).verify, 1min);
  const auto log = world.actions.log();
  EXPECT_LT(place_of(log, "verify restored:api:2"), place_of(log, "execute tidy"));
  EXPECT_EQ(world.records().end()[-1].kind, RecordKind::kRunFinished);
}

TEST(RunEngine, ADisasterHasNoConditionsToWaitFor) {
  plan::Plan plan = make_plan({make_step("a", "test.act")});
  plan.scenarios[0].inject = plan.scenarios[0].steps;
  plan.scenarios[0].restored = {{"api", plan::ProbeState::kUp, 1, {}}};
  EXPECT_EQ(prepare_run(plan, "s", RunPart::kInject, testing::ScriptedActions::schema)->steps.size(), 1U);
  EXPECT_EQ(prepare_run(plan, "s", RunPart::kRecovery, testing::ScriptedActions::schema)->steps.size(), 2U);
}

TEST(RunEngine, DoesNotExecuteWhatTheProbeFindsDone) {
  EngineWorld world(make_plan({make_step("a", "test.once"), make_step("b", "test.act", {"a"})}));
  // b's effect is there before its turn.
  world.actions.script("a").in_execute = [&] { world.actions.make_it_so("b"); };
  ASSERT_EQ(world.start().value(), RunEnd::kFinished);
  EXPECT_EQ(world.actions.effects("b"), 1);
  EXPECT_EQ(world.step("b").summary, "already so: there");
  EXPECT_EQ(world.step("b").outputs["made"], "b");
  const auto log = world.actions.log();
  EXPECT_EQ(place_of(log, "execute b"), log.size());
}

TEST(RunEngine, RetriesWithBackOffAsOftenAsThePlanSays) {
  plan::Step step = make_step("a", "test.act");
  step.retry = 2;
  EngineWorld world(make_plan({step}));
  world.actions.script("a").fail_execute = 2;
  const MonoTime before = world.clock.mono_now();
  ASSERT_EQ(world.start().value(), RunEnd::kFinished);
  EXPECT_EQ(world.step("a").attempt, 3U);
  EXPECT_GE(world.clock.mono_now() - before, 3s);
}

TEST(RunEngine, PausesAfterAFailureAndGoesOnWhenAPersonRetries) {
  EngineWorld world(make_plan({make_step("a", "test.act"), make_step("b", "test.act", {"a"})}));
  world.actions.script("a").fail_execute = 1;
  ASSERT_EQ(world.start().value(), RunEnd::kPersonNeeded);
  EXPECT_EQ(world.step("a").state, StepState::kFailedPaused);
  EXPECT_NE(world.step("a").problem.find("it would not do it"), std::string::npos);
  EXPECT_EQ(world.step("b").state, StepState::kPending);
  world.ask(RequestKind::kRetry, "a", "bob");
  ASSERT_EQ(world.resume().value(), RunEnd::kFinished);
  EXPECT_EQ(world.actions.effects("b"), 1);
}

TEST(RunEngine, BeginsNothingNewWhilePaused) {
  EngineWorld world(
      make_plan({make_step("a", "test.act"), make_step("b", "test.look"), make_step("c", "test.act", {"b"})}));
  world.actions.script("a").fail_execute = 1;
  ASSERT_EQ(world.start().value(), RunEnd::kPersonNeeded);
  EXPECT_EQ(world.actions.effects("c"), 0);
}

TEST(RunEngine, TakesAPersonsWordForAStepDoneByHandOrSkipped) {
  EngineWorld world(make_plan({make_step("a", "test.once"), make_step("b", "test.act", {"a"})}));
  world.actions.script("a").fail_execute = 1;
  world.actions.script("b").fail_execute = 1;
  ASSERT_EQ(world.start().value(), RunEnd::kPersonNeeded);
  world.ask(RequestKind::kDone, "a", "bob", "saw it in the console");
  ASSERT_EQ(world.resume().value(), RunEnd::kPersonNeeded);
  EXPECT_EQ(world.step("a").state, StepState::kManualDone);
  EXPECT_EQ(world.step("a").evidence, "saw it in the console");
  world.ask(RequestKind::kSkip, "b", "ada", "not needed");
  ASSERT_EQ(world.resume().value(), RunEnd::kFinished);
  EXPECT_EQ(world.step("b").state, StepState::kSkipped);
  EXPECT_EQ(world.step("b").settled_by, "ada");
}

TEST(RunEngine, AStepDoneByHandLeavesWhatThePlanTellsOfIt) {
  EngineWorld world(make_plan({make_step("a", "test.once"), make_step("b", "test.act", {"a"})}));
  world.actions.script("a").fail_execute = 1;
  std::string found;
  world.actions.script("b").see = [&](StepContext& context) {
    const auto left = context.outputs_of("a");
    found = left ? left->at("made") : left.error().to_string();
  };
  ASSERT_EQ(world.start().value(), RunEnd::kPersonNeeded);
  world.ask(RequestKind::kDone, "a", "bob", "saw it in the console");
  ASSERT_EQ(world.resume().value(), RunEnd::kFinished);
  EXPECT_EQ(found, "a by hand");
}

TEST(RunEngine, DoesNotRetryByItselfWhatMayHaveChangedAndMustNotBeRepeated) {
  plan::Step step = make_step("a", "test.once");
  step.retry = 5;
  EngineWorld world(make_plan({step}));
  world.actions.script("a").fail_execute = 1;
  world.actions.script("a").announce_only = true;
  ASSERT_EQ(world.start().value(), RunEnd::kPersonNeeded);
  EXPECT_EQ(world.step("a").attempt, 1U);
}

TEST(RunEngine, WaitsForApprovalByTheRightPersonsAndNotByTheStarter) {
  EngineWorld world(make_plan({approved(make_step("a", "test.act"), 2, 0s, plan::OnTimeout::kEscalate)}));
  world.begin.starter = "cyd";
  world.plan.contacts.push_back({"eve", "Eve", {"lead"}, {}, {}});
  ASSERT_EQ(world.start().value(), RunEnd::kPersonNeeded);
  EXPECT_EQ(world.step("a").state, StepState::kAwaitingApproval);
  for (const auto& [who, why] : std::map<std::string, std::string>{
           {"cyd", "started this run"}, {"ada", "none of the roles"}, {"zoe", "no contact zoe"}, {"", "is not said"}}) {
    world.ask(RequestKind::kApprove, "a", who);
    ASSERT_EQ(world.resume().value(), RunEnd::kPersonNeeded);
    EXPECT_NE(world.refusal().find(why), std::string::npos) << who << ": " << world.refusal();
  }
  world.ask(RequestKind::kApprove, "a", "bob");
  ASSERT_EQ(world.resume().value(), RunEnd::kPersonNeeded);
  world.ask(RequestKind::kApprove, "a", "bob");
  ASSERT_EQ(world.resume().value(), RunEnd::kPersonNeeded);
  EXPECT_NE(world.refusal().find("approved already"), std::string::npos);
  EXPECT_EQ(world.actions.effects("a"), 0);
  world.ask(RequestKind::kApprove, "a", "eve");
  ASSERT_EQ(world.resume().value(), RunEnd::kFinished);
  EXPECT_EQ(world.actions.effects("a"), 1);
}

TEST(RunEngine, StopsAtARefusedApproval) {
  EngineWorld world(make_plan({approved(make_step("a", "test.act"), 1, 0s, plan::OnTimeout::kEscalate)}));
  ASSERT_EQ(world.start().value(), RunEnd::kPersonNeeded);
  world.ask(RequestKind::kRefuse, "a", "bob", "too early");
  ASSERT_EQ(world.resume().value(), RunEnd::kPersonNeeded);
  EXPECT_EQ(world.step("a").state, StepState::kFailedPaused);
  EXPECT_EQ(world.actions.effects("a"), 0);
}

TEST(RunEngine, FollowsThePlanWhenNobodyApproves) {
  for (const auto policy : {plan::OnTimeout::kProceed, plan::OnTimeout::kAbort, plan::OnTimeout::kEscalate}) {
    EngineWorld world(make_plan({approved(make_step("a", "test.act"), 1, 10s, policy)}));
    ASSERT_EQ(world.start().value(), RunEnd::kPersonNeeded);
    world.clock.advance(11s);
    const RunEnd end = world.resume().value();
    const RunEnd expected = policy == plan::OnTimeout::kProceed ? RunEnd::kFinished
                            : policy == plan::OnTimeout::kAbort ? RunEnd::kAborted
                                                                : RunEnd::kPersonNeeded;
    EXPECT_EQ(end, expected);
    EXPECT_EQ(world.step("a").approval.round, policy == plan::OnTimeout::kEscalate ? 2U : 1U);
    EXPECT_EQ(world.actions.effects("a"), policy == plan::OnTimeout::kProceed ? 1 : 0);
  }
}

TEST(RunEngine, BeginsNothingBeforeTheScenarioIsDeclared) {
  EngineWorld world(make_plan({make_step("a", "test.act")}));
  world.plan.scenarios[0].declare.emplace();
  ASSERT_EQ(world.start().value(), RunEnd::kPersonNeeded);
  EXPECT_TRUE(world.actions.log().empty());
  world.clock.advance(90s);
  world.ask(RequestKind::kApprove, "", "bob");
  ASSERT_EQ(world.resume().value(), RunEnd::kFinished);
  EXPECT_GE(world.state().marks["t_decl"] - *world.state().started, 90s);
}

TEST(RunEngine, TakesTheRuleThatMayStartItForTheDeclarationAndNothingElse) {
  EngineWorld world(make_plan(
      {make_step("a", "test.act"), approved(make_step("b", "test.act", {"a"}), 1, 1min, plan::OnTimeout::kEscalate)}));
  world.plan.scenarios[0].declare.emplace();
  world.plan.scenarios[0].declare->roles = {"lead"};
  world.plan.scenarios[0].declare->need = 2;
  world.begin.starter = "";
  world.begin.declared_by = "redis-gone";
  ASSERT_EQ(world.start().value(), RunEnd::kPersonNeeded);
  EXPECT_EQ(world.step("a").state, StepState::kDone);
  EXPECT_EQ(world.step("b").state, StepState::kAwaitingApproval);
  const RunState state = world.state();
  EXPECT_TRUE(state.declare.granted);
  ASSERT_EQ(state.declare.given.size(), 1U);
  EXPECT_EQ(state.declare.given[0].contact, "rule/redis-gone");
  EXPECT_EQ(state.marks.at("t_decl"), state.declare.given[0].time);
}

TEST(RunEngine, AnswersApprovalsByItselfOnlyInADrill) {
  for (const bool drill : {true, false}) {
    EngineWorld world(make_plan({approved(make_step("a", "test.act"), 2, 0s, plan::OnTimeout::kEscalate)}));
    world.begin.drill = drill;
    world.options.approve_in_drills = true;
    EXPECT_EQ(world.start().value(), drill ? RunEnd::kFinished : RunEnd::kPersonNeeded);
  }
}

TEST(RunEngine, AnswersInADrillWhatARunnerBeforeHadAskedFor) {
  EngineWorld world(make_plan({approved(make_step("a", "test.act"), 2, 0s, plan::OnTimeout::kEscalate)}));
  world.begin.drill = true;
  ASSERT_EQ(world.start().value(), RunEnd::kPersonNeeded);  // it asked, and ended before everybody had answered
  world.ask(RequestKind::kApprove, "a", "bob");
  ASSERT_EQ(world.resume().value(), RunEnd::kPersonNeeded);
  world.options.approve_in_drills = true;
  EXPECT_EQ(world.resume().value(), RunEnd::kFinished);
}

TEST(RunEngine, UndoesInReverseOrderWithinTheWindow) {
  EngineWorld world(
      make_plan({make_step("a", "test.act"), make_step("b", "test.once", {"a"}), make_step("c", "test.act", {"b"})}));
  world.plan.scenarios[0].undo_window = 20min;
  ASSERT_EQ(world.start().value(), RunEnd::kFinished);
  world.ask(RequestKind::kUndo, "", "bob");
  ASSERT_EQ(world.resume().value(), RunEnd::kFinished);
  const auto log = world.actions.log();
  EXPECT_LT(place_of(log, "undo c"), place_of(log, "undo a"));
  EXPECT_EQ(world.step("a").state, StepState::kUndone);
  EXPECT_EQ(world.step("a").summary, "brought back nothing");
  EXPECT_EQ(world.step("b").state, StepState::kDone);  // it cannot be undone
}

TEST(RunEngine, RefusesToUndoAfterTheWindow) {
  EngineWorld world(make_plan({make_step("a", "test.act")}));
  world.plan.scenarios[0].undo_window = 20min;
  ASSERT_EQ(world.start().value(), RunEnd::kFinished);
  world.clock.advance(21min);
  world.ask(RequestKind::kUndo, "a", "bob");
  ASSERT_EQ(world.resume().value(), RunEnd::kFinished);
  EXPECT_NE(world.refusal().find("undo window"), std::string::npos) << world.refusal();
  EXPECT_EQ(world.step("a").state, StepState::kDone);
}

TEST(RunEngine, UndoesAFailedStepAndTriesItAgain) {
  EngineWorld world(make_plan({make_step("a", "test.act")}));
  world.actions.script("a").fail_verify = 1;
  ASSERT_EQ(world.start().value(), RunEnd::kPersonNeeded);
  world.ask(RequestKind::kUndo, "a", "bob");
  ASSERT_EQ(world.resume().value(), RunEnd::kPersonNeeded);
  EXPECT_EQ(world.step("a").state, StepState::kUndone);
  EXPECT_EQ(world.actions.effects("a"), 0);
  world.ask(RequestKind::kRetry, "a", "bob");
  ASSERT_EQ(world.resume().value(), RunEnd::kFinished);
  EXPECT_EQ(world.actions.effects("a"), 1);
}

TEST(RunEngine, RefusesToUndoWhatALaterStepNeeds) {
  EngineWorld world(
      make_plan({make_step("a", "test.act"), make_step("b", "test.act", {"a"}), make_step("c", "test.act", {"b"})}));
  world.actions.script("c").fail_execute = 1;
  ASSERT_EQ(world.start().value(), RunEnd::kPersonNeeded);
  world.ask(RequestKind::kUndo, "a", "bob");
  ASSERT_EQ(world.resume().value(), RunEnd::kPersonNeeded);
  EXPECT_NE(world.refusal().find("b was done after it"), std::string::npos) << world.refusal();
}

TEST(RunEngine, AbortsAndUndoesAllThatWasDone) {
  EngineWorld world(make_plan({make_step("a", "test.act"), make_step("b", "test.act", {"a"})}));
  world.actions.script("b").fail_execute = 1;
  ASSERT_EQ(world.start().value(), RunEnd::kPersonNeeded);
  world.ask(RequestKind::kAbort, "", "bob", "wrong scenario");
  ASSERT_EQ(world.resume().value(), RunEnd::kAborted);
  EXPECT_EQ(world.state().end_reason, "wrong scenario");
  world.ask(RequestKind::kApprove, "a", "bob");
  world.ask(RequestKind::kUndo, "", "bob");
  ASSERT_EQ(world.resume().value(), RunEnd::kAborted);
  EXPECT_NE(world.refusal().find("the run is aborted"), std::string::npos);
  EXPECT_EQ(world.actions.effects("a"), 0);
}

TEST(RunEngine, RunsAfterStepsOnlyWhenServiceIsBack) {
  EngineWorld world(make_plan({make_step("a", "test.act"), make_step("b", "test.act", {"a"})}));
  world.plan.scenarios[0].after = {make_step("tidy", "test.act")};
  ASSERT_EQ(world.start().value(), RunEnd::kFinished);
  const auto log = world.actions.log();
  EXPECT_LT(place_of(log, "verify b"), place_of(log, "execute tidy"));
  EXPECT_LE(world.state().marks["t_serv"], *world.step("tidy").finished);
}

TEST(RunEngine, LetsOneRunnerHaveARun) {
  EngineWorld world(make_plan({make_step("a", "test.act")}));
  world.actions.script("a").fail_execute = 1;
  ASSERT_EQ(world.start().value(), RunEnd::kPersonNeeded);
  const auto lock = lock_run(world.disk, EngineWorld::kFolder);
  ASSERT_TRUE(lock);
  const auto second = world.resume();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind(), ErrorKind::kFailedPrecondition);
}

TEST(RunEngine, AnswersARequestOnceAlsoWhenItsFileIsStillThere) {
  EngineWorld world(make_plan({make_step("a", "test.act")}));
  world.actions.script("a").fail_execute = 2;
  ASSERT_EQ(world.start().value(), RunEnd::kPersonNeeded);
  world.ask(RequestKind::kRetry, "a", "bob");
  const auto inbox = read_inbox(world.disk, EngineWorld::kFolder);
  ASSERT_EQ(inbox->requests.size(), 1U);
  const std::string path = inbox_folder(EngineWorld::kFolder) + "/" + inbox->requests[0].id + ".json";
  ASSERT_TRUE(world.disk.link(path, path + ".copy"));
  ASSERT_EQ(world.resume().value(), RunEnd::kPersonNeeded);
  ASSERT_TRUE(world.disk.rename(path + ".copy", path));
  ASSERT_EQ(world.resume().value(), RunEnd::kPersonNeeded);
  EXPECT_EQ(world.step("a").attempt, 2U);
  EXPECT_TRUE(read_inbox(world.disk, EngineWorld::kFolder)->requests.empty());
}

TEST(RunEngine, NeverWritesASecretThatItResolved) {
  EngineWorld world(make_plan({make_step("a", "test.act")}));
  ASSERT_EQ(world.start().value(), RunEnd::kFinished);
  auto journal = read_journal(world.disk, EngineWorld::kFolder);
  ManualClock clock;
  auto writer = RunJournal::open(world.disk, EngineWorld::kFolder, *journal);
  LiveRun run({world.disk, clock, world.random, world.actions, {}, nullptr, {}, {}, true}, world.plan, world.run_plan(),
              std::move(*writer), *replay(world.run_plan(), *journal));
  run.remember(Secret("hunter2-and-more"));
  RunRecord record;
  record.text = "connected with hunter2-and-more to hunter2-and-more";
  record.fields["x"] = "hunter2-and-more";
  ASSERT_TRUE(run.record(record));
  const RunRecord last = world.records().back();
  EXPECT_EQ(last.text, "connected with *** to ***");
  EXPECT_EQ(last.field("x"), "***");
  for (const char* url : {"redis://ada:pa55word@10.0.0.1:6379/0", "redis://127.0.0.1:7001", "/var/lib/somewhere"})
    run.remember(Secret(url));
  record.text = "pa55word 10.0.0.1:6379 redis://127.0.0.1:7001 /var/lib/somewhere";
  ASSERT_TRUE(run.record(record));
  EXPECT_EQ(world.records().back().text, "*** 10.0.0.1:6379 redis://127.0.0.1:7001 /var/lib/somewhere");
}

}  // namespace
}  // namespace anclora::respond
