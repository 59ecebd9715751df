#include "respond/actions/probe_action.h"

#include <gtest/gtest.h>

#include "redis/testing/redis_server.h"
#include "respond/actions/redis_verify.h"
#include "respond/detect/beacon.h"
#include "respond/testing/lone_step.h"

namespace anclora::respond {
namespace {

std::unique_ptr<Action> probe_action() {
  return make_probe_action({system_dialer(), posix_file_system(), system_random(), {}, {}});
}

using redis::RedisServer;
using testing::LoneStep;

LoneStep step_on(const RedisServer& server, const std::string& uses, const std::string& with) {
  LoneStep step(uses, with);
  step.add_target("main", "redis",
                  "{url: \"redis://127.0.0.1:" + server.port_text() + "\", beacon: {key: \"dr:beacon\"}}");
  return step;
}

// What it ends with where it never sees what it waits for: as soon as this machine can look once.
Result<Outcome> in_vain(LoneStep& step, std::string_view words = {}) {
  Result<Outcome> outcome = Outcome{};
  for (auto within = std::chrono::milliseconds(300); within < std::chrono::seconds(60); within *= 2) {
    step.set_deadline(within);
    outcome = probe_action()->execute(step);
    if (outcome.has_value() || outcome.error().message().find(words) != std::string::npos) break;
  }
  return outcome;
}

TEST(ProbeAction, SeesTheStateThatTheStepExpects) {
  auto server = RedisServer::start();
  const auto action = probe_action();
  LoneStep up = step_on(*server, "probe.redis", "{target: main, role: primary, write: true, in_a_row: 3}");
  const auto outcome = action->execute(up);
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message();
  EXPECT_EQ(outcome->outputs.at("state"), "up");
  LoneStep down = step_on(*server, "probe.tcp", "{target: main, is: down}");
  down.set_deadline(std::chrono::milliseconds(1500));
  EXPECT_FALSE(action->execute(down).has_value());
  server->kill9();
  LoneStep gone = step_on(*server, "probe.tcp", "{target: main, is: down}");
  EXPECT_TRUE(action->execute(gone).has_value());
}

TEST(ProbeAction, WaitsForAProbeOfThePlan) {
  const auto server = RedisServer::start();
  LoneStep step = step_on(*server, "wait.until", "{probe: redis, in_a_row: 2}");
  plan::Probe probe;
  probe.id = "redis";
  probe.uses = "probe.redis";
  probe.with = LoneStep("x", "{target: main, role: primary}").step().with;
  step.plan_to_edit().probes.push_back(probe);
  EXPECT_TRUE(probe_action()->execute(step).has_value());
}

TEST(ProbeAction, JudgesAKeyspaceByItsInvariants) {
  const auto server = RedisServer::start();
  server->command({"HSET", "bull:1", "a", "b"});
  const std::string with =
      "{target: main, invariants: [{id: jobs, prefix: \"bull:\", type: hash, at_least: 1, ttl: absent}]}";
  LoneStep good = step_on(*server, "probe.keyspace", with);
  EXPECT_TRUE(probe_action()->execute(good).has_value());
  server->command({"SET", "bull:2", "x"});
  LoneStep bad = step_on(*server, "probe.keyspace", with);
  const auto outcome = in_vain(bad, "bull:2");
  ASSERT_FALSE(outcome.has_value());
  EXPECT_NE(outcome.error().message().find("bull:2 (string)"), std::string::npos) << outcome.error().message();
}

TEST(ProbeAction, JudgesTheNumberOfKeysByItsTolerance) {
  const auto server = RedisServer::start();
  for (int key = 0; key < 18; ++key) server->command({"SET", "bull:" + std::to_string(key), "x"});
  const auto with = [&](const std::string& invariant) {
    return step_on(*server, "probe.keyspace",
                   "{target: main, invariants: [{id: a, prefix: \"bull:\", " + invariant + "}]}");
  };
  LoneStep within = with("keys: 20, tolerance: 10%");
  EXPECT_TRUE(probe_action()->execute(within).has_value());
  LoneStep too_few = with("keys: 20, tolerance: 9.5%");
  const auto beyond = in_vain(too_few, "18 keys");
  ASSERT_FALSE(beyond.has_value());
  EXPECT_NE(beyond.error().message().find("18 keys match \"bull:*\", expected 20 give or take 9.5%"), std::string::npos)
      << beyond.error().message();
  LoneStep one_too_few = with("keys: 19");
  EXPECT_FALSE(in_vain(one_too_few, "18 keys").has_value());
  LoneStep of_nothing = with("tolerance: 5%");
  EXPECT_EQ(probe_action()->execute(of_nothing).error().kind(), ErrorKind::kInvalidArgument);
}

TEST(ProbeAction, JudgesTheBeaconsAge) {
  const auto server = RedisServer::start();
  LoneStep step = step_on(*server, "probe.keyspace", "{target: main, beacon_within: 5m}");
  EXPECT_NE(in_vain(step, "not there").error().message().find("not there"), std::string::npos);
  server->command({"SET", "dr:beacon", Beacon{system_clock().wall_now() - std::chrono::hours(1), 1}.to_string()});
  EXPECT_NE(in_vain(step, "old").error().message().find("old"), std::string::npos);
  server->command({"SET", "dr:beacon", Beacon{system_clock().wall_now(), 2}.to_string()});
  step.set_deadline(std::chrono::seconds(60));
  EXPECT_TRUE(probe_action()->execute(step).has_value());
}

TEST(RedisVerify, TellsAServerInOrderFromOneThatIsNot) {
  const auto server = RedisServer::start();
  const auto action = make_redis_verify(system_dialer());
  for (int i = 0; i < 5; ++i) server->command({"SET", std::to_string(i), "x"});
  server->command({"SET", "dr:beacon", "1800000000000000 7"});
  LoneStep step = step_on(*server, "redis.verify", "{target: main, min_keys: 6}");
  const auto outcome = action->execute(step);
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message();
  EXPECT_EQ(outcome->outputs.at("keys"), "6");
  EXPECT_EQ(outcome->outputs.at("beacon_beat"), "7");
  EXPECT_FALSE(outcome->outputs.contains("rpo_seconds"));  // nobody knows when the outage began
  step.outage = WallTime(std::chrono::microseconds(1'800'000'002'500'000));
  EXPECT_EQ(action->execute(step)->outputs.at("rpo_seconds"), "2.500");
  LoneStep more = step_on(*server, "redis.verify", "{target: main, min_keys: 7}");
  EXPECT_FALSE(action->execute(more).has_value());
  const auto primary = RedisServer::start();
  server->command({"REPLICAOF", "127.0.0.1", primary->port_text()});
  EXPECT_FALSE(action->execute(step).has_value());
}

TEST(RedisVerify, JudgesTheChosenPoint) {
  const auto server = RedisServer::start();
  const auto action = make_redis_verify(system_dialer());
  LoneStep step = step_on(*server, "redis.verify", "{from: [promote, data], point: point}");
  step.outputs["point"] = {{"position", "1/1000"}, {"replication_id", "abc"}};
  step.outputs["data"] = {{"target", "main"}, {"position", "1/1000"}};
  EXPECT_TRUE(action->execute(step).has_value());
  step.outputs["data"]["position"] = "1/999";
  const auto other = action->execute(step);
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().kind(), ErrorKind::kDataLoss);
  step.outputs["promote"] = {{"target", "main"}, {"offset", "1000"}, {"replication_id", "abc"}};
  EXPECT_EQ(action->execute(step)->outputs.at("rpo_writes"), "0");
  step.outputs["promote"]["offset"] = "990";
  const Outcome behind = action->execute(step).value();
  EXPECT_EQ(behind.outputs.at("rpo_bytes"), "10");
  EXPECT_FALSE(behind.outputs.contains("rpo_writes"));
  ASSERT_EQ(step.notes.size(), 1U);
  step.outputs["promote"]["replication_id"] = "of another primary";
  EXPECT_FALSE(action->execute(step)->outputs.contains("rpo_bytes"));
  EXPECT_EQ(step.notes.size(), 2U);
}

TEST(RedisVerify, ABeaconThatNobodyWroteIsNoLoss) {
  const auto server = RedisServer::start();
  const auto action = make_redis_verify(system_dialer());
  server->command({"SET", "dr:beacon", "1800000000000000 7"});
  LoneStep step = step_on(*server, "redis.verify", "{from: [promote], point: point}");
  step.outputs["promote"] = {{"target", "main"}, {"offset", "1000"}, {"replication_id", "abc"}};
  step.outage = WallTime(std::chrono::microseconds(1'800'000'100'000'000));
  const auto measured = [&](std::int64_t point_seconds) {
    const WallTime point = WallTime(std::chrono::seconds(1'800'000'000 + point_seconds));
    step.outputs["point"] = {{"position", "1/1000"}, {"replication_id", "abc"}, {"time", format_rfc3339(point)}};
    return action->execute(step)->outputs.at("rpo_seconds");
  };
  EXPECT_EQ(measured(10), "100.000");  // a beacon a little older than the point is the better measure
  EXPECT_TRUE(step.notes.empty());
  EXPECT_EQ(measured(99), "1.000");
  ASSERT_EQ(step.notes.size(), 1U);
  EXPECT_NE(step.notes.front().find("nobody wrote the beacon"), std::string::npos) << step.notes.front();
  EXPECT_EQ(measured(130), "0.000");
  step.outputs["promote"]["offset"] = "990";  // it does not hold the point: the beacon counts
  EXPECT_EQ(measured(99), "100.000");
}

}  // namespace
}  // namespace anclora::respond
