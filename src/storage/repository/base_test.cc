#include <gtest/gtest.h>

#include <algorithm>

#include "storage/repository/base_writer.h"
#include "storage/repository/log_reader.h"
#include "storage/repository/testing/test_source.h"
#include "storage/store/faulty_store.h"
#include "storage/store/memory_store.h"

namespace anclora::storage {
namespace {

template <class T>
ErrorKind kind_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? ErrorKind::kInternal : result.error().kind();
}

class BaseTest : public ::testing::Test {
 protected:
  BaseEncoder encoder(std::uint32_t attempt = 1) {
    return {repository_,   posix_file_system(), folder_ / "spool", "default",
            TimelineId{1}, redis::Offset{77},   attempt,           random_};
  }
  // By both proofs, which must agree.
  Result<Bytes> read(const BaseInfo& base) {
    auto hashed = read(base, BaseReader::Proof::kHash);
    auto summed = read(base, BaseReader::Proof::kChecksum);
    EXPECT_EQ(hashed.has_value(), summed.has_value());
    if (hashed && summed) {
      EXPECT_EQ(*hashed, *summed);
    } else if (!hashed && !summed) {
      EXPECT_EQ(hashed.error().kind(), summed.error().kind());
    }
    return hashed;
  }
  Result<Bytes> read(const BaseInfo& base, BaseReader::Proof proof) {
    ASSIGN_OR_RETURN(BaseReader reader, BaseReader::open(store_, repository_, "default", base, proof));
    Bytes rdb;
    while (true) {
      ASSIGN_OR_RETURN(const std::size_t got, reader.read(rdb));
      if (got == 0) return rdb;
    }
  }

  ManualClock clock_;
  MemoryStore store_{clock_};
  SeededRandom random_{5};
  Repository repository_ = make_plain_repository(store_, clock_, random_);
  TemporaryDirectory folder_;
};

TEST_F(BaseTest, IsReadBackByteForByte) {
  const Bytes rdb = tiny_rdb(SeededRandom(3).bytes(3 * kMiB));
  BaseEncoder writer = encoder();
  for (std::size_t at = 0; at < rdb.size(); at += 100'001)
    ASSERT_TRUE(writer.write(rdb.substr(at, 100'001)).has_value());
  const auto base = writer.finish(clock_.wall_now(), "source", 3);
  ASSERT_TRUE(base.has_value()) << base.error().to_string();
  EXPECT_EQ(base->name, layout::base_name(redis::Offset{77}, 1));
  EXPECT_EQ(base->rdb_bytes, rdb.size());
  EXPECT_EQ(base->redis_version, "7.2.4");
  EXPECT_EQ(base->rdb_version, 11U);
  EXPECT_EQ(base->database, 3U);
  EXPECT_NE(base->rdb_crc64, 0U);
  const auto parts = writer.take_ready();
  EXPECT_TRUE(writer.take_ready().empty());
  EXPECT_EQ(parts.back().object_name, layout::base_manifest("default", TimelineId{1}, base->name));
  for (const auto& part : parts) ASSERT_TRUE(publish_part(store_, posix_file_system(), part).has_value());
  EXPECT_TRUE(posix_file_system().list(folder_ / "spool")->empty());
  EXPECT_EQ(read(*base).value(), rdb);
  EXPECT_EQ(read_base_info(store_, repository_, "default", TimelineId{1}, base->name)->rdb_bytes, rdb.size());
}

TEST_F(BaseTest, IsCutIntoPartsThatMayBePutWhileItIsWritten) {
  SeededRandom noise(9);
  BaseEncoder writer = encoder();
  const Bytes rdb = tiny_rdb(noise.bytes(20 * kMiB));
  ASSERT_TRUE(writer.write(ByteView(rdb).substr(0, 19 * kMiB)).has_value());
  const auto early = writer.take_ready();
  ASSERT_EQ(early.size(), 1U);
  EXPECT_LE(early[0].bytes, kBasePartBytes + kMiB);
  ASSERT_TRUE(publish_part(store_, posix_file_system(), early[0]).has_value());
  ASSERT_TRUE(writer.write(ByteView(rdb).substr(19 * kMiB)).has_value());
  const auto base = writer.finish(clock_.wall_now(), "source", 0);
  ASSERT_TRUE(base.has_value());
  EXPECT_EQ(base->parts, 2U);
  for (const auto& part : writer.take_ready()) ASSERT_TRUE(publish_part(store_, posix_file_system(), part).has_value());
  EXPECT_EQ(read(*base).value(), rdb);
}

TEST_F(BaseTest, AnRdbWithAWrongChecksumIsRefused) {
  Bytes rdb = tiny_rdb("hello");
  rdb[rdb.size() - 12] = static_cast<char>(rdb[rdb.size() - 12] ^ 1);
  BaseEncoder writer = encoder();
  ASSERT_TRUE(writer.write(rdb).has_value());
  EXPECT_EQ(kind_of(writer.finish(clock_.wall_now(), "source", 0)), ErrorKind::kDataLoss);
  BaseEncoder cut = encoder(2);
  ASSERT_TRUE(cut.write(tiny_rdb("hello").substr(0, 30)).has_value());
  EXPECT_EQ(kind_of(cut.finish(clock_.wall_now(), "source", 0)), ErrorKind::kDataLoss);
}

TEST_F(BaseTest, APartIsPutOnceAndARetryFindsItsOwn) {
  BaseEncoder writer = encoder();
  ASSERT_TRUE(writer.write(tiny_rdb("hello")).has_value());
  const BaseInfo base = writer.finish(clock_.wall_now(), "source", 0).value();
  const auto parts = writer.take_ready();
  FaultyStore faulty(store_, clock_);
  faulty.schedule(1, {StoreFault::Kind::kErrorAfter});
  EXPECT_EQ(kind_of(publish_part(faulty, posix_file_system(), parts[0])), ErrorKind::kUnavailable);
  EXPECT_TRUE(publish_part(faulty, posix_file_system(), parts[0]).has_value());
  store_.overwrite(parts[1].object_name, "other bytes");
  EXPECT_EQ(kind_of(publish_part(faulty, posix_file_system(), parts[1])), ErrorKind::kDataLoss);
  EXPECT_EQ(store_.get(parts[1].object_name, kMiB).value(), "other bytes");
}

TEST_F(BaseTest, MissingSwappedAndForeignPartsAreReported) {
  SeededRandom noise(9);
  const Bytes rdb = tiny_rdb(noise.bytes(17 * kMiB));
  BaseEncoder writer = encoder();
  ASSERT_TRUE(writer.write(rdb).has_value());
  BaseInfo base = writer.finish(clock_.wall_now(), "source", 0).value();
  for (const auto& part : writer.take_ready()) ASSERT_TRUE(publish_part(store_, posix_file_system(), part).has_value());
  const std::string first = layout::base_part("default", TimelineId{1}, base.name, 0);
  const std::string second = layout::base_part("default", TimelineId{1}, base.name, 1);
  const Bytes whole = store_.get(second, 64 * kMiB).value();
  store_.overwrite(second, store_.get(first, 64 * kMiB).value());
  EXPECT_EQ(kind_of(read(base)), ErrorKind::kDataLoss);
  store_.overwrite(second, whole.substr(0, whole.size() / 2));
  EXPECT_EQ(kind_of(read(base)), ErrorKind::kDataLoss);
  ASSERT_TRUE(store_.remove(second).has_value());
  EXPECT_EQ(kind_of(read(base)), ErrorKind::kNotFound);
  store_.overwrite(second, whole);
  EXPECT_EQ(read(base).value(), rdb);
  base.rdb_crc64 ^= 1;
  EXPECT_EQ(kind_of(BaseReader::open(store_, repository_, "default", base)), ErrorKind::kDataLoss);
}

// The frames open, since they were sealed for this very place.
TEST_F(BaseTest, PartsThatHoldAnotherRdbAreFoundByEitherProof) {
  const Bytes noise = SeededRandom(9).bytes(100'000);
  Bytes other = noise;
  other[50'000] = static_cast<char>(other[50'000] ^ 1);
  BaseEncoder writer = encoder();
  ASSERT_TRUE(writer.write(tiny_rdb(noise)).has_value());
  const BaseInfo base = writer.finish(clock_.wall_now(), "source", 0).value();
  const auto parts = writer.take_ready();
  ASSERT_TRUE(publish_part(store_, posix_file_system(), parts.back()).has_value());  // its manifest
  BaseEncoder again = encoder();
  ASSERT_TRUE(again.write(tiny_rdb(other)).has_value());
  ASSERT_TRUE(again.finish(clock_.wall_now(), "source", 0).has_value());
  ASSERT_TRUE(publish_part(store_, posix_file_system(), again.take_ready().front()).has_value());
  const auto hashed = read(base, BaseReader::Proof::kHash);
  const auto summed = read(base, BaseReader::Proof::kChecksum);
  ASSERT_FALSE(hashed.has_value());
  ASSERT_FALSE(summed.has_value());
  EXPECT_NE(hashed.error().message().find("do not have the hash"), std::string::npos);
  EXPECT_NE(summed.error().message().find("do not have the checksum"), std::string::npos);
}

// rdbchecksum no: there is only the hash then.
TEST_F(BaseTest, ARdbWithoutAChecksumIsReadBack) {
  Bytes rdb = tiny_rdb("hello");
  std::fill(rdb.end() - 8, rdb.end(), '\0');
  BaseEncoder writer = encoder();
  ASSERT_TRUE(writer.write(rdb).has_value());
  const BaseInfo base = writer.finish(clock_.wall_now(), "source", 0).value();
  EXPECT_EQ(base.rdb_crc64, 0U);
  for (const auto& part : writer.take_ready()) ASSERT_TRUE(publish_part(store_, posix_file_system(), part).has_value());
  EXPECT_EQ(read(base).value(), rdb);
}

}  // namespace
}  // namespace anclora::storage
