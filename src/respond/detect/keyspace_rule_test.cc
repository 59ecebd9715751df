#include "respond/detect/keyspace_rule.h"

#include <gtest/gtest.h>

#include "redis/testing/redis_server.h"

namespace anclora::respond {
namespace {

using redis::RedisServer;

class KeyspaceTest : public ::testing::Test {
 protected:
  KeyspaceTest() {
    for (int i = 0; i < 3000; ++i)
      server->command({"HSET", "bull:q:" + std::to_string(i), "name", "send", "data", "{}"});
    for (int i = 0; i < 50; ++i) server->command({"SET", "lock:" + std::to_string(i), "x", "EX", "1000"});
  }
  std::vector<Violation> check(const KeyspaceRule& rule) {
    const auto client = server->client();
    auto found = check_keyspace(*client, {rule}, system_clock(), system_clock().mono_now() + std::chrono::seconds(30));
    if (!found.has_value()) throw std::runtime_error(found.error().message());
    return *found;
  }
  static KeyspaceRule jobs() {
    KeyspaceRule rule;
    rule.id = "jobs";
    rule.pattern = "bull:q:*";
    return rule;
  }
  std::unique_ptr<RedisServer> server = RedisServer::start();
};

TEST_F(KeyspaceTest, FindsNothingWrongWhereAllIsInOrder) {
  KeyspaceRule rule = jobs();
  rule.keys = 3000;
  rule.fields = {"name", "data"};
  rule.expiry = Expiry::kForbidden;
  EXPECT_TRUE(check(rule).empty());
  KeyspaceRule locks;
  locks.pattern = "lock:*";
  locks.type = "string";
  locks.expiry = Expiry::kRequired;
  EXPECT_TRUE(check(locks).empty());
}

TEST_F(KeyspaceTest, CountsWithATolerance) {
  KeyspaceRule rule = jobs();
  rule.keys = 3100;
  EXPECT_EQ(check(rule).size(), 1U);
  rule.tolerance_percent = 5;
  EXPECT_TRUE(check(rule).empty());
  rule.keys.reset();
  rule.at_least = 3001;
  EXPECT_EQ(check(rule).at(0).message, "3000 keys match \"bull:q:*\", expected at least 3001");
  rule.at_least.reset();
  rule.at_most = 2999;
  EXPECT_EQ(check(rule).size(), 1U);
}

TEST_F(KeyspaceTest, NamesKeysOfAnotherType) {
  server->command({"DEL", "bull:q:7"});
  server->command({"SET", "bull:q:7", "garbage"});
  KeyspaceRule rule = jobs();
  rule.type = "hash";
  const auto found = check(rule);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].message, "1 of 3000 keys of \"bull:q:*\" are no hash, such as bull:q:7 (string)");
  EXPECT_EQ(found[0].keys, 1U);
}

TEST_F(KeyspaceTest, NamesKeysThatLackAnExpiryOrMustNotHaveOne) {
  server->command({"PERSIST", "lock:3"});
  KeyspaceRule rule = jobs();
  rule.pattern = "lock:*";
  rule.expiry = Expiry::kRequired;
  EXPECT_EQ(check(rule).at(0).examples, std::vector<std::string>{"lock:3 (never expires)"});
  server->command({"EXPIRE", "bull:q:9", "500"});
  rule = jobs();
  rule.expiry = Expiry::kForbidden;
  EXPECT_EQ(check(rule).at(0).keys, 1U);
}

TEST_F(KeyspaceTest, NamesHashesThatLackAField) {
  for (int i = 0; i < 20; ++i) server->command({"HDEL", "bull:q:" + std::to_string(i), "data"});
  server->command({"DEL", "bull:q:100"});
  server->command({"HSET", "bull:q:100", "other", "1"});
  KeyspaceRule rule = jobs();
  rule.fields = {"name", "data"};
  const auto found = check(rule);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].keys, 21U);
  EXPECT_EQ(found[0].examples.size(), 5U);
}

TEST_F(KeyspaceTest, LooksIntoTheDatabaseOfTheRule) {
  KeyspaceRule rule = jobs();
  rule.database = 3;
  rule.at_least = 1;
  EXPECT_EQ(check(rule).size(), 1U);
  rule.database = 9999;
  EXPECT_THROW(check(rule), std::runtime_error);
}

TEST_F(KeyspaceTest, EscapesWhatATerminalMustNotSee) {
  server->command({"SET", "bull:q:\x1b[2J\xff", "x"});
  KeyspaceRule rule = jobs();
  rule.type = "hash";
  EXPECT_EQ(check(rule).at(0).examples.at(0), "bull:q:\\x1b[2J\\xff (string)");
}

TEST_F(KeyspaceTest, GivesUpBeyondItsLimits) {
  const auto client = server->client();
  const auto late = check_keyspace(*client, {jobs()}, system_clock(), system_clock().mono_now());
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind(), ErrorKind::kDeadlineExceeded);
  KeyspaceLimits limits;
  limits.scanned_keys = 100;
  const auto many =
      check_keyspace(*client, {jobs()}, system_clock(), system_clock().mono_now() + std::chrono::seconds(30), limits);
  ASSERT_FALSE(many.has_value());
  EXPECT_EQ(many.error().kind(), ErrorKind::kResourceExhausted);
}

}  // namespace
}  // namespace anclora::respond
