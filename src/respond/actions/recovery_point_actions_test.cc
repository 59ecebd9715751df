#include "respond/actions/recovery_point_actions.h"

#include <gtest/gtest.h>

#include "respond/testing/lone_step.h"
#include "storage/repository/testing/test_source.h"
#include "storage/store/memory_store.h"

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

// Each store is given away with the repository that was made in it.
OpenRepository holding(const std::vector<std::string>& sources, int& asked) {
  return [&asked, sources](StepContext& context, const plan::Target&) -> Result<OpenedRepository> {
    ++asked;
    ManualClock clock;
    SeededRandom random{1};
    auto store = std::make_unique<storage::MemoryStore>(context.clock());
    storage::Repository repository = storage::make_plain_repository(*store, clock, random);
    for (const std::string& name : sources) storage::TestSource(*store, repository, clock, random, name).open_first();
    return OpenedRepository{std::move(store), std::move(repository)};
  };
}

TEST(RecoveryPointSelect, SaysAtOnceThatTheRepositoryHoldsNoSuchSource) {
  LoneStep step("recovery_point.select", "{repository: copies, source: orders}");
  step.add_target("copies", "repository", "{url: /nowhere}");
  int asked = 0;
  const auto outcome = make_recovery_point_select(holding({"default"}, asked))->execute(step);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_NE(outcome.error().message().find("\"orders\""), std::string::npos) << outcome.error().message();
  EXPECT_NE(outcome.error().hint().find("default"), std::string::npos) << outcome.error().hint();
  EXPECT_EQ(asked, 1);
}

TEST(RecoveryPointSelect, SaysAtOnceThatTheRepositoryHoldsNoSourceYet) {
  LoneStep step = select_step();
  int asked = 0;
  const auto outcome = make_recovery_point_select(holding({}, asked))->execute(step);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_NE(outcome.error().message().find("no source yet"), std::string::npos) << outcome.error().message();
  EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace anclora::respond
