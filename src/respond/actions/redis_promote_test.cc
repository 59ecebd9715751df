#include "respond/actions/redis_promote.h"

#include <gtest/gtest.h>

#include "redis/testing/redis_server.h"
#include "respond/testing/lone_step.h"

namespace anclora::respond {
namespace {

using redis::RedisServer;
using testing::LoneStep;

std::string address(const RedisServer& server) { return "{url: \"redis://127.0.0.1:" + server.port_text() + "\"}"; }

Candidate candidate(const std::string& name, const std::string& info) { return {name, redis::Info::parse(info), ""}; }

TEST(Fittest, TakesTheReplicaWithTheMostOfTheStream) {
  std::vector<std::string> why;
  const std::vector<Candidate> candidates = {
      candidate("a", "role:slave\r\nmaster_link_status:down\r\nmaster_repl_offset:100\r\n"),
      candidate("b", "role:slave\r\nmaster_link_status:down\r\nmaster_repl_offset:300\r\n"),
      candidate("c", "role:slave\r\nmaster_link_status:down\r\nmaster_repl_offset:300\r\n")};
  EXPECT_EQ(fittest(candidates, {}, why), 1U);
  EXPECT_TRUE(why.empty());
}

TEST(Fittest, RefusesWhoeverHoldsNoWholeDatasetAndSaysWhy) {
  std::vector<std::string> why;
  const std::vector<Candidate> candidates = {
      candidate("a", "role:master\r\nmaster_repl_offset:900\r\n"),
      candidate("b", "role:slave\r\nmaster_sync_in_progress:1\r\nmaster_repl_offset:900\r\n"),
      candidate("c", "role:slave\r\nloading:1\r\nmaster_repl_offset:900\r\n"),
      candidate("d", "role:slave\r\nmaster_repl_offset:0\r\n"),
      candidate("e",
                "role:slave\r\nmaster_link_status:up\r\nmaster_last_io_seconds_ago:60\r\nmaster_repl_offset:9\r\n"),
      {"f", {}, "connection refused"}};
  EXPECT_FALSE(fittest(candidates, std::chrono::seconds(10), why));
  EXPECT_EQ(why.size(), 6U);
  EXPECT_EQ(why.back(), "f connection refused");
}

class PromoteTest : public ::testing::Test {
 protected:
  PromoteTest() {
    for (const auto& replica : {replica_1.get(), replica_2.get()}) {
      replica->command({"REPLICAOF", "127.0.0.1", primary->port_text()});
      replica->wait_for_link_up();
    }
    primary->command({"SET", "a", "1"});
    primary->command({"WAIT", "2", "50000"});
  }
  LoneStep step(const std::string& uses, const std::string& with) {
    LoneStep step(uses, with);
    step.add_target("r1", "redis", address(*replica_1)).add_target("r2", "redis", address(*replica_2));
    return step;
  }
  std::unique_ptr<RedisServer> primary = RedisServer::start();
  std::unique_ptr<RedisServer> replica_1 = RedisServer::start();
  std::unique_ptr<RedisServer> replica_2 = RedisServer::start();
};

TEST_F(PromoteTest, MakesAReplicaThePrimaryAndTheOtherFollowIt) {
  primary->kill9();
  LoneStep promote = step("redis.promote", "{candidates: [r1, r2]}");
  const auto action = make_redis_promote(system_dialer());
  EXPECT_EQ(action->probe(promote)->done, Done::kNo);
  const auto outcome = action->execute(promote);
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message();
  EXPECT_TRUE(action->verify(promote).has_value());
  EXPECT_EQ(action->probe(promote)->done, Done::kYes);  // what a resumed run asks
  EXPECT_EQ(action->probe(promote)->outputs, outcome->outputs);
  const std::string chosen = outcome->outputs.at("target");

  LoneStep follow = step("redis.switch", "{from: [promote], replicas: [r1, r2]}");
  follow.outputs["promote"] = outcome->outputs;
  const auto switched = make_redis_switch(system_dialer());
  ASSERT_TRUE(switched->execute(follow).has_value());
  ASSERT_TRUE(switched->verify(follow).has_value());
  RedisServer& follower = chosen == "r1" ? *replica_2 : *replica_1;
  RedisServer& leader = chosen == "r1" ? *replica_1 : *replica_2;
  EXPECT_EQ(follower.info().number("master_port"), leader.port());
  EXPECT_EQ(follower.command({"GET", "a"}).text, "1");
}

TEST_F(PromoteTest, GoesOnWithoutAFitReplicaOnlyWhereThePlanSaysSo) {
  replica_1->kill9();
  replica_2->command({"REPLICAOF", "NO", "ONE"});
  const auto action = make_redis_promote(system_dialer());
  LoneStep strict = step("redis.promote", "{candidates: [r1, r2]}");
  const auto refused = action->execute(strict);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message().find("r2 is no replica"), std::string::npos) << refused.error().message();
  LoneStep lenient = step("redis.promote", "{candidates: [r1, r2], if_none: continue}");
  const auto outcome = action->execute(lenient);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->outputs.at("found"), "no");
  EXPECT_TRUE(action->verify(lenient).has_value());
  EXPECT_TRUE(lenient.changes.empty());
}

TEST_F(PromoteTest, PromotesNobodyOnceAnotherRunnerHasTheRun) {
  LoneStep promote = step("redis.promote", "{candidates: [r1]}");
  promote.fenced = true;
  EXPECT_FALSE(make_redis_promote(system_dialer())->execute(promote).has_value());
  EXPECT_TRUE(replica_1->info().is_replica());
}

}  // namespace
}  // namespace anclora::respond
