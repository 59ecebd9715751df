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

}  // namespace
}  // namespace anclora::respond
