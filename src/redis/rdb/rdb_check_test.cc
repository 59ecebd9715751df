#include "redis/rdb/rdb_check.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "redis/rdb/crc64.h"

namespace anclora::redis {
namespace {

const WallTime kNow = WallTime(std::chrono::seconds(1'800'000'000));

std::string text(std::string_view value) {
  std::string out(1, static_cast<char>(value.size()));
  return out + std::string(value);
}

// A key of every layout, as rdb.c writes them.
Bytes rdb_of_every_layout() {
  using namespace std::string_literals;
  Bytes rdb = "REDIS0012";
  rdb += "\xfa"s + text("redis-ver") + text("7.4.0");
  rdb += "\xf7"s + "\x81\x00\x08\x20\x82\x8e\x7e\xc0\x01\x02\x02\x01\x05\x00"s;  // module AUX, one integer
  rdb += "\xf5"s + text("#!lua name=a\n");
  rdb += "\xfe\x00\xfb\x05\x01"s;
  rdb += "\x00"s + text("s") + text("v");
  rdb += "\x00"s + text("i8") + "\xc0\xff"s;
  rdb += "\x00"s + text("lzf") + "\xc3\x05\x14\x00"s + "a\xe0\x0a\x00"s;  // one "a", then a copy of 19
  rdb += "\xfd\x00\x00\x00\x01\x01"s + text("list") + "\x02"s + text("a") + text("b");
  rdb += "\x02"s + text("set") + "\x01"s + text("m");
  rdb += "\x03"s + text("z1") + "\x02"s + text("m") + text("1.5") + text("n") + "\xfe"s;
  rdb += "\xfc\x00\x00\x00\x00\x00\x00\x00\x7f\x04"s + text("h") + "\x01"s + text("f") + text("v");
  rdb += "\xf9\x07\x05"s + text("z2") + "\x01"s + text("m") + "12345678"s;
  rdb += "\xf8\x03\x10"s + text("hl") + text("listpack");
  rdb += "\xfe\x0f"s;
  rdb += "\x07"s + text("mod") +
         "\x05\x02\x80\x00\x00\x00\x07\x03"
         "1234"
         "\x04"
         "12345678"
         "\x05"s +
         text("x") + "\x00"s;
  rdb += "\x12"s + text("ql") + "\x02\x02"s + text("lp") + "\x01"s + text("big");
  // Stream of type 21: a node, lengths, a group with one pending entry and one consumer.
  rdb += "\x15"s + text("st") + "\x01"s + text("0123456789abcdef") + text("lp") +
         "\x01\x05\x01"
         "\x05\x01\x00\x00\x01"
         "\x01"s;
  rdb += text("g") +
         "\x05\x01\x01"
         "\x01"
         "0123456789abcdef"
         "12345678"
         "\x01"
         "\x01"s +
         text("c");
  rdb +=
      "12345678"
      "12345678"
      "\x01"
      "0123456789abcdef"s;
  rdb += "\x18"s + text("hm") +
         "12345678"
         "\x01\x05"s +
         text("f") + text("v");
  rdb += "\x19"s + text("hx") + "12345678"s + text("listpack");
  rdb += "\xff"s;
  return rdb;
}

Bytes with_checksum(Bytes rdb) {
  ByteWriter crc;
  crc.u64(crc64(0, rdb));
  return rdb + crc.bytes();
}

RdbReport report_of(ByteView bytes) {
  MemoryByteSource input(bytes);
  Result<RdbReport> report = check_rdb(input, kNow);
  EXPECT_TRUE(report.has_value());
  return *report;
}

TEST(RdbCheck, WalksEveryLayoutAndCountsByDatabaseAndType) {
  const Bytes rdb = with_checksum(rdb_of_every_layout());
  const RdbReport report = report_of(rdb);
  ASSERT_FALSE(report.problem.has_value()) << report.problem->to_string();
  EXPECT_EQ(report.keys(), 14U);
  EXPECT_EQ(report.databases.at(0).keys, 9U);
  EXPECT_EQ(report.databases.at(0).expires, 2U);
  EXPECT_EQ(report.databases.at(0).already_expired, 1U);
  EXPECT_EQ(report.databases.at(15).keys, 5U);
  EXPECT_EQ(report.keys_by_type.at("hash"), 4U);
  EXPECT_EQ(report.keys_by_type.at("stream"), 1U);
  EXPECT_EQ(report.hashes_with_field_expiries, 2U);
  EXPECT_EQ(report.functions, 1U);
  EXPECT_EQ(report.modules.size(), 2U);
  EXPECT_EQ(report.aux.redis_version, "7.4.0");
  EXPECT_EQ(report.checksum, RdbChecksum::kVerified);
  EXPECT_EQ(report.size_bytes, rdb.size());
}

TEST(RdbCheck, NamesTheByteWhereAFileIsCut) {
  const Bytes rdb = with_checksum(rdb_of_every_layout());
  for (std::size_t size = 0; size < rdb.size(); ++size) {
    const RdbReport report = report_of(ByteView(rdb).substr(0, size));
    ASSERT_TRUE(report.problem.has_value()) << size;
    EXPECT_EQ(report.problem->kind(), ErrorKind::kDataLoss);
  }
  EXPECT_NE(report_of(ByteView(rdb).substr(0, 100)).problem->message().find("byte 100"), std::string::npos);
}

TEST(RdbCheck, FindsEveryFlippedByte) {
  const Bytes rdb = with_checksum(rdb_of_every_layout());
  for (std::size_t at = 0; at < rdb.size(); ++at)
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes flipped = rdb;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      ASSERT_TRUE(report_of(flipped).problem.has_value()) << at << "." << bit;
    }
}

TEST(RdbCheck, SurvivesRandomBytesAfterAValidHead) {
  SeededRandom random(99);
  for (int round = 0; round < 3000; ++round) {
    const Bytes noise = "REDIS0011" + random.bytes(static_cast<std::size_t>(random.below(400)));
    EXPECT_TRUE(report_of(noise).problem.has_value());
  }
}

TEST(RdbCheck, AllocatesNothingForADeclaredLength) {
  using namespace std::string_literals;
  // A string key of 2^62 bytes, a compressed one that claims to unpack to as much, a list of 2^63 items.
  for (const Bytes& body : {"\x00\x81\x40\x00\x00\x00\x00\x00\x00\x00"s,
                            "\x00\xc3\x81\x40\x00\x00\x00\x00\x00\x00\x00\x81\x40\x00\x00\x00\x00\x00\x00\x00"s,
                            "\x01\x01k\x81\x80\x00\x00\x00\x00\x00\x00\x00"s}) {
    const RdbReport report = report_of("REDIS0011\xfe\x00"s + body + "abc");
    ASSERT_TRUE(report.problem.has_value());
    EXPECT_EQ(report.problem->kind(), ErrorKind::kDataLoss);
  }
}

TEST(RdbCheck, NamesWhatItDoesNotKnowAndWhere) {
  using namespace std::string_literals;
  const RdbReport type = report_of("REDIS0014\xfe\x00\x1f"s + text("k"));
  EXPECT_EQ(type.problem->kind(), ErrorKind::kUnsupported);
  EXPECT_NE(type.problem->message().find("type 31 at byte 11"), std::string::npos) << type.problem->message();
  const RdbReport opcode = report_of("REDIS0013\xf3"s);
  EXPECT_EQ(opcode.problem->kind(), ErrorKind::kUnsupported);
  EXPECT_NE(opcode.problem->message().find("opcode 243 at byte 9"), std::string::npos);
}

TEST(RdbCheck, AcceptsAFileWithoutAChecksumAndSaysSo) {
  const RdbReport report = report_of(rdb_of_every_layout() + Bytes(8, '\0'));
  EXPECT_FALSE(report.problem.has_value());
  EXPECT_EQ(report.checksum, RdbChecksum::kNotRecorded);
}

}  // namespace
}  // namespace anclora::redis
