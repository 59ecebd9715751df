// A live target to which other clients talk while it is restored.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <span>

#include "base/posix_file_system.h"
#include "base/testing/temporary_directory.h"
#include "protect/restore/leftover.h"
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

  using Commands = std::vector<std::vector<std::string>>;

  // Another client says `commands` to the target at the beginning of `phase`; what it answered last is in `reply_`.
  Result<RestoreOutcome> restore_beside(RedisServer& target, const Commands& commands,
                                        std::string_view phase = "checks") {
    const storage::SourceState state = archive_.state();
    ASSIGN_OR_RETURN(const RecoveryPoint point,
                     resolve({archive_.store(), archive_.repository(), state}, WhenLatest{}, WallTime{}));
    ASSIGN_OR_RETURN(const RestorePlan plan, make_restore_plan(state, point));
    LiveTargetOptions options;
    options.target = target.url();
    options.record_folder = records_.path();
    const auto beside = [&](const RestoreProgress& progress) {
      if (progress.phase != phase) return;
      const auto client = target.client();
      for (const std::vector<std::string>& command : commands) {
        const auto said = client->command(std::span<const std::string>(command), std::chrono::seconds(150));
        reply_ = said ? said->text : said.error().message();
      }
    };
    return restore_to_live({&archive_.store(), &archive_.repository(), state, plan.route}, plan,
                           needs_of(plan, R"({"config":{"databases":"16"}})"), options, system_dialer(), tools_,
                           beside);
  }

  std::unique_ptr<RedisServer> source_ = RedisServer::start();
  TestArchive archive_;
  TemporaryDirectory records_;
  const RestoreTools tools_{posix_file_system(), system_clock(), system_random(), system_dialer(), {}};
  std::string reply_;
};

std::string read_only_setting(RedisServer& target) {
  return target.command({"CONFIG", "GET", "replica-read-only"}).elements[1].text;
}

// As a restore leaves it that fails when all is sent.
void wait_until_left_alone(RedisServer& target) {
  for (int i = 0; i < 15'000 && target.info().link_up(); ++i) system_clock().sleep_for(std::chrono::milliseconds(10));
}

TEST_F(TargetUntouched, TakesNoWritesOfOthersThoughItsReplicasUsuallyDo) {
  const auto target = RedisServer::start({"replica-read-only no"});
  const auto outcome = restore_beside(*target, {{"FLUSHALL"}});
  ASSERT_TRUE(outcome.has_value()) << outcome.error().to_string();
  EXPECT_NE(reply_.find("READONLY"), std::string::npos) << reply_;
  EXPECT_EQ(target->command({"DBSIZE"}).integer, 50);
  EXPECT_EQ(read_only_setting(*target), "no");
}

TEST_F(TargetUntouched, IsNotPromotedWhereOthersMadeItWritableOrItWouldEvictAtOnce) {
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"CONFIG", "SET", "replica-read-only", "no"},
        {"CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", "500kb"}}) {
    const auto target = RedisServer::start();
    const auto outcome = restore_beside(*target, {command});
    ASSERT_EQ(reply_, "OK");
    ASSERT_FALSE(outcome.has_value()) << command[2];
    EXPECT_EQ(outcome.error().kind(), ErrorKind::kFailedPrecondition) << outcome.error().to_string();
    EXPECT_FALSE(target->info().is_primary());
  }
}

TEST_F(TargetUntouched, IsPromotedOnceItHasFreedTheOldDataThatAreBeyondItsLimit) {
  const auto target = RedisServer::start({"replica-read-only no", "maxmemory-policy allkeys-lru"});
  // It takes the server's thread in the background far longer to free them than us to ask.
  const auto outcome = restore_beside(*target, {{"CONFIG", "SET", "replica-read-only", "no", "maxmemory", "8mb"},
                                                {"SELECT", "1"},
                                                {"DEBUG", "POPULATE", "200000"},
                                                {"FLUSHDB", "ASYNC"},
                                                {"CONFIG", "SET", "replica-read-only", "yes"}});
  ASSERT_EQ(reply_, "OK");
  ASSERT_TRUE(outcome.has_value()) << outcome.error().to_string();
  EXPECT_TRUE(target->info().is_primary());
  EXPECT_EQ(target->command({"DBSIZE"}).integer, 50);
}

TEST_F(TargetUntouched, IsToldWhereItCouldNotBeMadeReadOnly) {
  for (const std::string own : {"no", "yes"}) {
    const auto target = RedisServer::start({"replica-read-only " + own, "rename-command CONFIG \"\""});
    const auto outcome = restore_beside(*target, {{"SET", "of others", "1"}});
    ASSERT_TRUE(outcome.has_value()) << outcome.error().to_string();
    EXPECT_EQ(reply_ == "OK", own == "no") << reply_;
    const bool told = std::ranges::any_of(outcome->warnings, [](const std::string& warning) {
      return warning.find("replica-read-only") != std::string::npos;
    });
    EXPECT_EQ(told, own == "no");
  }
}

TEST_F(TargetUntouched, StaysReadOnlyWhereItIsLeftAReplicaUntilItIsUndone) {
  const auto target = RedisServer::start({"replica-read-only no"});
  const auto failed =
      restore_beside(*target, {{"CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", "500kb"}});
  ASSERT_FALSE(failed.has_value());
  EXPECT_NE(failed.error().hint().find("left a replica, read-only"), std::string::npos) << failed.error().to_string();
  EXPECT_TRUE(target->info().is_replica());
  const auto write = target->client()->command({"SET", "key0", "of others"});
  ASSERT_FALSE(write.has_value());
  EXPECT_NE(write.error().message().find("READONLY"), std::string::npos) << write.error().to_string();
  EXPECT_EQ(target->command({"CONFIG", "GET", "masterauth"}).elements[1].text, "");
  wait_until_left_alone(*target);
  const auto undone = undo_restore(target->url(), records_.path(), tools_);
  ASSERT_TRUE(undone.has_value()) << undone.error().to_string();
  EXPECT_TRUE(target->info().is_primary());
  EXPECT_EQ(read_only_setting(*target), "no");
}

TEST_F(TargetUntouched, StaysReadOnlyFromAFailedRestoreToTheEndOfTheNext) {
  const auto target = RedisServer::start({"replica-read-only no"});
  const std::vector<std::string> limit = {"CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", "500kb"};
  for (int failures = 0; failures < 2; ++failures) {  // what the setting was is known over any number of them
    reply_.clear();
    ASSERT_FALSE(restore_beside(*target, {limit}).has_value());
    ASSERT_EQ(reply_, "OK");
    wait_until_left_alone(*target);
    target->command({"CONFIG", "SET", "maxmemory", "0"});
  }
  const auto outcome = restore_beside(*target, {{"SET", "key0", "of others"}}, "waiting for the target");
  ASSERT_TRUE(outcome.has_value()) << outcome.error().to_string();
  EXPECT_NE(reply_.find("READONLY"), std::string::npos) << reply_;
  EXPECT_TRUE(target->info().is_primary());
  EXPECT_EQ(read_only_setting(*target), "no");
}

}  // namespace
}  // namespace anclora::protect
