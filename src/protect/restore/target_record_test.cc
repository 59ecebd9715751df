#include "protect/restore/target_record.h"

#include <gtest/gtest.h>

#include "base/memory_file_system.h"

namespace anclora::protect {
namespace {

TargetRecord sample() {
  TargetRecord record;
  record.target = "redis://10.0.0.7:6379";
  record.run_id = "8f2c1d";
  record.address = {"10.0.0.9", 40123};
  record.point = "1/1048577";
  record.started = WallTime(std::chrono::seconds(1'790'000'000));
  record.held_data = true;
  record.settings = {{"masterauth", Secret(std::string("not \xff utf-8\n")), Secret("ours")},
                     {"rdbcompression", Secret("yes"), Secret("no")}};
  return record;
}

TEST(TargetRecord, ComesBackAsItWasWritten) {
  const auto record = decode_target_record(encode_target_record(sample()));
  ASSERT_TRUE(record.has_value()) << record.error().message();
  EXPECT_EQ(record->target, sample().target);
  EXPECT_EQ(record->run_id, sample().run_id);
  EXPECT_EQ(record->address.to_string(), sample().address.to_string());
  EXPECT_EQ(record->point, sample().point);
  EXPECT_EQ(record->started, sample().started);
  EXPECT_TRUE(record->held_data);
  ASSERT_EQ(record->settings.size(), 2u);
  EXPECT_TRUE(record->settings[0].before.equals(sample().settings[0].before));
  EXPECT_EQ(record->settings[1].set.reveal(), "no");
}

TEST(TargetRecord, RefusesWhatIsDamagedOrNewer) {
  const Bytes whole = encode_target_record(sample());
  for (std::size_t size = 0; size + 2 < whole.size(); ++size)
    EXPECT_FALSE(decode_target_record(ByteView(whole).substr(0, size)).has_value()) << size;
  Bytes newer = whole;
  newer.replace(newer.find("\"format\": 1"), 11, "\"format\": 2");
  EXPECT_EQ(decode_target_record(newer).error().kind(), ErrorKind::kUnsupported);
  EXPECT_FALSE(decode_target_record("{\"format\": \"1\"}").has_value());
}

TEST(TargetRecord, StandsInForTheOneBeforeItAndIsGoneOnceRemoved) {
  ManualClock clock;
  MemoryFileSystem files(clock);
  TargetRecords records(files, "/state/targets");
  EXPECT_TRUE(records.list().value().empty());
  TargetRecord record = sample();
  ASSERT_TRUE(records.write(record).has_value());
  record.point = "1/2";
  ASSERT_TRUE(records.write(record).has_value());
  record.target = "redis://10.0.0.8:6379";
  ASSERT_TRUE(records.write(record).has_value());
  ASSERT_EQ(records.list().value().size(), 2u);
  ASSERT_TRUE(records.remove(record.target).has_value());
  ASSERT_TRUE(records.remove(record.target).has_value());
  const auto left = records.list().value();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].point, "1/2");
}

TEST(TargetRecord, IsWrittenAlsoAfterAWriteThatWasKilled) {
  ManualClock clock;
  MemoryFileSystem files(clock);
  TargetRecords records(files, "/state/targets");
  const TargetRecord record = sample();
  ASSERT_TRUE(records.write(record).has_value());
  const std::string name = files.list("/state/targets").value().front().name;
  ASSERT_TRUE(files.create("/state/targets/" + name + ".part").has_value());
  EXPECT_TRUE(records.write(record).has_value());
  EXPECT_EQ(records.list().value().size(), 1u);
}

TEST(TargetRecord, IsLockedWhileARestoreRuns) {
  ManualClock clock;
  MemoryFileSystem files(clock);
  TargetRecords records(files, "/state/targets");
  auto held = records.lock("redis://a:1");
  ASSERT_TRUE(held.has_value()) << held.error().message();
  const auto second = records.lock("redis://a:1");
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().message().find("another restore into redis://a:1"), std::string::npos);
  EXPECT_TRUE(records.lock("redis://b:1").has_value());
  held->reset();
  EXPECT_TRUE(records.lock("redis://a:1").has_value());
}

}  // namespace
}  // namespace anclora::protect
