#include "protect/restore/key_sample.h"

#include <gtest/gtest.h>

#include "base/posix_file_system.h"
#include "protect/restore/live_target.h"
#include "protect/testing/random_workload.h"
#include "protect/testing/raw_replica.h"
#include "protect/testing/source_builder.h"
#include "redis/testing/redis_server.h"

namespace anclora::protect {
namespace {

using redis::Offset;
using redis::RedisServer;
using storage::KeyCounts;

WallTime at(std::int64_t seconds) { return WallTime(std::chrono::seconds(1'790'000'000 + seconds)); }

RestoreTools tools() { return {posix_file_system(), system_clock(), system_random(), system_dialer(), {}}; }

KeyCounts counts_of(RedisServer& server) {
  const redis::Info info = server.info();
  KeyCounts counts{*info.offset(), {}};
  for (const redis::Keyspace& one : info.keyspaces()) counts.databases.push_back({one.database, one.keys});
  return counts;
}

storage::Position position(SourceBuilder& source, Offset offset) { return {source.timeline(), offset}; }

TEST(KeySample, IsTheNewestAtOrBeforeThePointAlsoOutOfPacks) {
  SourceBuilder source;
  source.open_timeline(Offset{1000}, at(0));
  source.base(empty_rdb(), at(0));
  std::vector<Offset> ends;
  for (int i = 1; i <= 12; ++i) {
    source.command({"SET", "k", std::to_string(i % 10)}, at(i));
    // Counted in the middle of the entry, or right at its end.
    const Offset end = source.end();
    if (i % 2 == 0) source.command({"SET", "behind", std::to_string(i % 10)}, at(i));
    source.key_counts({end, {{0, static_cast<std::uint64_t>(i)}}});
    ends.push_back(end);
    source.seal();
    if (i % 5 == 0) source.pack();
  }
  const auto found = [&](Offset point) { return *find_key_counts(source.input(position(source, point))); };
  for (std::size_t i = 0; i < ends.size(); ++i) {
    ASSERT_TRUE(found(ends[i]).has_value()) << i;
    EXPECT_EQ(found(ends[i])->databases[0].keys, i + 1);
  }
  EXPECT_EQ(found(source.end())->offset, ends.back());
  EXPECT_FALSE(found(Offset{1000}).has_value());
}

TEST(KeySample, OfAnIdleSourceStandsInALaterSignOfLife) {
  SourceBuilder source;
  source.open_timeline(Offset{1000}, at(0));
  source.base(empty_rdb(), at(0));
  source.command({"SET", "k", "1"}, at(1));
  source.seal();
  source.sign_of_life(at(10));
  const Offset end = source.end();
  EXPECT_FALSE(find_key_counts(source.input(position(source, end)))->has_value());
  source.key_counts({end, {{0, 1}}});
  source.sign_of_life(at(20));
  const auto found = *find_key_counts(source.input(position(source, end)));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->offset, end);
}

// A real source's stream, counted by itself at a quarter, half and three quarters, and at its end.
struct Counted {
  std::unique_ptr<RedisServer> server = RedisServer::start();
  SourceBuilder source;
  std::vector<KeyCounts> counts;

  explicit Counted(std::uint64_t seed, std::uint64_t wrong_by = 0, std::size_t wrong_at = 99) {
    RandomWorkload workload(seed);
    const auto client = server->client();
    workload.run(*client, 150);
    RawReplica replica(*server);
    source.open_timeline(replica.base_offset(), at(0));
    for (int i = 0; i < 4; ++i) {
      workload.run(*client, 150);
      counts.push_back(counts_of(*server));
    }
    replica.catch_up();
    source.base(replica.rdb(), at(0));
    ByteView rest = replica.stream();
    SeededRandom random(seed);
    for (std::size_t next = 0; !rest.empty();) {
      const std::size_t size = std::min<std::size_t>(rest.size(), 1 + random.below(8000));
      source.stream(rest.substr(0, size), at(1));
      rest.remove_prefix(size);
      if (next < counts.size() && counts[next].offset <= source.end()) {
        KeyCounts told = counts[next];
        if (next == wrong_at) told.databases.back().keys += wrong_by;
        source.key_counts(told);
        ++next;
      }
      source.seal();
    }
  }

  Result<RestoreOutcome> restore(RedisServer& target, Offset point, bool compare = true) {
    const SourceView view = source.view();
    const auto resolved = resolve(view, WhenOffset{std::nullopt, point}, at(100000));
    if (!resolved.has_value()) return resolved.error();
    const auto plan = make_restore_plan(view.state, *resolved);
    LiveTargetOptions options;
    options.target = target.url();
    options.compare_keys = compare;
    return restore_to_live({&source.store(), &source.repository(), view.state, plan->route}, *plan,
                           needs_of(*plan, R"({"config":{"databases":"16"}})"), options, system_dialer(), tools(), {});
  }
};

std::string keys_check(const RestoreOutcome& outcome) {
  for (const RestoreCheck& check : outcome.checks)
    if (check.name == "keys") return check.result;
  return {};
}

TEST(KeySample, ALiveTargetIsComparedOnItsWayAndGoesOnToThePoint) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Counted counted(seed);
    for (const Offset point : {counted.source.end(), counted.counts[1].offset}) {
      const auto target = RedisServer::start();
      const auto outcome = counted.restore(*target, point);
      ASSERT_TRUE(outcome.has_value()) << outcome.error().to_string();
      EXPECT_NE(keys_check(*outcome).find("as the source held"), std::string::npos) << keys_check(*outcome);
      if (point != counted.source.end()) continue;
      EXPECT_EQ(target->command({"DEBUG", "DIGEST"}).text, counted.server->command({"DEBUG", "DIGEST"}).text);
    }
  }
}

TEST(KeySample, ATargetWithAnotherCountIsNotPromoted) {
  Counted counted(7, 1, 1);
  // Between the second count, which is wrong, and the third.
  const Offset point = counted.counts[1].offset;
  const auto target = RedisServer::start();
  const auto outcome = counted.restore(*target, point);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().kind(), ErrorKind::kDataLoss);
  EXPECT_NE(outcome.error().message().find("the source held"), std::string::npos) << outcome.error().to_string();
  EXPECT_NE(outcome.error().message().find("in database"), std::string::npos);
  EXPECT_NE(outcome.error().hint().find("--ignore-key-counts"), std::string::npos);
  EXPECT_TRUE(target->info().is_replica());
  const auto other = RedisServer::start();
  const auto ignored = counted.restore(*other, point, false);
  ASSERT_TRUE(ignored.has_value()) << ignored.error().to_string();
  EXPECT_NE(keys_check(*ignored).find("not compared"), std::string::npos);
}

}  // namespace
}  // namespace anclora::protect
