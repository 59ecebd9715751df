#include "respond/actions/redis_evidence.h"

#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"
#include "redis/testing/redis_server.h"
#include "respond/testing/lone_step.h"

namespace anclora::respond {
namespace {

using redis::RedisServer;
using testing::LoneStep;

TEST(RedisEvidence, MasksWhatAnAclLineKeepsSecret) {
  EXPECT_EQ(masked_acl_line("user default on #1f2e ~* &* +@all"), "user default on #*** ~* &* +@all");
  EXPECT_EQ(masked_acl_line("user app on >hunter2 ~app:* -@all"), "user app on >*** ~app:* -@all");
}

TEST(RedisEvidence, KeepsWhatTheServerSaysOfItselfAndItsHistoryAndNoSecret) {
  const auto server = RedisServer::start();
  server->command({"CONFIG", "SET", "masterauth", "hunter2"});
  server->command({"ACL", "SETUSER", "app", "on", ">hunter3", "~*", "+@all"});
  server->command({"SET", "app:1", "a string"});
  const TemporaryDirectory folder;
  LoneStep step("redis.evidence", "{target: main, to: \"" + folder.path() + "\", invariants: keys}");
  step.add_target("main", "redis", "{url: \"" + server->url().to_string() + "\"}");
  plan::Probe probe;
  probe.id = "keys";
  LoneStep words("probe.keyspace", "{target: main, invariants: [{id: a, prefix: \"app:\", type: hash}]}");
  probe.with = words.step().with;
  step.plan_to_edit().probes.push_back(probe);
  const auto action = make_redis_evidence({}, posix_file_system(), system_random(), system_dialer());
  const auto outcome = action->execute(step);
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message();
  EXPECT_TRUE(action->verify(step).has_value());
  EXPECT_EQ(outcome->outputs.at("files"), "5");
  EXPECT_EQ(server->command({"CONFIG", "GET", "auto-aof-rewrite-percentage"}).texts().back(), "0");
  EXPECT_EQ(step.kept().at("auto-aof-rewrite-percentage"), "100");
  EXPECT_EQ(server->command({"GET", "app:1"}).text, "a string");
  std::string all;
  for (const char* name : {"info.txt", "clients.txt", "configuration.json", "users.txt", "damage.json"}) {
    const auto bytes = posix_file_system().read_all(outcome->outputs.at("folder") + "/" + name);
    ASSERT_TRUE(bytes.has_value()) << name;
    all += *bytes;
  }
  EXPECT_NE(all.find("redis_version"), std::string::npos);
  EXPECT_NE(all.find("app:1 (string)"), std::string::npos);
  EXPECT_EQ(all.find("hunter"), std::string::npos);
  // Again, as after a kill: the first copy stays.
  server->command({"HSET", "app:2", "f", "v"});
  ASSERT_TRUE(action->execute(step).has_value());
  EXPECT_EQ(*posix_file_system().read_all(outcome->outputs.at("folder") + "/info.txt"), all.substr(0, all.find("id=")));
}

TEST(RedisEvidence, FailsWhereNobodyAnswers) {
  LoneStep step("redis.evidence", "{target: main, to: /nowhere}");
  step.add_target("main", "redis", "{url: \"redis://127.0.0.1:1\"}");
  const auto action = make_redis_evidence({}, posix_file_system(), system_random(), system_dialer());
  EXPECT_EQ(action->execute(step).error().kind(), ErrorKind::kUnavailable);
  EXPECT_TRUE(step.changes.empty());
}

}  // namespace
}  // namespace anclora::respond
