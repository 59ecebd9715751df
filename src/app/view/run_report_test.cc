#include "app/view/run_report.h"

#include <gtest/gtest.h>

#include "respond/testing/engine_world.h"

namespace anclora::app {
namespace {

using respond::testing::make_plan;
using respond::testing::make_step;

struct RunReportTest : ::testing::Test {
  plan::Plan plan = [] {
    plan::Plan made = make_plan({make_step("a", "test.act")});
    made.scenarios[0].declare = plan::Approval{};
    return made;
  }();
  respond::RunPlan run =
      *respond::prepare_run(plan, "s", respond::RunPart::kRecovery, respond::testing::ScriptedActions::schema);
  respond::RunState state = respond::initial_state(run);
  WallTime now = *parse_rfc3339("2026-11-24T12:00:00Z");

  RunReport report(bool has_runner) const { return {plan, run, state, has_runner, now}; }
  void add(respond::RecordKind kind) {
    respond::RunRecord record;
    record.kind = kind;
    record.time = now;
    const Status applied = apply(run, state, record);
    ASSERT_TRUE(applied) << applied.error().to_string();
  }
};

TEST_F(RunReportTest, WaitsForADeclarationOnlyOnceItHasBeenAskedFor) {
  add(respond::RecordKind::kRunStarted);
  EXPECT_EQ(run_state_text(report(true)), "running") << "an approval would be refused: nothing has been asked yet";
  EXPECT_EQ(run_state_text(report(false)), "interrupted");
  EXPECT_EQ(next_command(report(false)), "anclora run resume --run " + state.run);
  add(respond::RecordKind::kApprovalRequested);
  EXPECT_EQ(run_state_text(report(true)), "waiting");
  EXPECT_EQ(next_command(report(true)), "anclora run approve --run " + state.run + " --as NAME");
}

TEST_F(RunReportTest, AStepThatFailedSaysWhatToDo) {
  add(respond::RecordKind::kRunStarted);
  respond::StepStatus& failed = state.steps[0];
  failed.state = respond::StepState::kFailedPaused;
  failed.problem = "it follows 10.0.0.1:6379\nhint: run REPLICAOF NO ONE\nmore";
  const std::string text = to_text(report(true));
  EXPECT_NE(text.find("    it follows 10.0.0.1:6379\n    hint: run REPLICAOF NO ONE\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("more"), std::string::npos) << text;
  failed.problem = "it is away\nand a line of a program";
  EXPECT_EQ(to_text(report(true)).find("program"), std::string::npos);
}

}  // namespace
}  // namespace anclora::app
