#include "storage/repository/checkpoint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "storage/repository/source_state.h"
#include "storage/repository/testing/test_source.h"
#include "storage/store/memory_store.h"

namespace anclora::storage {
namespace {

template <class T>
ErrorKind kind_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? ErrorKind::kInternal : result.error().kind();
}

// What a full checkpoint holds at most, with numbers as long as they get.
TEST(Checkpoint, HoldsAYearOfPacksAMinuteAndABaseEachHourWithMargin) {
  Checkpoint checkpoint;
  checkpoint.full = true;
  PackInfo pack;
  pack.timeline = TimelineId{UINT32_MAX};
  pack.first_sequence = pack.last_sequence = INT64_MAX;
  pack.first = pack.last = redis::Offset{INT64_MAX};
  pack.stored_bytes = 64 * kMiB;
  BaseInfo base;
  base.name = layout::base_name(redis::Offset{INT64_MAX}, 9999);
  base.timeline = TimelineId{UINT32_MAX};
  base.offset = redis::Offset{INT64_MAX};
  base.rdb_bytes = base.stored_bytes = base.used_memory_bytes = INT64_MAX;
  base.parts = UINT32_MAX;
  base.rdb_crc64 = UINT64_MAX;
  base.redis_version = "255.255.255";
  base.origin = "scratch";
  const std::size_t empty = encode_checkpoint(checkpoint).size();
  checkpoint.delta.packs.assign(1000, pack);
  const std::size_t packs = (encode_checkpoint(checkpoint).size() - empty) / 1000;
  checkpoint.delta.packs.clear();
  checkpoint.delta.bases.assign(1000, base);
  const std::size_t bases = (encode_checkpoint(checkpoint).size() - empty) / 1000;
  EXPECT_LT(packs, 440U);
  EXPECT_LT(bases, 480U);
  const std::uint64_t year = 366ULL * 24 * 60 * packs + 366ULL * 24 * bases;
  EXPECT_LT(year, kMaxCheckpointBytes * 9 / 10) << packs << " bytes a pack, " << bases << " a base";
}

// This process's memory at its highest since the last call.
std::uint64_t peak_bytes() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line))
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(line.find_first_of("0123456789"))) * kKiB;
  return 0;
}
void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

// The text of 100,000 packs has 42 MiB, the packs themselves 13; as one tree of JSON they would take 180 and more.
TEST(Checkpoint, OfManyPacksTakesLittleMoreMemoryThanItsTextAndItsPacks) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer keeps what was freed";
#endif
  Checkpoint checkpoint;
  checkpoint.ordinal = 1;
  checkpoint.full = true;
  PackInfo pack;
  pack.timeline = TimelineId{1};
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    pack.first_sequence = pack.last_sequence = i;
    pack.predecessor = pack.last_hash = hash256(std::to_string(i));
    checkpoint.delta.packs.push_back(pack);
  }
  forget_peak();
  const std::uint64_t before_text = peak_bytes();
  const Bytes text = encode_checkpoint(checkpoint);
  EXPECT_LT(peak_bytes() - before_text, text.size() + 30 * kMiB);
  forget_peak();
  const std::uint64_t before = peak_bytes();
  const auto read = decode_checkpoint(text, "name");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->delta.packs.size(), 100'000U);
  EXPECT_EQ(read->delta.packs.back().last_hash, pack.last_hash);
  EXPECT_LT(peak_bytes() - before, 50 * kMiB);
}

TEST(Checkpoint, RoundTripsEverythingThatItHolds) {
  Checkpoint checkpoint;
  checkpoint.ordinal = 62;
  checkpoint.previous = hash256("p");
  checkpoint.written = WallTime(std::chrono::microseconds(1'767'225'600'123'456));
  checkpoint.writer = "w";
  TimelineState opened;
  opened.id = TimelineId{2};
  opened.origin = {OriginKind::kFork, {TimelineId{1}, redis::Offset{5}}, checkpoint.written, "promoted \xc3\xa9"};
  opened.start = redis::Offset{INT64_MAX};
  BaseInfo base;
  base.name = "x-1";
  base.timeline = TimelineId{2};
  base.rdb_crc64 = 0xfedcba9876543210;
  base.used_memory_bytes = UINT64_MAX;
  PackInfo pack;
  pack.timeline = TimelineId{2};
  pack.first_sequence = 3;
  pack.last_sequence = 9;
  pack.last_hash = hash256("q");
  TimelineEnd end;
  end.timeline = TimelineId{1};
  end.boundary = redis::Offset{4};
  CheckpointDelta& delta = checkpoint.delta;
  delta.url = "redis://x";
  delta.opened = {opened};
  delta.bases = delta.retired_bases = {base};
  delta.packs = delta.retired_packs = {pack};
  delta.closed = {TimelineId{1}};
  delta.ends = {end};
  delta.first_kept = {{2, {7, redis::Offset{8}}}};
  delta.retired_timelines = {TimelineId{3}};
  delta.retiring = Retirement{"m", {base}, {pack}, {TimelineId{3}}, {{2, {7, redis::Offset{8}}}}};
  delta.retires_mark = "m";
  delta.deleted = {"gone"};
  checkpoint.rebuilt = checkpoint.written;
  checkpoint.retired = {{"a/b/", checkpoint.written}};
  const Bytes content = encode_checkpoint(checkpoint);
  const auto decoded = decode_checkpoint(content, "c");
  ASSERT_TRUE(decoded.has_value()) << decoded.error().to_string();
  EXPECT_EQ(encode_checkpoint(*decoded), content);
  EXPECT_EQ(decoded->delta.bases[0].rdb_crc64, base.rdb_crc64);
  EXPECT_EQ(decoded->delta.first_kept.at(2).second, redis::Offset{8});
}

TEST(Checkpoint, HostileDocumentsAreRefused) {
  Checkpoint checkpoint;
  checkpoint.ordinal = 1;
  checkpoint.full = true;
  const Bytes good = encode_checkpoint(checkpoint);
  ASSERT_TRUE(decode_checkpoint(good, "c").has_value());
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_EQ(kind_of(decode_checkpoint(good.substr(0, size), "c")), ErrorKind::kDataLoss);
  const auto with = [&](std::string_view from, std::string_view to) {
    Bytes text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  for (const auto& [from, to] : {std::pair<std::string_view, std::string_view>{"\"ordinal\":1", "\"ordinal\":-1"},
                                 {"\"ordinal\":1", "\"ordinal\":1.5"},
                                 {"\"ordinal\":1", "\"ordinal\":18446744073709551615"},
                                 {"\"full\":true", "\"full\":1"},
                                 {"\"writer\":\"\"", "\"packs\":[1]"},
                                 {"\"writer\":\"\"", "\"writer\":\"\",\"packs\":{}"}})
    EXPECT_EQ(kind_of(decode_checkpoint(with(from, to), "c")), ErrorKind::kDataLoss) << to;
  EXPECT_EQ(kind_of(decode_checkpoint(std::string(100'000, '['), "c")), ErrorKind::kDataLoss);
  EXPECT_EQ(kind_of(decode_checkpoint(with("\"format\":1", "\"format\":2"), "c")), ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace anclora::storage
