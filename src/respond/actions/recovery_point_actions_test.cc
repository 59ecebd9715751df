#include "respond/actions/recovery_point_actions.h"

#include <gtest/gtest.h>

#include "respond/testing/lone_step.h"

namespace anclora::respond {
namespace {

using testing::LoneStep;

LoneStep select_step() {
  LoneStep step("recovery_point.select", "{repository: copies}");
  step.add_target("copies", "repository", "{url: /nowhere}");
  return step;
}

TEST(RecoveryPointSelect, WaitsForARepositoryThatIsAway) {
  LoneStep step = select_step();
  int asked = 0;
  const auto action = make_recovery_point_select([&](StepContext&, const plan::Target&) -> Result<OpenedRepository> {
    ++asked;
    if (asked == 1) return Error(ErrorKind::kNotFound, "there is no repository");
    if (asked == 2) return Error(ErrorKind::kUnavailable, "nobody answers");
    return Error(ErrorKind::kUnauthenticated, "wrong passphrase");  // not passing: it ends at once
  });
  const auto outcome = action->execute(step);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().kind(), ErrorKind::kUnauthenticated);
  EXPECT_EQ(asked, 3);
}

TEST(RecoveryPointSelect, SaysWhatIsAwayBeforeItsTimeIsOver) {
  LoneStep step = select_step();
  step.set_deadline(std::chrono::milliseconds(100));
  const auto action = make_recovery_point_select([&](StepContext&, const plan::Target&) -> Result<OpenedRepository> {
    return Error(ErrorKind::kNotFound, "there is no repository");
  });
  EXPECT_EQ(action->execute(step).error().message(), "there is no repository");
}

}  // namespace
}  // namespace anclora::respond
