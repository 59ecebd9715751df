#include "storage/journal/pack.h"

#include <gtest/gtest.h>

#include <random>

namespace anclora::storage {
namespace {

constexpr std::string_view kName = "sources/default/1/pack/0-9";
constexpr std::string_view kLog = "sources/default/1/log/";

std::string log_name(std::uint64_t sequence) {
  std::string digits = std::to_string(sequence);
  return std::string(kLog) + std::string(20 - digits.size(), '0') + digits;
}

ObjectKey key() { return {Secret(std::string(32, 'k')), Bytes(16, 'r')}; }

LogEntry entry_with(std::uint64_t sequence, std::size_t size) {
  std::mt19937_64 random(sequence);
  LogEntry entry;
  entry.timeline.value = 1;
  entry.sequence = sequence;
  entry.first.value = 1000 * sequence;
  while (entry.bytes.size() < size)
    entry.bytes += "*3\r\n$3\r\nSET\r\n$20\r\n" + std::to_string(random()) + "\r\n$1\r\nx\r\n";
  entry.bytes.resize(size);
  entry.last = entry.first + size;
  entry.boundary = entry.last;
  return entry;
}

struct Pack {
  Bytes object;
  std::vector<Bytes> contents;
  std::vector<Hash256> hashes;
};

// As it is published.
Bytes object_of(const ObjectKey& with, std::uint64_t sequence, const std::vector<CompressedFrame>& frames) {
  SeededRandom random(5);
  ObjectSealer sealer(with, log_name(sequence), 0, random);
  Bytes object = sealer.header();
  for (std::size_t i = 0; i < frames.size(); ++i) object += sealer.seal(frames[i], i + 1 == frames.size());
  return object;
}

Pack write_pack(const std::vector<std::size_t>& sizes, const StreamIndex& index = {}) {
  Pack pack;
  FrameCompressor compressor(FrameTuning::kCommands);
  SeededRandom random(3);
  PackWriter writer(key(), std::string(kLog), 0, compressor, random, [&pack](ByteView bytes) -> Status {
    pack.object += bytes;
    return {};
  });
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    pack.contents.push_back(encode_log_entry(entry_with(i, sizes[i])));
    const auto frames = compressor.compress(pack.contents.back());
    EXPECT_TRUE(frames.has_value());
    pack.hashes.push_back(entry_hash(pack.contents.back(), *frames));
    const bool large = pack.contents.back().size() >= kLargeEntryBytes;
    const Status added = large ? writer.add_object(object_of(key(), i, *frames)) : writer.add(pack.contents.back());
    EXPECT_TRUE(added.has_value());
  }
  EXPECT_TRUE(writer.finish(kName, index).has_value());
  EXPECT_EQ(writer.bytes_written(), pack.object.size());
  return pack;
}

Result<PackTrailer> trailer_of(const Bytes& object) {
  const std::size_t at = object.size() - std::min(object.size(), kPackTrailerBytes);
  return decode_pack_trailer(ByteView(object).substr(at), object.size());
}

Result<std::vector<Bytes>> read_pack(const Bytes& object, std::size_t piece = 100000,
                                     std::vector<Hash256>* hashes = nullptr) {
  ASSIGN_OR_RETURN(const PackTrailer trailer, trailer_of(object));
  std::vector<Bytes> contents;
  PackReader reader(key(), kName, [&](ByteView content, const Hash256& hash) -> Status {
    contents.emplace_back(content);
    if (hashes != nullptr) hashes->push_back(hash);
    return {};
  });
  const ByteView entries = ByteView(object).substr(0, trailer.index_offset);
  for (std::size_t at = 0; at < entries.size(); at += piece) RETURN_IF_ERROR(reader.feed(entries.substr(at, piece)));
  RETURN_IF_ERROR(reader.finish());
  return contents;
}

Result<StreamIndex> read_index(const Bytes& object) {
  ASSIGN_OR_RETURN(const PackTrailer trailer, trailer_of(object));
  return open_pack_index(key(), kName, ByteView(object).substr(trailer.index_offset, trailer.index_bytes));
}

TEST(Pack, GivesBackItsEntriesInOrder) {
  const std::vector<std::vector<std::size_t>> mixes = {{},
                                                       {0},
                                                       {10, 0, 5000},
                                                       {300 * kKiB},
                                                       {300 * kKiB, 400 * kKiB},
                                                       {10, 3 * kMiB + 7, 20, 2 * kMiB, 255 * kKiB, 0},
                                                       std::vector<std::size_t>(60, 100 * kKiB),
                                                       {kMaxEntryBytes}};
  for (const auto& sizes : mixes) {
    const Pack pack = write_pack(sizes);
    std::vector<Hash256> hashes;
    const auto contents = read_pack(pack.object, 100000, &hashes);
    ASSERT_TRUE(contents.has_value()) << contents.error().message();
    EXPECT_EQ(*contents, pack.contents);
    EXPECT_EQ(hashes, pack.hashes);
  }
}

TEST(Pack, IsReadInPiecesOfAnySize) {
  const Pack pack = write_pack({10, 300 * kKiB, 20000, 5});
  for (const std::size_t piece : {std::size_t{1}, std::size_t{13}, std::size_t{4096}, pack.object.size()}) {
    const auto contents = read_pack(pack.object, piece);
    ASSERT_TRUE(contents.has_value()) << contents.error().message();
    EXPECT_EQ(*contents, pack.contents);
  }
}

TEST(Pack, HoldsTheObjectsOfLargeEntriesAsTheyWerePublished) {
  // Frames that this compressor would never make, so that they are recognised when they come back.
  const Bytes content = encode_log_entry(entry_with(0, 600 * kKiB));
  FrameCompressor compressor(FrameTuning::kCommands);
  const auto frames = compressor.compress(content, 100000);
  ASSERT_TRUE(frames.has_value());
  const Bytes published = object_of(key(), 0, *frames);
  Bytes object;
  SeededRandom random(3);
  PackWriter writer(key(), std::string(kLog), 0, compressor, random, [&object](ByteView bytes) -> Status {
    object += bytes;
    return {};
  });
  ASSERT_TRUE(writer.add_object(published).has_value());
  ASSERT_TRUE(writer.finish(kName, {}).has_value());
  EXPECT_NE(object.find(published), Bytes::npos);
  std::vector<Hash256> hashes;
  ASSERT_TRUE(read_pack(object, 100000, &hashes).has_value());
  EXPECT_EQ(hashes, std::vector<Hash256>{entry_hash(content, *frames)});
}

TEST(Pack, TakesNoLargeEntryAmongTheSmallOnes) {
  FrameCompressor compressor(FrameTuning::kCommands);
  SeededRandom random(3);
  PackWriter writer(key(), std::string(kLog), 0, compressor, random, [](ByteView) -> Status { return {}; });
  EXPECT_FALSE(writer.add(Bytes(kLargeEntryBytes, 'x')).has_value());
}

TEST(Pack, RefusesAnEntryInThePlaceOfAnother) {
  const Pack pack = write_pack({300 * kKiB, 400 * kKiB});
  PackReader reader(key(), "sources/default/1/pack/1-9", [](ByteView, const Hash256&) -> Status { return {}; });
  const Status fed = reader.feed(ByteView(pack.object).substr(0, trailer_of(pack.object)->index_offset));
  ASSERT_FALSE(fed.has_value());
  EXPECT_EQ(fed.error().kind(), ErrorKind::kDataLoss);
}

TEST(Pack, CompressesSmallEntriesTogether) {
  const Pack pack = write_pack(std::vector<std::size_t>(500, 2000));
  std::size_t apart = 0;
  SeededRandom random(4);
  for (const Bytes& content : pack.contents) apart += seal_object(key(), kName, content, random)->size();
  EXPECT_LT(pack.object.size() * 5, apart * 4);
}

TEST(Pack, HasAnIndexThatIsReadAlone) {
  StreamIndex index;
  index.commands["SET"] = 42;
  index.dangers.push_back({DangerKind::kFlushAll, {5}, {9}, WallTime(), 3, 0, "x"});
  const auto read = read_index(write_pack({10, 20}, index).object);
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(read->commands, index.commands);
  ASSERT_EQ(read->dangers.size(), 1u);
  EXPECT_EQ(read->dangers[0].before.value, 5u);
}

TEST(Pack, RefusesEveryTruncation) {
  const Bytes object = write_pack({10, 700}).object;
  for (std::size_t size = 0; size < object.size(); ++size) {
    const Bytes cut = object.substr(0, size);
    ASSERT_FALSE(read_pack(cut).has_value()) << size;
    ASSERT_FALSE(read_index(cut).has_value()) << size;
  }
}

TEST(Pack, RefusesEveryFlippedByteInEntriesIndexOrTrailer) {
  const Bytes object = write_pack({10, 700}).object;
  for (std::size_t at = 0; at < object.size(); ++at) {
    Bytes flipped = object;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x20);
    ASSERT_FALSE(read_pack(flipped).has_value() && read_index(flipped).has_value()) << at;
  }
}

TEST(Pack, NeverTakesItsIndexForEntriesNorTheOtherWayRound) {
  const Bytes object = write_pack({10}).object;
  const auto trailer = trailer_of(object);
  ASSERT_TRUE(trailer.has_value());
  EXPECT_FALSE(open_pack_index(key(), kName, ByteView(object).substr(1, trailer->index_offset - 1)).has_value());
}

TEST(Pack, RefusesATrailerThatDoesNotFitTheObject) {
  const Bytes object = write_pack({10}).object;
  const ByteView trailer = ByteView(object).substr(object.size() - kPackTrailerBytes);
  EXPECT_TRUE(decode_pack_trailer(trailer, object.size()).has_value());
  for (const std::uint64_t size : {object.size() - 1, object.size() + 1, std::size_t{0}, kPackTrailerBytes})
    EXPECT_FALSE(decode_pack_trailer(trailer, size).has_value()) << size;
  EXPECT_FALSE(decode_pack_trailer(trailer.substr(1), object.size()).has_value());
  EXPECT_FALSE(decode_pack_trailer({}, object.size()).has_value());
}

TEST(Pack, StopsWithTheErrorOfItsSinkOrReader) {
  FrameCompressor compressor(FrameTuning::kCommands);
  SeededRandom random(3);
  PackWriter writer(key(), std::string(kLog), 0, compressor, random,
                    [](ByteView) -> Status { return Error(ErrorKind::kResourceExhausted, "disk full"); });
  const Status added = writer.add("content");
  ASSERT_FALSE(added.has_value());
  EXPECT_EQ(added.error().kind(), ErrorKind::kResourceExhausted);

  const Pack pack = write_pack({10, 10});
  PackReader reader(key(), kName,
                    [](ByteView, const Hash256&) -> Status { return Error(ErrorKind::kCancelled, "enough"); });
  const Status fed = reader.feed(ByteView(pack.object).substr(0, trailer_of(pack.object)->index_offset));
  ASSERT_FALSE(fed.has_value());
  EXPECT_EQ(fed.error().kind(), ErrorKind::kCancelled);
}

}  // namespace
}  // namespace anclora::storage
