#include "respond/actions/redis_fence.h"

#include <gtest/gtest.h>

#include "redis/testing/redis_server.h"
#include "respond/testing/lone_step.h"

namespace anclora::respond {
namespace {

using redis::RedisServer;
using testing::LoneStep;

LoneStep step_for(const RedisServer& server, const std::string& more = "") {
  LoneStep step("redis.fence", "{target: old" + more + "}");
  step.add_target("old", "redis", "{url: \"redis://127.0.0.1:" + server.port_text() + "\"}");
  return step;
}

TEST(RedisFence, StopsEveryWriterAndIsUndone) {
  const auto server = RedisServer::start();
  const auto writer = server->client();
  LoneStep step = step_for(*server);
  const auto fence = make_redis_fence(system_dialer());
  EXPECT_EQ(fence->probe(step)->done, Done::kNo);
  const auto outcome = fence->execute(step);
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message();
  EXPECT_EQ(outcome->outputs.at("fenced"), "yes");
  EXPECT_TRUE(fence->verify(step).has_value());
  EXPECT_EQ(fence->probe(step)->done, Done::kYes);
  EXPECT_FALSE(writer->command({"SET", "a", "1"}).has_value());  // also who was connected before
  EXPECT_TRUE(writer->command({"GET", "a"}).has_value());
  EXPECT_EQ(step.changes.size(), 1U);
  ASSERT_TRUE(fence->undo(step).has_value());
  EXPECT_TRUE(writer->command({"SET", "a", "1"}).has_value());
}

TEST(RedisFence, PutsBackTheFormerSettingNotTheDefault) {
  const auto server = RedisServer::start();
  const auto replica = RedisServer::start();
  replica->command({"REPLICAOF", "127.0.0.1", server->port_text()});
  replica->wait_for_link_up();
  server->command({"CONFIG", "SET", "min-replicas-to-write", "1"});
  LoneStep step = step_for(*server);
  const auto fence = make_redis_fence(system_dialer());
  ASSERT_TRUE(fence->execute(step).has_value());
  ASSERT_TRUE(fence->execute(step).has_value());  // repeated after a crash: the former value is not forgotten
  ASSERT_TRUE(fence->undo(step).has_value());
  EXPECT_EQ(server->command({"CONFIG", "GET", "min-replicas-to-write"}).texts().at(1), "1");
}

TEST(RedisFence, ChangesNothingOnceAnotherRunnerHasTheRun) {
  const auto server = RedisServer::start();
  LoneStep step = step_for(*server);
  step.fenced = true;
  const auto fence = make_redis_fence(system_dialer());
  const auto outcome = fence->execute(step);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().kind(), ErrorKind::kFenced);
  EXPECT_TRUE(server->client()->command({"SET", "a", "1"}).has_value());
}

TEST(RedisFence, RecordsAServerThatDoesNotAnswerWhereThePlanSaysSo) {
  auto server = RedisServer::start();
  LoneStep strict = step_for(*server), lenient = step_for(*server, ", if_unreachable: record");
  server->kill9();
  const auto fence = make_redis_fence(system_dialer());
  EXPECT_FALSE(fence->execute(strict).has_value());
  EXPECT_FALSE(fence->verify(strict).has_value());
  const auto outcome = fence->execute(lenient);
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message();
  EXPECT_EQ(outcome->outputs.at("fenced"), "unreachable");
  EXPECT_EQ(lenient.notes.size(), 1U);
  EXPECT_TRUE(fence->verify(lenient).has_value());
}

TEST(RedisFence, PausesWritesWhereAsked) {
  const auto server = RedisServer::start();
  LoneStep step = step_for(*server, ", method: pause");
  const auto fence = make_redis_fence(system_dialer());
  ASSERT_TRUE(fence->execute(step).has_value());
  EXPECT_TRUE(fence->verify(step).has_value());
  ASSERT_TRUE(fence->undo(step).has_value());
  EXPECT_TRUE(server->client()->command({"SET", "a", "1"}).has_value());
}

TEST(RedisUnfence, LetsClientsWriteAgain) {
  const auto server = RedisServer::start();
  LoneStep step = step_for(*server);
  ASSERT_TRUE(make_redis_fence(system_dialer())->execute(step).has_value());
  LoneStep lift = step_for(*server);
  const auto unfence = make_redis_unfence(system_dialer());
  EXPECT_EQ(unfence->probe(lift)->done, Done::kNo);
  ASSERT_TRUE(unfence->execute(lift).has_value());
  EXPECT_TRUE(unfence->verify(lift).has_value());
  EXPECT_EQ(lift.notes.size(), 1U);  // that the former setting is not known to this step
}

TEST(RedisUnfence, LeavesASettingThatIsNoFenceOfOurs) {
  const auto server = RedisServer::start();
  server->command({"CONFIG", "SET", "min-replicas-to-write", "2"});
  LoneStep lift = step_for(*server);
  ASSERT_TRUE(make_redis_unfence(system_dialer())->execute(lift).has_value());
  EXPECT_EQ(server->command({"CONFIG", "GET", "min-replicas-to-write"}).texts().at(1), "2");
}

TEST(RedisFence, WritesNothingWhenItOnlyLooks) {
  const auto server = RedisServer::start();
  const auto offset = server->info().number("master_repl_offset");
  const auto calls = [&] { return std::string(server->info("commandstats").text("cmdstat_set").value_or("none")); };
  LoneStep step = step_for(*server);
  EXPECT_EQ(make_redis_fence(system_dialer())->probe(step)->done, Done::kNo);
  EXPECT_EQ(make_redis_unfence(system_dialer())->probe(step)->done, Done::kNo);
  EXPECT_EQ(calls(), "none");
  EXPECT_EQ(server->info().number("master_repl_offset"), offset);
}

}  // namespace
}  // namespace anclora::respond
