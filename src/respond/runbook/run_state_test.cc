#include "respond/runbook/run_state.h"

#include <gtest/gtest.h>

#include <set>

#include "respond/testing/scripted_actions.h"

namespace anclora::respond {
namespace {

using Kind = RecordKind;
using testing::make_plan;
using testing::make_step;

RunRecord record_of(Kind kind, std::string step = "a", std::uint32_t attempt = 1) {
  RunRecord record;
  record.kind = kind;
  record.step = std::move(step);
  record.attempt = attempt;
  record.actor = "bob";
  record.text = "text";
  return record;
}

struct RunStateTest : ::testing::Test {
  RunPlan plan = [] {
    plan::Step step = make_step("a", "test.act");
    step.approve.emplace();
    step.approve->need = 2;
    return *prepare_run(make_plan({step, make_step("b", "test.look", {"a"})}), "s", RunPart::kRecovery,
                        testing::ScriptedActions::schema);
  }();

  RunState begun() {
    RunState state = initial_state(plan);
    EXPECT_TRUE(apply(plan, state, record_of(Kind::kRunStarted, "")));
    return state;
  }

  RunState after(const std::vector<Kind>& kinds) {
    RunState state = begun();
    std::uint64_t number = 1;
    for (const Kind kind : kinds) {
      RunRecord record = record_of(kind, "a", state.steps[0].attempt + (kind == Kind::kIntent ? 1 : 0));
      record.number = ++number;
      const Status applied = apply(plan, state, record);
      EXPECT_TRUE(applied) << applied.error().to_string();
    }
    return state;
  }
};

TEST_F(RunStateTest, AllowsExactlyTheTransitionsThatTheEngineMakes) {
  const std::vector<Kind> all = {Kind::kApprovalRequested,
                                 Kind::kApprovalGranted,
                                 Kind::kApprovalRefused,
                                 Kind::kApprovalExpired,
                                 Kind::kIntent,
                                 Kind::kChange,
                                 Kind::kOutcome,
                                 Kind::kVerified,
                                 Kind::kFailed,
                                 Kind::kTimedOut,
                                 Kind::kUnknown,
                                 Kind::kSkipped,
                                 Kind::kManual,
                                 Kind::kRetry,
                                 Kind::kUndoRequested,
                                 Kind::kUndoIntent,
                                 Kind::kUndone,
                                 Kind::kUndoFailed};
  const std::set<Kind> stuck = {Kind::kSkipped, Kind::kManual, Kind::kRetry, Kind::kUndoRequested};
  struct Case {
    StepState state;
    std::vector<Kind> path;
    std::set<Kind> allowed;
  };
  const std::vector<Case> cases = {
      {StepState::kPending, {}, {Kind::kApprovalRequested, Kind::kIntent, Kind::kSkipped, Kind::kManual}},
      {StepState::kAwaitingApproval,
       {Kind::kApprovalRequested},
       {Kind::kApprovalRequested, Kind::kApprovalGranted, Kind::kApprovalRefused, Kind::kApprovalExpired,
        Kind::kSkipped, Kind::kManual}},
      {StepState::kRunning,
       {Kind::kIntent},
       {Kind::kIntent, Kind::kChange, Kind::kOutcome, Kind::kFailed, Kind::kTimedOut, Kind::kUnknown, Kind::kSkipped,
        Kind::kManual}},
      {StepState::kVerifying,
       {Kind::kIntent, Kind::kOutcome},
       {Kind::kVerified, Kind::kFailed, Kind::kTimedOut, Kind::kUnknown}},
      {StepState::kDone, {Kind::kIntent, Kind::kOutcome, Kind::kVerified}, {Kind::kUndoRequested}},
      {StepState::kFailedPaused, {Kind::kIntent, Kind::kFailed}, stuck},
      {StepState::kUnknown, {Kind::kIntent, Kind::kUnknown}, stuck},
      {StepState::kSkipped, {Kind::kSkipped}, {}},
      {StepState::kManualDone, {Kind::kManual}, {}},
      {StepState::kUndone,
       {Kind::kIntent, Kind::kOutcome, Kind::kVerified, Kind::kUndoRequested, Kind::kUndoIntent, Kind::kUndone},
       {Kind::kSkipped, Kind::kManual, Kind::kRetry}},
  };
  for (const Case& each : cases) {
    ASSERT_EQ(after(each.path).steps[0].state, each.state) << to_string(each.state);
    for (const Kind kind : all) {
      RunState state = after(each.path);
      const std::uint32_t attempt = state.steps[0].attempt + (kind == Kind::kIntent ? 1 : 0);
      const Status applied = apply(plan, state, record_of(kind, "a", attempt));
      EXPECT_EQ(applied.has_value(), each.allowed.contains(kind)) << to_string(kind) << " in " << to_string(each.state);
    }
  }
}

TEST_F(RunStateTest, NeedsTwoDifferentPersonsWhereThePlanSaysTwo) {
  RunState state = after({Kind::kApprovalRequested, Kind::kApprovalGranted});
  EXPECT_EQ(state.steps[0].state, StepState::kAwaitingApproval);
  EXPECT_FALSE(apply(plan, state, record_of(Kind::kApprovalGranted)));
  RunRecord other = record_of(Kind::kApprovalGranted);
  other.actor = "cyd";
  EXPECT_TRUE(apply(plan, state, other));
  EXPECT_EQ(state.steps[0].state, StepState::kPending);
  EXPECT_TRUE(state.steps[0].approval.granted);
}

TEST_F(RunStateTest, RetriesByItselfAsOftenAsThePlanSaysThenPauses) {
  plan.steps[0].step.retry = 2;
  RunState state = begun();
  for (std::uint32_t attempt = 1; attempt <= 3; ++attempt) {
    EXPECT_EQ(state.steps[0].state, StepState::kPending);
    ASSERT_TRUE(apply(plan, state, record_of(Kind::kIntent, "a", attempt)));
    RunRecord failed = record_of(Kind::kFailed, "a", attempt);
    failed.fields["retry"] = "yes";
    ASSERT_TRUE(apply(plan, state, failed));
  }
  EXPECT_EQ(state.steps[0].state, StepState::kFailedPaused);
  EXPECT_TRUE(state.paused());
  ASSERT_TRUE(apply(plan, state, record_of(Kind::kRetry)));
  EXPECT_EQ(state.steps[0].failures, 0U);
  EXPECT_FALSE(state.paused());
}

TEST_F(RunStateTest, RefusesAnAttemptThatIsNotTheNext) {
  RunState state = begun();
  EXPECT_FALSE(apply(plan, state, record_of(Kind::kIntent, "a", 2)));
  EXPECT_TRUE(apply(plan, state, record_of(Kind::kIntent, "a", 1)));
  EXPECT_FALSE(apply(plan, state, record_of(Kind::kIntent, "a", 1)));
}

TEST_F(RunStateTest, RefusesRecordsBeforeTheBeginningAndAfterTheEnd) {
  RunState state = initial_state(plan);
  EXPECT_FALSE(apply(plan, state, record_of(Kind::kIntent)));
  state = begun();
  EXPECT_FALSE(apply(plan, state, record_of(Kind::kRunStarted, "")));
  EXPECT_TRUE(apply(plan, state, record_of(Kind::kRunAborted, "")));
  EXPECT_FALSE(apply(plan, state, record_of(Kind::kRunFinished, "")));
  EXPECT_FALSE(apply(plan, state, record_of(Kind::kRunAborted, "")));
}

TEST_F(RunStateTest, RefusesAStepThatThePlanLacks) {
  RunState state = begun();
  const Status applied = apply(plan, state, record_of(Kind::kIntent, "zz"));
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().kind(), ErrorKind::kDataLoss);
}

TEST_F(RunStateTest, TakesWhatWasNotSettledForChangedWhenAnotherMachineTakesOver) {
  RunState state = after({Kind::kIntent});
  EXPECT_FALSE(state.steps[0].changed);
  RunRecord resumed = record_of(Kind::kRunResumed, "");
  resumed.fields = {{"generation", "2"}, {"taken_over", "yes"}};
  ASSERT_TRUE(apply(plan, state, resumed));
  EXPECT_EQ(state.generation, 2U);
  EXPECT_TRUE(state.steps[0].changed);
  EXPECT_TRUE(state.steps[1].uncertain);
  ASSERT_TRUE(apply(plan, state, record_of(Kind::kIntent, "a", 2)));
  EXPECT_TRUE(state.steps[0].changed);
}

TEST_F(RunStateTest, LetsAnUndoReturnOnlyWhatWasAskedFor) {
  RunState state = after({Kind::kIntent, Kind::kOutcome, Kind::kVerified});
  EXPECT_FALSE(apply(plan, state, record_of(Kind::kUndoIntent)));
  EXPECT_FALSE(apply(plan, state, record_of(Kind::kUndone)));
  ASSERT_TRUE(apply(plan, state, record_of(Kind::kUndoRequested)));
  EXPECT_FALSE(apply(plan, state, record_of(Kind::kUndone)));
  ASSERT_TRUE(apply(plan, state, record_of(Kind::kUndoIntent)));
  ASSERT_TRUE(apply(plan, state, record_of(Kind::kUndoFailed)));
  EXPECT_EQ(state.steps[0].state, StepState::kUnknown);
  EXPECT_FALSE(state.steps[0].undo_requested);
}

TEST(BackOff, DoublesUpToHalfAMinuteAndStaysWithinAQuarterOfTheBudget) {
  plan::Step step;
  EXPECT_EQ(back_off(step, 1), std::chrono::seconds(1));
  EXPECT_EQ(back_off(step, 3), std::chrono::seconds(4));
  EXPECT_EQ(back_off(step, 60), std::chrono::seconds(30));
  step.budget = std::chrono::seconds(8);
  EXPECT_EQ(back_off(step, 60), std::chrono::seconds(2));
}

}  // namespace
}  // namespace anclora::respond
