// A live target to which other clients talk while it is restored.
#include <gtest/gtest.h>

#include <memory>
#include <span>

#include "base/posix_file_system.h"
#include "protect/restore/live_target.h"
#include "protect/testing/running_capture.h"

namespace anclora::protect {
namespace {

using redis::RedisServer;

class TargetUntouched : public ::testing::Test {
 protected:
  void SetUp() override {
    RunningCapture capture(archive_, options_for(*source_));
    for (int i = 0; i < 50; ++i) source_->command({"SET", "key" + std::to_string(i), "value"});
    capture.wait_protected(offset_of(*source_));
    ASSERT_TRUE(capture.stop().has_value());
  }

  // Another client says `command` to the target when it is about to be checked; what it answered is in `reply_`.
  Result<RestoreOutcome> restore_beside(RedisServer& target, const std::vector<std::string>& command) {
    const storage::SourceState state = archive_.state();
    ASSIGN_OR_RETURN(const RecoveryPoint point,
                     resolve({archive_.store(), archive_.repository(), state}, WhenLatest{}, WallTime{}));
    ASSIGN_OR_RETURN(const RestorePlan plan, make_restore_plan(state, point));
    LiveTargetOptions options;
    options.target = target.url();
    const auto beside = [&](const RestoreProgress& progress) {
      if (progress.phase != "checks") return;
      const auto said = target.client()->command(std::span<const std::string>(command));
      reply_ = said ? said->text : said.error().message();
    };
    const RestoreTools tools{posix_file_system(), system_clock(), system_random(), system_dialer(),
                             [] { return false; }};
    return restore_to_live({&archive_.store(), &archive_.repository(), state, plan.route}, plan,
                           needs_of(plan, R"({"config":{"databases":"16"}})"), options, system_dialer(), tools, beside);
  }

  std::unique_ptr<RedisServer> source_ = RedisServer::start();
  TestArchive archive_;
  std::string reply_;
};

TEST_F(TargetUntouched, TakesNoWritesOfOthersThoughItsReplicasUsuallyDo) {
  const auto target = RedisServer::start({"replica-read-only no"});
  const auto outcome = restore_beside(*target, {"FLUSHALL"});
  ASSERT_TRUE(outcome.has_value()) << outcome.error().to_string();
  EXPECT_NE(reply_.find("READONLY"), std::string::npos) << reply_;
  EXPECT_EQ(target->command({"DBSIZE"}).integer, 50);
  EXPECT_EQ(target->command({"CONFIG", "GET", "replica-read-only"}).elements[1].text, "no");
}

TEST_F(TargetUntouched, IsNotPromotedWhereOthersMadeItWritableOrItWouldEvictAtOnce) {
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"CONFIG", "SET", "replica-read-only", "no"},
        {"CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", "500kb"}}) {
    const auto target = RedisServer::start();
    const auto outcome = restore_beside(*target, command);
    ASSERT_EQ(reply_, "OK");
    ASSERT_FALSE(outcome.has_value()) << command[2];
    EXPECT_EQ(outcome.error().kind(), ErrorKind::kFailedPrecondition) << outcome.error().to_string();
    EXPECT_FALSE(target->info().is_primary());
  }
}

}  // namespace
}  // namespace anclora::protect
