#include "protect/restore/target_preflight.h"

#include <gtest/gtest.h>

namespace anclora::protect {
namespace {

LiveTargetFacts facts_of(const std::string& info) {
  LiveTargetFacts facts;
  facts.info = redis::Info::parse(info);
  facts.databases = 16;
  facts.modules = std::vector<std::string>{};
  facts.maxmemory_bytes = 0;
  facts.maxmemory_policy = "noeviction";
  return facts;
}

const std::string kPrimary = "redis_version:7.0.15\r\nrole:master\r\ntotal_system_memory:8000000000\r\n";

TargetNeeds needs() {
  TargetNeeds needs;
  needs.rdb_version = 10;
  needs.saved_by = "Redis 7.0.15";
  needs.databases = 16;
  needs.memory_bytes = 1'000'000;
  return needs;
}

std::string fatal(const LiveTargetFacts& facts, const TargetNeeds& wanted) {
  const Status status = refuse_if_fatal(judge_target(facts, wanted), "redis://target");
  return status.has_value() ? std::string() : status.error().to_string();
}

TEST(TargetPreflight, TakesAFittingTarget) {
  EXPECT_EQ(fatal(facts_of(kPrimary), needs()), "");
  EXPECT_TRUE(judge_target(facts_of(kPrimary), needs()).empty());
}

TEST(TargetPreflight, RefusesWithTheReasonAndTheFix) {
  TargetNeeds newer = needs();
  newer.rdb_version = 12;
  newer.saved_by = "Redis 7.4.1";
  EXPECT_NE(fatal(facts_of(kPrimary), newer).find("restore into Redis 7.4.1 or later"), std::string::npos);

  TargetNeeds wide = needs();
  wide.databases = 64;
  EXPECT_NE(fatal(facts_of(kPrimary), wide).find("databases 64"), std::string::npos);

  TargetNeeds modular = needs();
  modular.modules = {"search"};
  EXPECT_NE(fatal(facts_of(kPrimary), modular).find("module search"), std::string::npos);
  modular.modules = {"vectorset"};  // nothing to load there: it comes with a later version
  EXPECT_NE(fatal(facts_of(kPrimary), modular).find("Redis 8.0 or later"), std::string::npos);

  TargetNeeds large = needs();
  large.memory_bytes = 9'000'000'000;
  EXPECT_NE(fatal(facts_of(kPrimary), large).find("larger machine"), std::string::npos);
  LiveTargetFacts limited = facts_of(kPrimary);
  limited.maxmemory_bytes = 500'000;
  EXPECT_NE(fatal(limited, needs()).find("CONFIG SET maxmemory 1250000"), std::string::npos);

  EXPECT_NE(fatal(facts_of("redis_version:7.0.15\r\nrole:slave\r\nmaster_host:h\r\nmaster_port:1\r\n"), needs())
                .find("REPLICAOF NO ONE"),
            std::string::npos);
  EXPECT_NE(fatal(facts_of(kPrimary + "cluster_enabled:1\r\n"), needs()).find("cluster"), std::string::npos);
  EXPECT_NE(fatal(facts_of(kPrimary + "loading:1\r\n"), needs()).find("loading"), std::string::npos);
  EXPECT_NE(fatal(facts_of(kPrimary + "redis_mode:sentinel\r\n"), needs()).find("Sentinel"), std::string::npos);
  LiveTargetFacts watched = facts_of(kPrimary);
  watched.sentinel_watches = true;
  EXPECT_NE(fatal(watched, needs()).find("SENTINEL REMOVE"), std::string::npos);
}

TEST(TargetPreflight, MissesLuaOnlyWhereItIsAModule) {
  TargetNeeds of_valkey = needs();
  of_valkey.modules = {"lua"};
  EXPECT_EQ(fatal(facts_of(kPrimary), of_valkey), "");
  const std::string valkey = "redis_version:7.2.4\r\nrole:master\r\nvalkey_version:";
  EXPECT_EQ(fatal(facts_of(valkey + "9.0.1\r\n"), of_valkey), "");
  EXPECT_NE(fatal(facts_of(valkey + "9.1.2\r\n"), of_valkey).find("module lua"), std::string::npos);
}

TEST(TargetPreflight, NamesValkeyWhereValkeySavedTheBase) {
  RestorePlan plan;
  plan.route.base.rdb_version = 80;
  plan.route.base.redis_version = "9.1.2";
  EXPECT_NE(fatal(facts_of(kPrimary), needs_of(plan, "")).find("restore into Valkey 9.1.2 or later"),
            std::string::npos);
}

TEST(TargetPreflight, JudgesDatabasesByWhatTheDataUsesWhereThatIsKnown) {
  LiveTargetFacts four = facts_of(kPrimary);
  four.databases = 4;
  EXPECT_TRUE(databases_are_in_doubt(four, needs()));
  EXPECT_NE(fatal(four, needs()).find("the source had 16"), std::string::npos);
  TargetNeeds counted = needs();
  counted.databases_used = 4;
  EXPECT_FALSE(databases_are_in_doubt(four, counted));
  EXPECT_EQ(fatal(four, counted), "");
  counted.databases_used = 5;
  EXPECT_NE(fatal(four, counted).find("the data uses 5"), std::string::npos);

  TargetNeeds unknown = needs();
  unknown.databases = 0;
  EXPECT_TRUE(databases_are_in_doubt(facts_of(kPrimary), unknown));
  unknown.databases_used = 40;
  EXPECT_NE(fatal(facts_of(kPrimary), unknown).find("databases 40"), std::string::npos);
  EXPECT_FALSE(databases_are_in_doubt(facts_of(kPrimary), needs()));
}

TEST(TargetPreflight, LooksAtADiskItCanSeeAndSaysWhenItCannot) {
  TargetNeeds large = needs();
  large.rdb_bytes = 5'000'000;
  LiveTargetFacts facts = facts_of(kPrimary);
  facts.directory = "/var/lib/redis";
  facts.saves = true;
  facts.disk_free_bytes = 6'000'000;
  EXPECT_TRUE(judge_target(facts, large).empty());
  facts.disk_free_bytes = 4'000'000;
  EXPECT_NE(fatal(facts, large).find("/var/lib/redis"), std::string::npos);
  facts.saves = false;  // it writes nothing, unless it loads by way of its disk
  EXPECT_EQ(fatal(facts, large), "");
  EXPECT_EQ(judge_target(facts, large).size(), 1u);
  facts.saves = true;
  facts.disk_free_bytes.reset();
  EXPECT_EQ(fatal(facts, large), "");
  ASSERT_EQ(judge_target(facts, large).size(), 1u);
  EXPECT_NE(judge_target(facts, large)[0].what.find("cannot be seen from here"), std::string::npos);
  facts.saves.reset();
  EXPECT_TRUE(judge_target(facts, large).empty());
}

TEST(TargetPreflight, CountsTheStreamWhereItGoesIntoTheTargetsAof) {
  TargetNeeds wanted = needs();
  wanted.rdb_bytes = 100 * kMiB;
  wanted.stream_bytes = 80 * kMiB;
  LiveTargetFacts facts = facts_of(kPrimary);
  facts.directory = "/var/lib/redis";
  facts.saves = true;
  facts.disk_free_bytes = 150 * kMiB;
  EXPECT_TRUE(judge_target(facts, wanted).empty());  // it saves RDB files only
  facts.appends = true;
  EXPECT_NE(fatal(facts, wanted).find("80.0 MiB of it the stream"), std::string::npos) << fatal(facts, wanted);
  EXPECT_NE(fatal(facts, wanted).find("appendonly no"), std::string::npos);
  facts.disk_free_bytes = 190 * kMiB;
  EXPECT_TRUE(judge_target(facts, wanted).empty());
  // An AOF that has doubled is rewritten: how much a long stream takes is not known.
  wanted.stream_bytes = 1000 * kMiB;
  EXPECT_NE(fatal(facts, wanted).find("100.0 MiB of it the stream"), std::string::npos) << fatal(facts, wanted);
  facts.disk_free_bytes = 250 * kMiB;
  EXPECT_EQ(fatal(facts, wanted), "");
  ASSERT_EQ(judge_target(facts, wanted).size(), 1u);
  EXPECT_NE(judge_target(facts, wanted)[0].what.find("unless rewrites"), std::string::npos);
  facts.aof_rewrite_percentage = 0;
  EXPECT_NE(fatal(facts, wanted).find("1000.0 MiB of it the stream"), std::string::npos) << fatal(facts, wanted);
  // A small one is not rewritten before it has 64 MiB.
  wanted.rdb_bytes = kMiB;
  facts.aof_rewrite_percentage = 100;
  facts.disk_free_bytes = 60 * kMiB;
  EXPECT_NE(fatal(facts, wanted).find("63.0 MiB of it the stream"), std::string::npos) << fatal(facts, wanted);
}

TEST(TargetPreflight, WarnsOfEvictionAndOfReplicas) {
  LiveTargetFacts facts = facts_of(kPrimary + "connected_slaves:2\r\n");
  facts.maxmemory_bytes = 4'000'000'000;
  facts.maxmemory_policy = "allkeys-lru";
  const auto findings = judge_target(facts, needs());
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_FALSE(findings[0].fatal);
  EXPECT_NE(findings[0].what.find("allkeys-lru"), std::string::npos);
  EXPECT_NE(findings[1].what.find("2 replicas"), std::string::npos);
}

TEST(TargetPreflight, KnowsWhoLoadsWhichRdb) {
  const auto server = [](const std::string& version, const std::string& valkey = {}) {
    return redis::Info::parse("redis_version:" + version + "\r\n" +
                              (valkey.empty() ? "" : "valkey_version:" + valkey + "\r\n"));
  };
  EXPECT_TRUE(can_load_rdb(server("7.0.15"), 10));
  EXPECT_FALSE(can_load_rdb(server("7.0.15"), 11));
  EXPECT_TRUE(can_load_rdb(server("6.2.14"), 9));
  EXPECT_FALSE(can_load_rdb(server("6.2.14"), 10));
  EXPECT_TRUE(can_load_rdb(server("8.2.0"), 12));
  EXPECT_FALSE(can_load_rdb(server("8.2.0"), 80));
  EXPECT_TRUE(can_load_rdb(server("7.2.4", "8.1.1"), 11));
  EXPECT_FALSE(can_load_rdb(server("7.2.4", "8.1.1"), 12));
  EXPECT_TRUE(can_load_rdb(server("7.2.4", "9.0.0"), 80));
  EXPECT_TRUE(can_load_rdb(server("7.2.4", "9.0.0"), 11));
  EXPECT_FALSE(can_load_rdb(server("7.2.4", "9.0.0"), 12));
}

TEST(TargetPreflight, ReadsWhatTheSourceHadFromTheSideDataOfItsBase) {
  RestorePlan plan;
  plan.route.base.rdb_version = 10;
  const TargetNeeds known = needs_of(plan, R"({"config":{"databases":"32"},"modules":[["name","bf","ver",20612]]})");
  EXPECT_EQ(known.databases, 32u);
  EXPECT_EQ(known.modules, std::vector<std::string>{"bf"});
  for (const char* useless : {"", "{", "[]", R"({"config":7,"modules":{}})", R"({"config":{"databases":16}})"}) {
    const TargetNeeds unknown = needs_of(plan, useless);
    EXPECT_EQ(unknown.databases, 0u) << useless;
    EXPECT_TRUE(unknown.modules.empty());
  }
}

}  // namespace
}  // namespace anclora::protect
