#include "protect/restore/target_loading.h"

#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"
#include "redis/testing/redis_server.h"

namespace anclora::protect {
namespace {

using redis::RedisServer;

// A server that takes its time for every key.
std::unique_ptr<RedisServer> slow_to_load(const TemporaryDirectory& folder, int keys, const std::string& delay_us) {
  {
    const auto before = RedisServer::start({"dir " + folder.path()});
    for (int i = 0; i < keys; ++i) before->command({"SET", "key:" + std::to_string(i), std::string(1000, 'x')});
    before->command({"SAVE"});
  }
  redis::RedisServerOptions options;
  options.config = {"dir " + folder.path(), "key-load-delay " + delay_us, "loading-process-events-interval-bytes 2048"};
  options.wait_until_ready = false;
  return RedisServer::start(options);
}

void wait_for_its_port(RedisServer& server) {
  for (int i = 0; i < 15'000; ++i) {
    if (redis::Client::connect(server.url(), system_dialer(), system_clock())) return;
    system_clock().sleep_for(std::chrono::milliseconds(10));
  }
  FAIL() << server.log();
}

TEST(TargetLoading, WaitsForTheEndAndTellsHowFarItCame) {
  const TemporaryDirectory folder;
  const auto server = slow_to_load(folder, 6000, "10000");
  wait_for_its_port(*server);
  const auto url = server->url();
  LiveLink link(url, system_dialer(), system_clock());
  std::uint64_t told = 0;
  ASSERT_TRUE(wait_until_loaded(link, system_clock(), {}, [&](const RestoreProgress& progress) {
                EXPECT_LE(progress.done_bytes, progress.total_bytes);
                told = std::max(told, progress.done_bytes);
                if (told > 0) server->command({"CONFIG", "SET", "key-load-delay", "0"});  // seen enough
              }).has_value());
  EXPECT_GT(told, 0u);
  EXPECT_EQ(server->command({"DBSIZE"}).integer, 6000);
}

TEST(TargetLoading, GivesUpWithHowFarItCame) {
  const TemporaryDirectory folder;
  const auto server = slow_to_load(folder, 6000, "10000");
  wait_for_its_port(*server);
  const auto url = server->url();
  LiveLink link(url, system_dialer(), system_clock());
  const Status ended = wait_until_loaded(link, system_clock(), {}, {}, {.at_most = std::chrono::milliseconds(300)});
  ASSERT_FALSE(ended.has_value());
  EXPECT_EQ(ended.error().kind(), ErrorKind::kUnavailable);
  EXPECT_NE(ended.error().message().find("still loading"), std::string::npos);
  const Status stopped = wait_until_loaded(link, system_clock(), [] { return true; }, {});
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().kind(), ErrorKind::kCancelled);
}

}  // namespace
}  // namespace anclora::protect
