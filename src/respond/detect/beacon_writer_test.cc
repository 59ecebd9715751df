#include "respond/detect/beacon_writer.h"

#include <gtest/gtest.h>

#include "redis/testing/redis_server.h"

namespace anclora::respond {
namespace {

using redis::RedisServer;
using std::chrono::milliseconds;
using std::chrono::seconds;

void wait_for(const std::function<bool()>& condition) {
  for (int i = 0; i < 7'500 && !condition(); ++i) system_clock().sleep_for(milliseconds(20));
}

TEST(BeaconWriter, BeatsFromWhereItFindsTheBeacon) {
  const auto server = RedisServer::start();
  server->command({"SET", "dr:beacon", "1000000 41"});
  BeaconWriter writer({server->url(), "dr:beacon", milliseconds(20)}, system_dialer(), system_clock());
  ASSERT_TRUE(writer.wait_for_beat(seconds(150)));
  EXPECT_GE(writer.last()->beat, 42U);
  wait_for([&] { return writer.last()->beat >= 45; });
  const auto stored = Beacon::parse(server->command({"GET", "dr:beacon"}).text);
  ASSERT_TRUE(stored.has_value());
  EXPECT_GE(stored->beat, 45U);
}

TEST(BeaconWriter, RemembersTheLastBeatThatAServerTookAndLeavesForeignValuesAlone) {
  const auto server = RedisServer::start();
  BeaconWriter writer({server->url(), "dr:beacon", milliseconds(20)}, system_dialer(), system_clock());
  ASSERT_TRUE(writer.wait_for_beat(seconds(150)));
  // Once more where the writer was just between its look and its write.
  for (int tries = 0; tries < 10 && server->command({"GET", "dr:beacon"}).text != "somebody's"; ++tries) {
    server->command({"SET", "dr:beacon", "somebody's"});
    system_clock().sleep_for(milliseconds(100));
  }
  EXPECT_EQ(server->command({"GET", "dr:beacon"}).text, "somebody's");
  const std::uint64_t before = writer.last()->beat;
  server->command({"DEL", "dr:beacon"});
  wait_for([&] { return writer.last()->beat > before; });
  EXPECT_GT(writer.last()->beat, before);
}

TEST(BeaconWriter, EndsAtOnceWhereNobodyAnswers) {
  redis::RedisUrl url = redis::RedisUrl::parse("redis://127.0.0.1:1").value();
  BeaconWriter writer({url, "dr:beacon", seconds(60)}, system_dialer(), system_clock());
  EXPECT_FALSE(writer.wait_for_beat(milliseconds(50)));
}

}  // namespace
}  // namespace anclora::respond
