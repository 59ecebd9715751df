#include "redis/rdb/rdb_versions.h"

#include <gtest/gtest.h>

namespace anclora::redis {
namespace {

bool loads(const char* magic, const char* info) {
  return loads_rdb(product_of(Info::parse(info)).value(), parse_rdb_magic(magic).value());
}

TEST(RdbVersions, KnowWhichServerLoadsWhich) {
  EXPECT_TRUE(loads("REDIS0010", "redis_version:7.0.15\r\n"));
  EXPECT_TRUE(loads("REDIS0006", "redis_version:7.0.15\r\n"));
  EXPECT_FALSE(loads("REDIS0011", "redis_version:7.0.15\r\n"));
  EXPECT_TRUE(loads("REDIS0011", "redis_version:7.2.4\r\n"));
  EXPECT_FALSE(loads("REDIS0010", "redis_version:6.2.14\r\n"));
  EXPECT_TRUE(loads("REDIS0012", "redis_version:8.4.0\r\n"));
  EXPECT_FALSE(loads("REDIS0013", "redis_version:8.4.0\r\n"));
  EXPECT_TRUE(loads("REDIS0015", "redis_version:9.1.0\r\n"));
  EXPECT_FALSE(loads("REDIS0016", "redis_version:8.10.0\r\n"));
}

TEST(RdbVersions, KeepRedisAndValkeyApart) {
  EXPECT_TRUE(loads("REDIS0011", "redis_version:7.2.4\r\nvalkey_version:8.1.1\r\n"));
  EXPECT_FALSE(loads("REDIS0012", "redis_version:7.2.4\r\nvalkey_version:8.1.1\r\n"));
  EXPECT_TRUE(loads("REDIS0011", "redis_version:7.2.4\r\nvalkey_version:9.0.0\r\n"));
  EXPECT_FALSE(loads("REDIS0012", "redis_version:7.2.4\r\nvalkey_version:9.0.0\r\n"));
  EXPECT_FALSE(loads("VALKEY080", "redis_version:7.2.4\r\nvalkey_version:8.1.1\r\n"));
  EXPECT_TRUE(loads("VALKEY080", "redis_version:7.2.4\r\nvalkey_version:9.0.0\r\n"));
  EXPECT_FALSE(loads("VALKEY080", "redis_version:8.10.0\r\n"));
}

TEST(RdbVersions, TellWhatAServerSaves) {
  EXPECT_EQ(newest_rdb_of({false, {6, 2, 16}}).to_string(), "RDB 9");
  EXPECT_EQ(newest_rdb_of({false, {8, 0, 6}}).to_string(), "RDB 12");
  EXPECT_EQ(newest_rdb_of({true, {8, 0, 1}}).to_string(), "RDB 11");
  EXPECT_EQ(newest_rdb_of({true, {9, 1, 2}}).to_string(), "Valkey RDB 80");
}

TEST(RdbVersions, TellWhoSavedOne) {
  const auto who = [](unsigned rdb, const char* version) {
    return product_of(rdb_magic_of(rdb), version)->to_string();
  };
  EXPECT_EQ(who(10, "7.0.15"), "Redis 7.0.15");
  EXPECT_EQ(who(12, "8.0.6"), "Redis 8.0.6");
  EXPECT_EQ(who(11, "8.1.1"), "Valkey 8.1.1");
  EXPECT_EQ(who(80, "9.1.2"), "Valkey 9.1.2");
  EXPECT_FALSE(product_of(rdb_magic_of(10), "").has_value());
}

TEST(RdbVersions, KnowNothingOfAServerThatDoesNotTellItsVersion) {
  EXPECT_FALSE(product_of(Info::parse("")).has_value());
}

}  // namespace
}  // namespace anclora::redis
