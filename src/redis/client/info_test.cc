#include "redis/client/info.h"

#include <gtest/gtest.h>

namespace anclora::redis {
namespace {

constexpr std::string_view kInfo =
    "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nconfig_file:\r\nexecutable:/usr/bin/redis:server\r\n"
    "\r\n# Persistence\r\nloading:0\r\nasync_loading:0\r\n"
    "\r\n# Replication\r\nrole:master\r\nconnected_slaves:2\r\n"
    "slave0:ip=10.0.0.1,port=6379,state=online,offset=1400,lag=1\r\n"
    "slave1:ip=::1,port=0,state=wait_bgsave,offset=0,lag=0\r\n"
    "master_replid:8c1f0e0c5e4b3b0d9a9e7a0f7d5a3b2c1d0e9f8a\r\n"
    "master_replid2:0000000000000000000000000000000000000000\r\nmaster_repl_offset:1414\r\nsecond_repl_offset:-1\r\n"
    "repl_backlog_size:1048576\r\n\r\n# Cluster\r\ncluster_enabled:0\r\n"
    "\r\n# Keyspace\r\ndb0:keys=12,expires=3,avg_ttl=0\r\ndb15:keys=1,expires=0,avg_ttl=0,subexpiry=0\r\n";

TEST(Info, KnowsAFailoverThatChoseAReplicaWithoutAPort) {
  const std::string common = "role:slave\r\nmaster_failover_state:failover-in-progress\r\nmaster_host:127.0.0.1\r\n";
  EXPECT_TRUE(Info::parse(common + "master_port:0\r\n").fails_over_to_nobody());
  EXPECT_FALSE(Info::parse(common + "master_port:6379\r\n").fails_over_to_nobody());
  EXPECT_FALSE(Info::parse("role:master\r\nmaster_failover_state:no-failover\r\n").fails_over_to_nobody());
}

TEST(Info, KnowsThePrimaryAndItsOffsets) {
  const Info info = Info::parse(kInfo);
  EXPECT_TRUE(info.is_primary());
  EXPECT_TRUE(info.link_up());
  EXPECT_FALSE(info.loading());
  EXPECT_EQ(info.replid(), "8c1f0e0c5e4b3b0d9a9e7a0f7d5a3b2c1d0e9f8a");
  EXPECT_EQ(info.replid2(), "");
  EXPECT_EQ(info.offset(), Offset{1414});
  EXPECT_FALSE(info.second_offset().has_value());
  EXPECT_EQ(info.number("repl_backlog_size"), 1048576);
  EXPECT_EQ(info.text("executable"), "/usr/bin/redis:server");
  EXPECT_EQ(info.text("config_file"), "");
  EXPECT_FALSE(info.text("absent").has_value());
  EXPECT_FALSE(info.cluster_enabled());
}

TEST(Info, ListsReplicasAndKeyspaces) {
  const Info info = Info::parse(kInfo);
  const auto replicas = info.replicas();
  ASSERT_EQ(replicas.size(), 2u);
  EXPECT_EQ(replicas[0].ip, "10.0.0.1");
  EXPECT_EQ(replicas[0].offset, Offset{1400});
  EXPECT_EQ(replicas[1].ip, "::1");
  EXPECT_EQ(replicas[1].port, 0);
  EXPECT_EQ(replicas[1].state, "wait_bgsave");
  const auto keyspaces = info.keyspaces();
  ASSERT_EQ(keyspaces.size(), 2u);
  EXPECT_EQ(keyspaces[0].keys + keyspaces[1].keys, 13u);
}

TEST(Info, KnowsAReplicaInMidSync) {
  const Info info = Info::parse(
      "# Replication\r\nrole:slave\r\nmaster_link_status:down\r\nmaster_sync_in_progress:1\r\n"
      "master_replid2:8c1f0e0c5e4b3b0d9a9e7a0f7d5a3b2c1d0e9f8a\r\nsecond_repl_offset:77\r\n");
  EXPECT_TRUE(info.is_replica());
  EXPECT_FALSE(info.link_up());
  EXPECT_TRUE(info.syncing());
  EXPECT_EQ(info.replid2(), "8c1f0e0c5e4b3b0d9a9e7a0f7d5a3b2c1d0e9f8a");
  EXPECT_EQ(info.second_offset(), Offset{77});
}

TEST(Info, TellsValkeyFromRedis) {
  EXPECT_EQ(Info::parse(kInfo).product(), "Redis 7.0.15");
  EXPECT_EQ(Info::parse(kInfo).announced_version(), "7.0.15");
  const Info valkey = Info::parse("# Server\nredis_version:7.2.4\nserver_name:valkey\nvalkey_version:8.1.1\n");
  EXPECT_TRUE(valkey.is_valkey());
  EXPECT_EQ(valkey.product(), "Valkey 8.1.1");
  EXPECT_EQ(valkey.announced_version(), "8.1.1");
  EXPECT_EQ(valkey.redis_version(), (Version{7, 2, 4}));
}

TEST(Info, SurvivesAnyText) {
  for (const char* text : {"", "\r\n", ":", "# ", "x", "# Keyspace\r\ndbx:keys=1\r\ndb1:\r\n", "slave0:\r\n"}) {
    const Info info = Info::parse(text);
    EXPECT_FALSE(info.redis_version().has_value());
    EXPECT_FALSE(info.offset().has_value());
    EXPECT_EQ(info.product(), "Redis of unknown version");
  }
}

TEST(Version, ReadsAndCompares) {
  EXPECT_LT(*Version::parse("6.2"), *Version::parse("7.0.0"));
  EXPECT_EQ(Version::parse("255.255.255")->to_string(), "255.255.255");
  EXPECT_EQ(*Version::parse("8.0.0-rc1"), (Version{8, 0, 0}));
  EXPECT_FALSE(Version::parse("unstable").has_value());
}

}  // namespace
}  // namespace anclora::redis
