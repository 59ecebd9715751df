#include "protect/restore/recorded_source.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/posix_file_system.h"
#include "base/testing/temporary_directory.h"
#include "protect/restore/recovery_point.h"
#include "protect/restore/scratch_base.h"
#include "protect/testing/source_builder.h"

namespace anclora::protect {
namespace {

WallTime at(std::int64_t seconds) { return WallTime(std::chrono::seconds(1'790'000'000 + seconds)); }

void record(SourceBuilder& source, const storage::BaseInfo& base, const std::string& info) {
  const std::string name = storage::layout::side(source.source(), base.timeline, base.name);
  const auto object =
      storage::seal_object(source.repository().key(), name, nlohmann::json{{"info", info}}.dump(), source.random());
  ASSERT_TRUE(object.has_value());
  ASSERT_TRUE(source.store().put_if_absent(name, *object));
}

// A source with one base and `info` beside it. The builder names every history aaa...
RecordedSource recorded_with(const std::string& info) {
  SourceBuilder source;
  source.open_timeline(redis::Offset{100}, at(0));
  const storage::BaseInfo base = source.base(empty_rdb(), at(0));
  if (!info.empty()) record(source, base, info);
  auto recorded = recorded_source(source.view());
  EXPECT_TRUE(recorded.has_value()) << recorded.error().to_string();
  return *recorded;
}

std::string info_of(const std::string& version, const std::string& role, char replication_id) {
  return "# Server\r\nredis_version:" + version + "\r\n# Replication\r\nrole:" + role +
         "\r\nmaster_replid:" + std::string(40, replication_id) + "\r\n";
}

storage::BaseInfo base_of(std::uint32_t rdb_version) {
  storage::BaseInfo base;
  base.name = "00000000000000000200-0000";
  base.rdb_version = rdb_version;
  return base;
}

TEST(RecordedSource, IsUnchangedOnlyWhileThePrimarysHistoryHasTheSameId) {
  const RecordedSource same = recorded_with(info_of("6.2.16", "master", 'a'));
  ASSERT_TRUE(same.server.has_value());
  EXPECT_EQ(same.server->to_string(), "Redis 6.2.16");
  EXPECT_TRUE(same.unchanged);
  EXPECT_FALSE(recorded_with(info_of("6.2.16", "master", 'b')).unchanged);
  EXPECT_FALSE(recorded_with(info_of("6.2.16", "slave", 'a')).unchanged);  // it keeps its primary's id over a restart
  EXPECT_FALSE(recorded_with({}).server.has_value());
}

TEST(RecordedSource, DoubtsABaseThatIsNewerThanAllThatItIsKnownToLoad) {
  RecordedSource source;
  source.newest_base = redis::rdb_magic_of(9);
  EXPECT_EQ(doubt_of(source, base_of(9)), "");
  EXPECT_NE(doubt_of(source, base_of(10)).find("is not recorded, and no base of it was that new"), std::string::npos);
  source.server = redis::Product{false, {6, 2, 16}};
  EXPECT_EQ(doubt_of(source, base_of(9)), "");
  EXPECT_NE(doubt_of(source, base_of(10)).find("base 00000000000000000200-0000 is RDB 10: the source was Redis 6.2.16"),
            std::string::npos);
  source.newest_base = redis::rdb_magic_of(10);  // made for it since
  EXPECT_EQ(doubt_of(source, base_of(10)), "");
  EXPECT_NE(doubt_of(source, base_of(80)), "");
}

TEST(RecordedSource, IsNotGivenABaseThatItCouldNotLoadUnlessItMayHaveBeenUpgraded) {
  for (const char replication_id : {'a', 'b'}) {
    SourceBuilder source;
    source.open_timeline(redis::Offset{100}, at(0));
    record(source, source.base(empty_rdb(6), at(0)), info_of("3.0.7", "master", replication_id));
    source.command({"SET", "k", "v"}, at(1));
    source.seal();
    const SourceView view = source.view();
    const auto point = resolve(view, WhenLatest{}, at(2));
    ASSERT_TRUE(point.has_value()) << point.error().to_string();
    const auto plan = make_restore_plan(view.state, *point);
    ASSERT_TRUE(plan.has_value()) << plan.error().to_string();
    const TemporaryDirectory work;
    ScratchSettings settings;
    settings.work_directory = work.path();
    const auto prove = [&](storage::AppendStore* publish_to) {
      return prove_by_scratch({&source.store(), &source.repository(), view.state, plan->route}, *plan, publish_to,
                              settings, {posix_file_system(), system_clock(), system_random(), system_dialer(), {}},
                              {});
    };
    EXPECT_TRUE(prove(nullptr).has_value());
    const auto proof = prove(&source.store());
    if (replication_id == 'a') {
      ASSERT_FALSE(proof.has_value());
      EXPECT_EQ(proof.error().kind(), ErrorKind::kFailedPrecondition);
      EXPECT_NE(proof.error().message().find("Redis 3.0.7, could not load it"), std::string::npos);
      EXPECT_EQ(source.view().state.timelines.back().bases.size(), 1U);
    } else {
      ASSERT_TRUE(proof.has_value()) << proof.error().to_string();
      EXPECT_TRUE(proof->published.has_value());
      EXPECT_NE(proof->doubt.find("the source was Redis 3.0.7 when it last sent a base"), std::string::npos)
          << proof->doubt;
    }
  }
}

}  // namespace
}  // namespace anclora::protect
