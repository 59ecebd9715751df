#include "respond/actions/redis_evidence.h"

#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"
#include "redis/rdb/rdb_check.h"
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

// What the evidence of a server with 1000 hashes says of its RDB, and the file.
struct RdbEvidence {
  explicit RdbEvidence(const std::string& limits)
      : server(RedisServer::start()),
        step("redis.evidence", "{target: main, to: \"" + folder.path() + "\", " + limits + "}"),
        action(make_redis_evidence({}, posix_file_system(), system_random(), system_dialer())),
        path(folder.path() + "/run-1-" + step.step().id + "/server.rdb") {
    step.add_target("main", "redis", "{url: \"" + server->url().to_string() + "\"}");
    for (int i = 0; i < 1000; ++i)
      server->command({"HSET", "job:" + std::to_string(i), "data", std::string(2000, static_cast<char>('a' + i % 26))});
  }
  Outputs keep() {
    const auto outcome = action->execute(step);
    EXPECT_TRUE(outcome.has_value()) << outcome.error().message();
    return outcome.has_value() ? outcome->outputs : Outputs();
  }
  bool is_there(const std::string& file) const { return posix_file_system().stat(file).has_value(); }

  TemporaryDirectory folder;
  std::unique_ptr<RedisServer> server;
  LoneStep step;
  std::unique_ptr<Action> action;
  const std::string path;
};

TEST(RedisEvidence, KeepsAWholeRdbOfAServerThatTakesNoWrites) {
  RdbEvidence evidence("rdb_max_mib: 100");
  evidence.server->command({"CONFIG", "SET", "min-replicas-to-write", "1000000"});
  const Outputs outputs = evidence.keep();
  ASSERT_EQ(outputs.at("rdb"), evidence.path) << ::testing::PrintToString(evidence.step.notes);
  const auto bytes = posix_file_system().read_all(evidence.path);
  ASSERT_TRUE(bytes.has_value());
  EXPECT_EQ(outputs.at("rdb_bytes"), std::to_string(bytes->size()));
  redis::MemoryByteSource input(*bytes);
  const auto report = redis::check_rdb(input, system_clock().wall_now());
  ASSERT_TRUE(report.has_value());
  EXPECT_FALSE(report->problem.has_value());
  EXPECT_EQ(report->keys(), 1000U);
  EXPECT_FALSE(evidence.is_there(evidence.path + ".part"));
  // Again, as after a kill: the first copy stays.
  evidence.server->command({"CONFIG", "SET", "min-replicas-to-write", "0"});
  evidence.server->command({"FLUSHALL"});
  EXPECT_EQ(evidence.keep().at("rdb_bytes"), outputs.at("rdb_bytes"));
  EXPECT_EQ(*posix_file_system().read_all(evidence.path), *bytes);
}

TEST(RedisEvidence, KeepsAnRdbOfAServerWhoseWritesArePaused) {
  RdbEvidence evidence("rdb_max_mib: 100");
  evidence.server->command({"CLIENT", "PAUSE", "60000", "WRITE"});
  EXPECT_TRUE(evidence.keep().contains("rdb")) << ::testing::PrintToString(evidence.step.notes);
}

TEST(RedisEvidence, GoesOnWithoutAnRdbThatIsTooLarge) {
  RdbEvidence evidence("rdb_max_mib: 1");
  evidence.server->command({"CONFIG", "SET", "rdbcompression", "no"});
  EXPECT_FALSE(evidence.keep().contains("rdb"));
  ASSERT_EQ(evidence.step.notes.size(), 1U);
  EXPECT_NE(evidence.step.notes[0].find("server.rdb is not kept"), std::string::npos) << evidence.step.notes[0];
  EXPECT_FALSE(evidence.is_there(evidence.path) || evidence.is_there(evidence.path + ".part"));
}

TEST(RedisEvidence, GoesOnWithoutAnRdbThatDoesNotComeInTime) {
  RdbEvidence evidence("rdb_max_mib: 100, rdb_within: 200ms");
  evidence.server->command({"CONFIG", "SET", "repl-diskless-sync", "yes"});
  evidence.server->command({"CONFIG", "SET", "repl-diskless-sync-delay", "1000"});  // so it never begins
  EXPECT_FALSE(evidence.keep().contains("rdb"));
  ASSERT_EQ(evidence.step.notes.size(), 1U);
  EXPECT_NE(evidence.step.notes[0].find("server.rdb is not kept"), std::string::npos) << evidence.step.notes[0];
  EXPECT_FALSE(evidence.is_there(evidence.path) || evidence.is_there(evidence.path + ".part"));
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
