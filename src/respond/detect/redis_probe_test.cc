#include "respond/detect/redis_probe.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/testing/witness.h"
#include "redis/testing/redis_server.h"

namespace anclora::respond {
namespace {

using redis::RedisServer;
constexpr Duration kTimeout = std::chrono::seconds(60);

RedisProbe probe_of(const RedisServer& server, ExpectedRole role = ExpectedRole::kPrimary,
                    const std::string& beacon = "dr:beacon") {
  return RedisProbe({server.url(), role, beacon, {}}, system_dialer(), system_clock());
}

TEST(Beacon, IsReadBackAsItWasWritten) {
  const Beacon beacon{WallTime(std::chrono::microseconds(1'800'000'000'123'456)), 42};
  const auto read = Beacon::parse(beacon.to_string());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->at, beacon.at);
  EXPECT_EQ(read->beat, 42U);
  for (const char* text : {"", "1", "1 ", " 1", "x 1", "1 x", "1 1 1", "1 -1", "1.5 1"})
    EXPECT_FALSE(Beacon::parse(text).has_value()) << text;
}

TEST(RedisProbe, SeesAServerThatServesAndWritesItsBeacon) {
  const auto server = RedisServer::start();
  RedisProbe probe = probe_of(*server);
  const Reading first = probe.look(kTimeout);
  EXPECT_EQ(first.state, ProbeState::kUp) << first.reason;
  EXPECT_EQ(first.facts.at("role"), "master");
  const Reading second = probe.look(kTimeout);
  EXPECT_EQ(second.state, ProbeState::kUp) << second.reason;
  const auto beacon = Beacon::parse(server->command({"GET", "dr:beacon"}).text);
  ASSERT_TRUE(beacon.has_value());
  EXPECT_EQ(beacon->beat, 2U);
}

TEST(RedisProbe, ChangesNothingWithoutABeacon) {
  const auto server = RedisServer::start();
  EXPECT_EQ(probe_of(*server, ExpectedRole::kPrimary, "").look(kTimeout).state, ProbeState::kUp);
  EXPECT_EQ(server->command({"DBSIZE"}).integer, 0);
}

TEST(RedisProbe, IsDownWhenNobodyListens) {
  auto server = RedisServer::start();
  RedisProbe probe = probe_of(*server);
  server->kill9();
  const Reading reading = probe.look(kTimeout);
  EXPECT_EQ(reading.state, ProbeState::kDown);
  EXPECT_NE(reading.reason.find("refused"), std::string::npos) << reading.reason;
}

TEST(RedisProbe, IsDownWithinItsTimeWhenTheServerHangs) {
  auto server = RedisServer::start();
  RedisProbe probe = probe_of(*server);
  server->pause();
  Witness witness;
  const MonoTime start = system_clock().mono_now();
  const Reading reading = probe.look(std::chrono::milliseconds(500));
  EXPECT_EQ(reading.state, ProbeState::kDown) << reading.reason;
  EXPECT_LT(system_clock().mono_now() - start, witness.limit(std::chrono::seconds(2)));
  server->resume();
}

TEST(RedisProbe, DoesNotKnowWithAWrongPassword) {
  redis::RedisServerOptions options;
  options.config = {"requirepass secret"};
  options.password = "secret";
  const auto server = RedisServer::start(std::move(options));
  redis::RedisUrl url = server->url();
  url.password = Secret("wrong");
  RedisProbe probe({url, ExpectedRole::kPrimary, "b", {}}, system_dialer(), system_clock());
  EXPECT_EQ(probe.look(kTimeout).state, ProbeState::kUnknown);
}

TEST(RedisProbe, DoesNotKnowWhenTheNameCannotBeResolved) {
  redis::RedisUrl url = redis::RedisUrl::parse("redis://no-such-host.invalid:6379").value();
  RedisProbe probe({url, ExpectedRole::kPrimary, "b", {}}, system_dialer(), system_clock());
  EXPECT_EQ(probe.look(kTimeout).state, ProbeState::kUnknown);
}

TEST(RedisProbe, IsDownWhenAReplicaStandsInThePrimarysPlace) {
  const auto primary = RedisServer::start();
  const auto replica = RedisServer::start();
  replica->command({"REPLICAOF", "127.0.0.1", primary->port_text()});
  replica->wait_for_link_up();
  const Reading reading = probe_of(*replica).look(kTimeout);
  EXPECT_EQ(reading.state, ProbeState::kDown);
  EXPECT_EQ(reading.reason, "it is a replica, not the primary");
  EXPECT_EQ(probe_of(*replica, ExpectedRole::kReplica, "").look(kTimeout).state, ProbeState::kUp);
}

TEST(RedisProbe, IsDownWhenWritesAreRefusedThoughItAnswersPing) {
  const auto server = RedisServer::start();
  server->command({"CONFIG", "SET", "min-replicas-to-write", "1"});
  RedisProbe probe = probe_of(*server);
  const Reading reading = probe.look(kTimeout);
  EXPECT_EQ(reading.state, ProbeState::kDown);
  EXPECT_NE(reading.reason.find("NOREPLICAS"), std::string::npos) << reading.reason;
}

TEST(RedisProbe, IsDownWhenWritesAreHeldUp) {
  const auto server = RedisServer::start();
  RedisProbe probe = probe_of(*server);
  EXPECT_EQ(probe.look(kTimeout).state, ProbeState::kUp);
  server->command({"CLIENT", "PAUSE", "150000", "WRITE"});
  Reading reading;
  // As soon as this machine can: within its time the look has to come as far as its write.
  for (auto within = std::chrono::milliseconds(400); within < kTimeout; within *= 2) {
    reading = probe.look(within);
    EXPECT_EQ(reading.state, ProbeState::kDown) << reading.reason;
    if (reading.reason.find("does not return") != std::string::npos) break;
  }
  EXPECT_NE(reading.reason.find("does not return"), std::string::npos) << reading.reason;
}

TEST(RedisProbe, IsDownWhenTheServerCameBackEmpty) {
  auto server = RedisServer::start();
  RedisProbe probe = probe_of(*server);
  EXPECT_EQ(probe.look(kTimeout).state, ProbeState::kUp);
  server->kill9();
  server->start_again();
  server->wait_until_ready();
  const Reading reading = probe.look(kTimeout);
  EXPECT_EQ(reading.state, ProbeState::kDown);
  EXPECT_NE(reading.reason.find("gone"), std::string::npos) << reading.reason;
}

TEST(RedisProbe, IsDownWhenAnOlderDatasetIsServed) {
  const auto server = RedisServer::start();
  RedisProbe probe = probe_of(*server);
  probe.look(kTimeout);
  const std::string old = server->command({"GET", "dr:beacon"}).text;
  for (int i = 0; i < 3; ++i) probe.look(kTimeout);
  server->command({"SET", "dr:beacon", old});
  const Reading reading = probe.look(kTimeout);
  EXPECT_EQ(reading.state, ProbeState::kDown);
  EXPECT_NE(reading.reason.find("went back"), std::string::npos) << reading.reason;
}

TEST(RedisProbe, DoesNotOverwriteAKeyThatIsNoBeacon) {
  const auto server = RedisServer::start();
  server->command({"SET", "dr:beacon", "somebody's own"});
  EXPECT_EQ(probe_of(*server).look(kTimeout).state, ProbeState::kUnknown);
  EXPECT_EQ(server->command({"GET", "dr:beacon"}).text, "somebody's own");
}

TEST(RedisProbe, DoesNotKnowWhileTheServerLoads) {
  redis::RedisServerOptions options;
  options.config = {"key-load-delay 20000", "loading-process-events-interval-bytes 1024", "rdbcompression no"};
  const auto server = RedisServer::start(options);
  RedisProbe probe = probe_of(*server);
  for (int i = 0; i < 2000; ++i) server->command({"SET", std::to_string(i), std::string(100, 'x')});
  server->command({"SAVE"});
  server->kill9();
  std::thread starter([&] { server->start_again(); });
  // It loads until it is told to hurry.
  Result<std::unique_ptr<redis::Client>> client = Error(ErrorKind::kUnavailable, "not yet");
  while (!client) client = redis::Client::connect(server->url(), system_dialer(), system_clock());
  const Reading reading = probe.look(kTimeout);
  const auto hurried = (*client)->command({"CONFIG", "SET", "key-load-delay", "0"}, kTimeout);
  starter.join();
  EXPECT_TRUE(hurried.has_value());
  EXPECT_EQ(reading.state, ProbeState::kUnknown) << reading.reason;
  EXPECT_NE(reading.reason.find("loading"), std::string::npos) << reading.reason;
}

}  // namespace
}  // namespace anclora::respond
