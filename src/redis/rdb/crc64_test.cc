#include "redis/rdb/crc64.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace anclora::redis {
namespace {

constexpr std::uint64_t kCheck = 0xe9c6d914c4b8d9ca;

// One bit at a time, straight from the definition.
std::uint64_t crc64_by_bits(std::uint64_t crc, ByteView bytes) {
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x95ac9329ac4bc9b5ULL : 0);
  }
  return crc;
}

TEST(Crc64, GivesThePublishedCheckValue) {
  EXPECT_EQ(crc64(0, "123456789"), kCheck);
  EXPECT_EQ(crc64_ways::by_tables(0, "123456789"), kCheck);
  EXPECT_EQ(crc64(0, ""), 0U);
}

TEST(Crc64, AgreesWithItsDefinitionByEveryWayAndAtEveryAlignment) {
  SeededRandom random(20261124);
  const Bytes bytes = random.bytes(8192);
  for (int round = 0; round < 2000; ++round) {
    const std::size_t from = static_cast<std::size_t>(random.below(64));
    const std::size_t size = static_cast<std::size_t>(random.below(round % 4 == 0 ? 8000 : 700));
    const std::uint64_t start = round % 3 == 0 ? 0 : random.next_u64();
    const ByteView view = ByteView(bytes).substr(from, size);
    const std::uint64_t expected = crc64_by_bits(start, view);
    ASSERT_EQ(crc64_ways::by_tables(start, view), expected) << from << " " << size;
    ASSERT_EQ(crc64(start, view), expected) << from << " " << size;
    if (crc64_ways::has_carryless_multiply()) {
      ASSERT_EQ(crc64_ways::by_carryless_multiply(start, view), expected) << from << " " << size;
    }
  }
}

TEST(Crc64, IsTheSameInPieces) {
  SeededRandom random(7);
  const Bytes bytes = random.bytes(100'000);
  const std::uint64_t whole = crc64(0, bytes);
  std::uint64_t pieces = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t size = static_cast<std::size_t>(random.below(3000));
    pieces = crc64(pieces, ByteView(bytes).substr(at, size));
    at += size;
  }
  EXPECT_EQ(pieces, whole);
}

TEST(Crc64, CombinesTheChecksumsOfTwoParts) {
  SeededRandom random(11);
  const Bytes bytes = random.bytes(5000);
  for (int round = 0; round < 200; ++round) {
    const std::size_t cut = static_cast<std::size_t>(random.below(bytes.size() + 1));
    const ByteView first = ByteView(bytes).substr(0, cut);
    const ByteView second = ByteView(bytes).substr(cut);
    ASSERT_EQ(crc64_combine(crc64(0, first), crc64(0, second), second.size()), crc64(0, bytes)) << cut;
  }
}

}  // namespace
}  // namespace anclora::redis
