#include "respond/actions/redis_restore.h"

#include <gtest/gtest.h>

#include "protect/restore/target_record.h"
#include "protect/testing/running_capture.h"
#include "redis/testing/redis_server.h"
#include "respond/actions/recovery_point_actions.h"
#include "respond/testing/lone_step.h"
#include "storage/repository/pin.h"
#include "storage/store/folder_store.h"

namespace anclora::respond {
namespace {

using redis::RedisServer;
using testing::LoneStep;

class RestoreActionTest : public ::testing::Test {
 protected:
  RestoreActionTest() {
    for (int i = 0; i < 50; ++i) source->command({"SET", "k" + std::to_string(i), "v"});
    protect::CaptureOptions options;
    options.source = source->url();
    protect::RunningCapture capture(archive, std::move(options));
    capture.wait_protected(source->info().offset().value());
    EXPECT_TRUE(capture.stop().has_value());
  }
  OpenRepository open() {
    return [this](StepContext&, const plan::Target&) -> Result<OpenedRepository> {
      auto store = std::make_unique<storage::FolderStore>(posix_file_system(), system_random(), archive.path());
      return OpenedRepository{std::move(store), archive.repository()};
    };
  }
  RestoreMeans means() {
    return {open(), posix_file_system(), system_random(), system_dialer(), work.path(), work / "records"};
  }
  LoneStep restore_step(const RedisServer& target, const std::string& more = "", const std::string& allow = "true") {
    LoneStep step("redis.restore", "{repository: repo, point: point, to: new" + more + "}");
    step.add_target("repo", "repository", "{url: here}")
        .add_target("new", "redis",
                    "{allow_restore: " + allow + ", url: \"redis://127.0.0.1:" + target.port_text() + "\"}");
    LoneStep select("recovery_point.select", "{repository: repo}");
    select.add_target("repo", "repository", "{url: here}");
    step.outputs["point"] = make_recovery_point_select(open())->execute(select).value().outputs;
    return step;
  }
  std::unique_ptr<RedisServer> source = RedisServer::start();
  protect::TestArchive archive;
  TemporaryDirectory work;
};

TEST_F(RestoreActionTest, BringsAnEmptyServerToTheChosenPointAndLeavesItServing) {
  const auto target = RedisServer::start();
  LoneStep step = restore_step(*target);
  const auto action = make_redis_restore(means());
  EXPECT_EQ(action->probe(step)->done, Done::kNo);
  const auto outcome = action->execute(step);
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message();
  EXPECT_TRUE(action->verify(step).has_value());
  EXPECT_EQ(outcome->outputs.at("restored"), "yes");
  EXPECT_EQ(outcome->outputs.at("target"), "new");
  EXPECT_EQ(target->command({"DEBUG", "DIGEST"}).text, source->command({"DEBUG", "DIGEST"}).text);
  // After a crash between the restore and its record, what stands there is not taken for done, nor done again.
  EXPECT_EQ(action->probe(step)->done, Done::kUnknown);
}

// As the target stands after a kill -9 of the machine that restored into it.
void leave_half_restored(RedisServer& target, const protect::TargetRecord& record) {
  target.command({"FLUSHALL"});
  for (const protect::ChangedSetting& setting : record.settings)
    target.command({"CONFIG", "SET", setting.name, std::string(setting.set.reveal())});
  target.command({"REPLICAOF", record.address.host, std::to_string(record.address.port)});
}

TEST_F(RestoreActionTest, GoesOnAfterARestoreThatDiedOnAnotherMachine) {
  const auto target = RedisServer::start();
  LoneStep step = restore_step(*target);
  ASSERT_TRUE(make_redis_restore(means())->execute(step).has_value());
  const auto left = protect::decode_target_record(step.kept().at("left"));
  ASSERT_TRUE(left.has_value()) << left.error().to_string();
  leave_half_restored(*target, *left);
  RestoreMeans elsewhere = means();
  elsewhere.record_folder = work / "records of another machine";
  const auto outcome = make_redis_restore(elsewhere)->execute(step);
  ASSERT_TRUE(outcome.has_value()) << outcome.error().to_string();
  EXPECT_TRUE(target->info().is_primary());
  EXPECT_EQ(target->command({"DEBUG", "DIGEST"}).text, source->command({"DEBUG", "DIGEST"}).text);
  for (const auto& [name, own] : Outputs{{"masterauth", ""}, {"rdbcompression", "yes"}, {"replica-lazy-flush", "no"}})
    EXPECT_EQ(target->command({"CONFIG", "GET", name}).elements[1].text, own) << name;
}

TEST_F(RestoreActionTest, AnOlderRecordOfTheSameTargetDoesNotHideTheRestoreThatDied) {
  const auto target = RedisServer::start();
  LoneStep step = restore_step(*target);
  ASSERT_TRUE(make_redis_restore(means())->execute(step).has_value());
  const auto left = protect::decode_target_record(step.kept().at("left")).value();
  leave_half_restored(*target, left);
  RestoreMeans elsewhere = means();
  elsewhere.record_folder = work / "records of another machine";
  protect::TargetRecord older = left;
  older.address.port = 1;
  older.run_id = "of a process that is gone";
  older.settings.clear();
  ASSERT_TRUE(protect::TargetRecords(elsewhere.files, elsewhere.record_folder).write(older).has_value());
  const auto outcome = make_redis_restore(elsewhere)->execute(step);
  ASSERT_TRUE(outcome.has_value()) << outcome.error().to_string();
  EXPECT_TRUE(target->info().is_primary());
  EXPECT_EQ(target->command({"CONFIG", "GET", "rdbcompression"}).elements[1].text, "yes");
  for (const std::string& note : step.notes) EXPECT_EQ(note.find("masterauth"), std::string::npos) << note;
}

TEST_F(RestoreActionTest, GoingOnItSaysThatTheTargetsOwnPasswordIsNotKnown) {
  const auto target = RedisServer::start();
  target->command({"CONFIG", "SET", "masterauth", "hush"});
  LoneStep step = restore_step(*target);
  ASSERT_TRUE(make_redis_restore(means())->execute(step).has_value());
  leave_half_restored(*target, protect::decode_target_record(step.kept().at("left")).value());
  RestoreMeans elsewhere = means();
  elsewhere.record_folder = work / "records of another machine";
  step.notes.clear();
  ASSERT_TRUE(make_redis_restore(elsewhere)->execute(step).has_value());
  ASSERT_FALSE(step.notes.empty());
  EXPECT_NE(step.notes.front().find("its own masterauth is not known here"), std::string::npos) << step.notes.front();
}

TEST_F(RestoreActionTest, LeavesAReplicaAloneThatFollowsAnotherThanTheRestoreThatDied) {
  const auto target = RedisServer::start();
  LoneStep step = restore_step(*target);
  ASSERT_TRUE(make_redis_restore(means())->execute(step).has_value());
  auto left = protect::decode_target_record(step.kept().at("left")).value();
  left.address.port = 1;
  leave_half_restored(*target, left);
  RestoreMeans elsewhere = means();
  elsewhere.record_folder = work / "records of another machine";
  EXPECT_FALSE(make_redis_restore(elsewhere)->execute(step).has_value());
  EXPECT_TRUE(target->info().is_replica());
}

TEST_F(RestoreActionTest, TheTargetsOwnPasswordIsNotKeptInTheJournal) {
  const auto target = RedisServer::start();
  target->command({"CONFIG", "SET", "masterauth", "hush"});
  LoneStep step = restore_step(*target);
  ASSERT_TRUE(make_redis_restore(means())->execute(step).has_value());
  for (const char* spelt : {"hush", "68757368", "masterauth"})
    EXPECT_EQ(step.kept().at("left").find(spelt), std::string::npos) << spelt;
}

TEST_F(RestoreActionTest, RefusesATargetThatThePlanDoesNotOffer) {
  const auto target = RedisServer::start();
  LoneStep step = restore_step(*target, "", "false");
  const auto outcome = make_redis_restore(means())->execute(step);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_NE(outcome.error().hint().find("allow_restore"), std::string::npos);
  EXPECT_TRUE(step.changes.empty());
}

TEST_F(RestoreActionTest, RefusesATargetThatHoldsData) {
  const auto target = RedisServer::start();
  target->command({"SET", "mine", "1"});
  LoneStep step = restore_step(*target);
  EXPECT_FALSE(make_redis_restore(means())->execute(step).has_value());
  EXPECT_EQ(target->command({"GET", "mine"}).text, "1");
  EXPECT_TRUE(target->info().is_primary());
}

TEST_F(RestoreActionTest, DoesNothingWhereAReplicaWasPromoted) {
  const auto target = RedisServer::start();
  LoneStep step = restore_step(*target, ", unless: promote");
  step.outputs["promote"] = {{"found", "yes"}, {"target", "replica"}};
  const auto action = make_redis_restore(means());
  EXPECT_EQ(action->probe(step)->done, Done::kYes);
  EXPECT_EQ(action->execute(step)->outputs.at("restored"), "no");
  EXPECT_TRUE(step.changes.empty());
  EXPECT_EQ(target->command({"DBSIZE"}).integer, 0);
}

TEST_F(RestoreActionTest, DoneByHandItLeavesTheServerThatThePlanNames) {
  LoneStep step("redis.restore", "{repository: repo, point: point, to: new}");
  EXPECT_EQ(make_redis_restore(means())->left_by_hand(step.step()), (Outputs{{"target", "new"}}));
}

TEST_F(RestoreActionTest, SelectsAPointAndRefusesOneThatIsTooOld) {
  LoneStep step("recovery_point.select", "{repository: repo, max_age: 1ms}");
  step.add_target("repo", "repository", "{url: here}");
  system_clock().sleep_for(std::chrono::milliseconds(20));
  const auto refused = make_recovery_point_select(open())->execute(step);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message().find("older than"), std::string::npos) << refused.error().message();
}

TEST_F(RestoreActionTest, APointDoesNotGrowTooOldWhileTheOutageLasts) {
  LoneStep step("recovery_point.select", "{repository: repo, max_age: 1s}");
  step.add_target("repo", "repository", "{url: here}");
  step.outage = system_clock().wall_now() - std::chrono::hours(1);
  system_clock().sleep_for(std::chrono::milliseconds(1100));
  const auto chosen = make_recovery_point_select(open())->execute(step);
  EXPECT_TRUE(chosen.has_value()) << chosen.error().to_string();
}

TEST_F(RestoreActionTest, PinsTheChosenPointOnceHoweverOftenItIsAsked) {
  LoneStep step = restore_step(*source);
  LoneStep pin("recovery_point.pin", "{repository: repo, point: point, name: evidence}");
  pin.add_target("repo", "repository", "{url: here}");
  pin.outputs = step.outputs;
  const auto action = make_recovery_point_pin(open(), system_random());
  EXPECT_EQ(action->probe(pin)->done, Done::kNo);
  ASSERT_TRUE(action->execute(pin).has_value());
  EXPECT_TRUE(action->verify(pin).has_value());
  EXPECT_EQ(action->probe(pin)->done, Done::kYes);
  const auto pins = storage::list_pins(archive.store(), archive.repository(), "default");
  ASSERT_EQ(pins->size(), 1U);
  EXPECT_EQ(pins->front().name, "evidence-run-1");
}

}  // namespace
}  // namespace anclora::respond
