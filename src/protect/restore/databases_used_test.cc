#include "protect/restore/databases_used.h"

#include <gtest/gtest.h>

#include "base/posix_file_system.h"
#include "protect/restore/live_target.h"
#include "protect/testing/raw_replica.h"
#include "protect/testing/source_builder.h"
#include "redis/testing/redis_server.h"

namespace anclora::protect {
namespace {

using redis::RedisServer;

WallTime at(std::int64_t seconds) { return WallTime(std::chrono::seconds(1'790'000'000 + seconds)); }

RestoreTools tools() { return {posix_file_system(), system_clock(), system_random(), system_dialer(), {}}; }

// Database 2 in the base, 4 in the stream.
struct Archive {
  std::unique_ptr<RedisServer> server = RedisServer::start();
  SourceBuilder source;

  Archive() {
    server->command({"SELECT", "2"});
    server->command({"SET", "in", "two"});
    RawReplica replica(*server);
    server->command({"SET", "still", "two"});
    server->command({"SELECT", "4"});
    server->command({"SET", "in", "four"});
    replica.catch_up();
    source.open_timeline(replica.base_offset(), at(0));
    source.base(replica.rdb(), at(0));
    source.stream(replica.stream(), at(1));
    source.seal();
  }
  storage::Position end() { return {storage::TimelineId{1}, source.end()}; }
};

TEST(DatabasesUsed, CountsThoseOfTheBaseAndOfTheStream) {
  Archive archive;
  EXPECT_EQ(*count_databases_used(archive.source.input(archive.end()), {}, {}), 5u);
  RestoreInput base_only = archive.source.input(archive.end());
  base_only.route.stretches.clear();
  EXPECT_EQ(*count_databases_used(base_only, {}, {}), 3u);
  const auto stopped = count_databases_used(base_only, [] { return true; }, {});
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().kind(), ErrorKind::kCancelled);
}

// The source's setting is not known here: what its data uses decides.
TEST(DatabasesUsed, ATargetNeedsThoseAndNoMore) {
  Archive archive;
  const SourceView view = archive.source.view();
  const auto point = resolve(view, WhenOffset{std::nullopt, archive.source.end()}, at(100000));
  ASSERT_TRUE(point.has_value());
  const auto plan = make_restore_plan(view.state, *point);
  ASSERT_TRUE(plan.has_value());
  for (const std::string databases : {"2", "4", "5"}) {
    const auto target = RedisServer::start({"databases " + databases});
    LiveTargetOptions options;
    options.target = target->url();
    const auto outcome = restore_to_live(archive.source.input(archive.end()), *plan, needs_of(*plan, ""), options,
                                         system_dialer(), tools(), {});
    EXPECT_TRUE(target->info().is_primary());
    if (databases == "5") {
      ASSERT_TRUE(outcome.has_value()) << outcome.error().to_string();
      EXPECT_EQ(target->command({"DEBUG", "DIGEST"}).text, archive.server->command({"DEBUG", "DIGEST"}).text);
      continue;
    }
    ASSERT_FALSE(outcome.has_value());
    EXPECT_EQ(outcome.error().kind(), ErrorKind::kFailedPrecondition);
    EXPECT_NE(outcome.error().message().find("the data uses 5"), std::string::npos) << outcome.error().to_string();
  }
}

}  // namespace
}  // namespace anclora::protect
