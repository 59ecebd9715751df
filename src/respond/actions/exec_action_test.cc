#include "respond/actions/exec_action.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "respond/testing/lone_step.h"

namespace anclora::respond {
namespace {

using testing::LoneStep;

TEST(ExecAction, GivesAProgramOnlyTheVariablesThatItsTargetNames) {
  ::setenv("ANCLORA_TEST_SECRET", "hunter2", 1);
  ::setenv("ANCLORA_TEST_FOLDER", "/srv", 1);
  LoneStep step("exec", "{target: tools, argv: [/usr/bin/env], exit_code: 0}");
  step.add_target("tools", "command", "{allow: [{id: env, argv: [/usr/bin/env]}], environment: [ANCLORA_TEST_FOLDER]}");
  const auto outcome = make_exec_action(posix_file_system(), system_random())->execute(step);
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message();
  ASSERT_EQ(step.notes.size(), 1U);
  EXPECT_NE(step.notes[0].find("ANCLORA_TEST_FOLDER=/srv"), std::string::npos) << step.notes[0];
  EXPECT_NE(step.notes[0].find("PATH="), std::string::npos);
  EXPECT_EQ(step.notes[0].find("hunter2"), std::string::npos);
}

TEST(ExecAction, RunsNothingThatTheTargetDoesNotAllow) {
  LoneStep step("exec", "{target: tools, argv: [/bin/rm, x]}");
  step.add_target("tools", "command", "{allow: [{id: env, argv: [/usr/bin/env]}]}");
  const auto action = make_exec_action(posix_file_system(), system_random());
  EXPECT_EQ(action->execute(step).error().kind(), ErrorKind::kPermissionDenied);
  EXPECT_TRUE(step.changes.empty());
}

}  // namespace
}  // namespace anclora::respond
