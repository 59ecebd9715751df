#include "storage/journal/stream_index.h"

#include <gtest/gtest.h>

#include <random>

namespace anclora::storage {
namespace {

constexpr std::uint64_t kSeed = 20261125;

StreamIndex sample(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto wall = [&] { return WallTime(Duration(static_cast<std::int64_t>(random()))); };
  StreamIndex index;
  for (std::uint64_t i = random() % 5; i > 0; --i) {
    IndexedEntry entry{random(), {random() >> 1}, {}, {random()}, wall(), {}};
    entry.last = entry.first + random() % 1000;
    entry.hash[3] = static_cast<std::uint8_t>(random());
    index.entries.push_back(entry);
  }
  redis::Offset at{random() % 1000};
  for (std::uint64_t i = random() % 6; i > 0; --i) {
    index.marks.push_back({at, wall(), MonoTime(Duration(static_cast<std::int64_t>(random())))});
    at = at + random() % 100000;
  }
  for (std::uint64_t i = random() % 4; i > 0; --i) {
    index.dangers.push_back({static_cast<DangerKind>(1 + random() % 4),
                             {random()},
                             {random()},
                             wall(),
                             static_cast<std::uint32_t>(random()),
                             random(),
                             std::string(random() % 40, 'p')});
  }
  for (std::uint64_t i = random() % 10; i > 0; --i) index.commands["C" + std::to_string(random() % 50)] = random();
  if (random() % 2 == 0) index.key_filter = Bytes(64u << (random() % 4), static_cast<char>(random()));
  index.all_keys_known = random() % 2 == 0;
  index.all_dangers_kept = random() % 2 == 0;
  return index;
}

void expect_equal(const StreamIndex& a, const StreamIndex& b) {
  ASSERT_EQ(a.entries.size(), b.entries.size());
  for (std::size_t i = 0; i < a.entries.size(); ++i) {
    EXPECT_EQ(a.entries[i].sequence, b.entries[i].sequence);
    EXPECT_EQ(a.entries[i].first, b.entries[i].first);
    EXPECT_EQ(a.entries[i].last, b.entries[i].last);
    EXPECT_EQ(a.entries[i].boundary, b.entries[i].boundary);
    EXPECT_EQ(a.entries[i].time, b.entries[i].time);
    EXPECT_EQ(a.entries[i].hash, b.entries[i].hash);
  }
  ASSERT_EQ(a.marks.size(), b.marks.size());
  for (std::size_t i = 0; i < a.marks.size(); ++i) {
    EXPECT_EQ(a.marks[i].offset, b.marks[i].offset);
    EXPECT_EQ(a.marks[i].wall, b.marks[i].wall);
    EXPECT_EQ(a.marks[i].mono, b.marks[i].mono);
  }
  ASSERT_EQ(a.dangers.size(), b.dangers.size());
  for (std::size_t i = 0; i < a.dangers.size(); ++i) {
    EXPECT_EQ(a.dangers[i].kind, b.dangers[i].kind);
    EXPECT_EQ(a.dangers[i].before, b.dangers[i].before);
    EXPECT_EQ(a.dangers[i].last, b.dangers[i].last);
    EXPECT_EQ(a.dangers[i].time, b.dangers[i].time);
    EXPECT_EQ(a.dangers[i].database, b.dangers[i].database);
    EXPECT_EQ(a.dangers[i].keys, b.dangers[i].keys);
    EXPECT_EQ(a.dangers[i].detail, b.dangers[i].detail);
  }
  EXPECT_EQ(a.commands, b.commands);
  EXPECT_EQ(a.key_filter, b.key_filter);
  EXPECT_EQ(a.all_keys_known, b.all_keys_known);
  EXPECT_EQ(a.all_dangers_kept, b.all_dangers_kept);
}

TEST(StreamIndex, RoundTripsExactly) {
  for (std::uint64_t i = 0; i < 2000; ++i) {
    SCOPED_TRACE("seed " + std::to_string(kSeed + i));
    const StreamIndex index = sample(kSeed + i);
    const auto decoded = decode_stream_index(encode_stream_index(index));
    ASSERT_TRUE(decoded.has_value()) << decoded.error().message();
    expect_equal(index, *decoded);
  }
}

TEST(StreamIndex, RefusesEveryTruncatedPrefixAndAnythingAfterItsEnd) {
  for (std::uint64_t i = 0; i < 40; ++i) {
    const Bytes bytes = encode_stream_index(sample(kSeed + i));
    for (std::size_t size = 0; size < bytes.size(); ++size)
      ASSERT_FALSE(decode_stream_index(ByteView(bytes).substr(0, size)).has_value()) << "seed " << kSeed + i;
    ASSERT_FALSE(decode_stream_index(bytes + "x").has_value());
  }
}

TEST(StreamIndex, SurvivesFlippedBytes) {
  std::mt19937_64 random(kSeed);
  for (int i = 0; i < 20000; ++i) {
    Bytes bytes = encode_stream_index(sample(random()));
    bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto decoded = decode_stream_index(bytes);
    if (decoded.has_value()) {
      const auto again = decode_stream_index(encode_stream_index(*decoded));
      ASSERT_TRUE(again.has_value()) << again.error().message();
    }
  }
}

TEST(StreamIndex, AllocatesNothingForADeclaredCount) {
  ByteWriter writer;
  writer.u8(1);
  writer.u8(3);
  writer.varint(kMaxIndexEntries);
  EXPECT_FALSE(decode_stream_index(writer.bytes()).has_value());
}

TEST(StreamIndex, RefusesANewerVersionSayingWhatToInstall) {
  Bytes bytes = encode_stream_index(sample(kSeed));
  bytes[0] = 2;
  const auto decoded = decode_stream_index(bytes);
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().kind(), ErrorKind::kUnsupported);
  EXPECT_NE(decoded.error().hint().find("install"), std::string::npos);
}

}  // namespace
}  // namespace anclora::storage
