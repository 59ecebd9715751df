#include "respond/runbook/dry_run.h"

#include <gtest/gtest.h>

#include "respond/testing/engine_world.h"

namespace anclora::respond {
namespace {

using testing::EngineWorld;
using testing::make_plan;
using testing::make_step;

TEST(DryRun, ProbesEachStepInOrderAndExecutesNone) {
  EngineWorld world(make_plan({make_step("b", "test.once", {"a"}), make_step("a", "test.act")}));
  world.actions.make_it_so("a");
  const RunWorld given{world.disk, world.clock, world.random, world.actions, {}, nullptr, {}, {}, true};
  const auto steps = dry_run(given, world.plan, world.run_plan(), "", false);
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].id, "a");
  EXPECT_EQ(steps[0].done, Done::kYes);
  EXPECT_EQ(steps[1].id, "b");
  EXPECT_EQ(steps[1].done, Done::kNo);
  EXPECT_EQ(steps[1].call, "make b");
  EXPECT_EQ(steps[1].current, "not there");
  for (const std::string& line : world.actions.log()) EXPECT_FALSE(line.starts_with("execute")) << line;
}

TEST(DryRun, ShowsAStepThatThisVersionLacksAndLooksAtTheOthers) {
  EngineWorld world(make_plan({make_step("a", "test.lacked"), make_step("b", "test.act", {"a"})}));
  const auto lookup = [](std::string_view uses) -> const plan::ActionSchema* {
    static const plan::ActionSchema kLacked = [] {
      plan::ActionSchema schema;
      schema.name = "test.lacked";
      schema.available = false;
      return schema;
    }();
    return uses == kLacked.name ? &kLacked : testing::ScriptedActions::schema(uses);
  };
  const auto refused = prepare_run(world.plan, "s", RunPart::kRecovery, lookup);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::kUnsupported);
  const auto shown = prepare_run(world.plan, "s", RunPart::kRecovery, lookup, LackedActions::kShown);
  ASSERT_TRUE(shown) << shown.error().to_string();
  const RunWorld given{world.disk, world.clock, world.random, world.actions, {}, nullptr, {}, {}, true};
  const auto steps = dry_run(given, world.plan, *shown, "", false);
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_TRUE(steps[0].lacks_action);
  EXPECT_EQ(steps[0].problem, "this version cannot execute test.lacked");
  EXPECT_FALSE(steps[1].lacks_action);
  EXPECT_EQ(steps[1].call, "make b");
}

}  // namespace
}  // namespace anclora::respond
