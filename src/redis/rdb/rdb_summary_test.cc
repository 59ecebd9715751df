#include "redis/rdb/rdb_summary.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "redis/rdb/crc64.h"

namespace anclora::redis {
namespace {

Bytes with_checksum(Bytes rdb) {
  ByteWriter crc;
  crc.u64(crc64(0, rdb));
  return rdb + crc.bytes();
}

// What Redis 7 writes: AUX fields, then a database with one key.
Bytes small_rdb(std::string_view magic = "REDIS0010") {
  Bytes rdb(magic);
  const auto aux = [&](std::string_view name, std::string_view value) {
    rdb.push_back('\xfa');
    rdb.push_back(static_cast<char>(name.size()));
    rdb.append(name);
    rdb.append(value);
  };
  aux("redis-ver",
      "\x06"
      "7.0.15");
  aux("redis-bits", std::string_view("\xc0\x40", 2));
  aux("ctime", std::string_view("\xc2\x80\xcb\x24\x69", 5));
  aux("used-mem", std::string_view("\xc2\x00\x00\x10\x00", 5));
  aux("repl-stream-db", std::string_view("\xc0\x03", 2));
  aux("repl-id",
      "\x28"
      "0123456789abcdef0123456789abcdef01234567");
  aux("repl-offset",
      "\x0a"
      "5000000000");
  rdb.append(std::string_view("\xfe\x00\xfb\x01\x00\x00\x01k\x01v\xff", 11));
  return rdb;
}

Result<RdbFacts> summarize(ByteView bytes, std::size_t piece) {
  RdbSummary summary;
  for (std::size_t at = 0; at < bytes.size(); at += piece) RETURN_IF_ERROR(summary.feed(bytes.substr(at, piece)));
  return summary.finish();
}

TEST(RdbSummary, ReadsMagicAuxFieldsAndChecksumInPiecesOfAnySize) {
  const Bytes rdb = with_checksum(small_rdb());
  for (std::size_t piece = 1; piece <= rdb.size(); ++piece) {
    const Result<RdbFacts> facts = summarize(rdb, piece);
    ASSERT_TRUE(facts.has_value()) << piece << ": " << facts.error().to_string();
    EXPECT_EQ(facts->magic.version, 10U);
    EXPECT_FALSE(facts->magic.valkey);
    EXPECT_EQ(facts->aux.redis_version, "7.0.15");
    EXPECT_EQ(facts->aux.created_unix_seconds, 0x6924cb80);
    EXPECT_EQ(facts->aux.used_memory_bytes, 0x100000U);
    EXPECT_EQ(facts->aux.stream_database, 3U);
    EXPECT_EQ(facts->aux.replication_id, "0123456789abcdef0123456789abcdef01234567");
    EXPECT_EQ(facts->aux.replication_offset, Offset{5'000'000'000});
    EXPECT_EQ(facts->checksum, RdbChecksum::kVerified);
    EXPECT_EQ(facts->size_bytes, rdb.size());
  }
}

TEST(RdbSummary, RefusesEveryFlippedByte) {
  const Bytes rdb = with_checksum(small_rdb());
  for (std::size_t at = 0; at < rdb.size(); ++at) {
    Bytes flipped = rdb;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    const Result<RdbFacts> facts = summarize(flipped, 7);
    ASSERT_FALSE(facts.has_value()) << at;
    EXPECT_EQ(facts.error().kind(), ErrorKind::kDataLoss);
  }
}

TEST(RdbSummary, RefusesEveryTruncation) {
  const Bytes rdb = with_checksum(small_rdb());
  for (std::size_t size = 0; size < rdb.size(); ++size)
    ASSERT_FALSE(summarize(ByteView(rdb).substr(0, size), 16).has_value()) << size;
}

TEST(RdbSummary, SaysWhenNoChecksumWasRecorded) {
  const Result<RdbFacts> facts = summarize(small_rdb() + Bytes(8, '\0'), 5);
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->checksum, RdbChecksum::kNotRecorded);
}

TEST(RdbSummary, KnowsValkeyAndVersionsNewerThanAnyItCanParse) {
  const Result<RdbFacts> valkey = summarize(with_checksum(small_rdb("VALKEY080")), 64);
  ASSERT_TRUE(valkey.has_value());
  EXPECT_TRUE(valkey->magic.valkey);
  EXPECT_EQ(valkey->magic.version, 80U);
  EXPECT_EQ(summarize(with_checksum(small_rdb("REDIS0099")), 64)->magic.version, 99U);
  EXPECT_FALSE(summarize(with_checksum(small_rdb("REDIX0010")), 64).has_value());
  EXPECT_FALSE(summarize(with_checksum(small_rdb("REDIS00-1")), 64).has_value());
}

TEST(RdbSummary, AcceptsAVersionBeforeChecksums) {
  const Result<RdbFacts> facts = summarize("REDIS0002\xff", 3);
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->checksum, RdbChecksum::kNone);
}

TEST(RdbSummary, StaysFlatOverAnAuxFieldThatNeverEnds) {
  RdbSummary summary;
  ASSERT_TRUE(summary.feed("REDIS0011").has_value());
  ASSERT_TRUE(summary.feed("\xfa\x7f\xff").has_value());  // a name of 16383 bytes
  SeededRandom random(3);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(summary.feed(random.bytes(10'000)).has_value());
  EXPECT_FALSE(summary.finish().has_value());
}

}  // namespace
}  // namespace anclora::redis
