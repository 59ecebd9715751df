#include "redis/rdb/rdb_versions.h"

#include <gtest/gtest.h>

namespace anclora::redis {
namespace {

bool loads(const char* magic, const char* info) {
  return check_rdb_loads(parse_rdb_magic(magic).value(), Info::parse(info)).has_value();
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
  EXPECT_FALSE(loads("REDIS0012", "redis_version:7.2.4\r\nvalkey_version:9.0.0\r\n"));
  EXPECT_FALSE(loads("VALKEY080", "redis_version:7.2.4\r\nvalkey_version:8.1.1\r\n"));
  EXPECT_TRUE(loads("VALKEY080", "redis_version:7.2.4\r\nvalkey_version:9.0.0\r\n"));
  EXPECT_FALSE(loads("VALKEY080", "redis_version:8.10.0\r\n"));
}

TEST(RdbVersions, RefuseAServerThatDoesNotTellItsVersion) { EXPECT_FALSE(loads("REDIS0010", "")); }

}  // namespace
}  // namespace anclora::redis
