#include "app/doctor/doctor_report.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "redis/testing/redis_server.h"

namespace anclora::app {
namespace {

using redis::RedisServer;
using redis::RedisServerOptions;
using redis::RedisUrl;

DoctorReport examine(const RedisUrl& url) {
  auto report = examine_server(url, system_dialer(), system_clock(), std::chrono::milliseconds(200));
  if (!report) throw std::runtime_error(report.error().to_string());
  return *report;
}

const Finding* find(const DoctorReport& report, std::string_view code) {
  for (const Finding& finding : report.findings) {
    if (finding.code == code) return &finding;
  }
  return nullptr;
}

std::string codes(const DoctorReport& report) {
  std::string all;
  for (const Finding& finding : report.findings) all += finding.code + " ";
  return all;
}

// A server as it should be.
std::vector<std::string> good_config() {
  return {"appendonly yes", "repl-backlog-size 64mb", "maxmemory 1gb", "maxmemory-policy noeviction"};
}

TEST(Doctor, FindsNothingToMendInAWellKeptServer) {
  const auto server = RedisServer::start(good_config());
  const DoctorReport report = examine(server->url());
  EXPECT_EQ(report.exit_code(), 0) << to_text(report);
  EXPECT_NE(find(report, "configuration-file"), nullptr) << codes(report);
  EXPECT_NE(to_text(report).find("This Redis can be protected.\nNext: anclora capture --source redis://127.0.0.1:"),
            std::string::npos);
}

// What differs between two states, a line each, for a failure that names its cause.
std::string difference(const std::map<std::string, std::string>& before,
                       const std::map<std::string, std::string>& after) {
  std::string lines;
  for (const auto& [name, value] : before) {
    const auto found = after.find(name);
    if (found == after.end()) {
      lines += name + ": \"" + value + "\" is gone\n";
    } else if (found->second != value) {
      lines += name + ": \"" + value + "\" became \"" + found->second + "\"\n";
    }
  }
  for (const auto& [name, value] : after) {
    if (!before.contains(name)) lines += name + ": \"" + value + "\" is new\n";
  }
  return lines;
}

// The replica may see its link up before the primary has noticed the end of the save that fed it.
void wait_until_at_rest(RedisServer& server) {
  const MonoTime deadline = system_clock().mono_now() + std::chrono::seconds(150);
  while (server.info().number("rdb_bgsave_in_progress") != 0 ||
         !server.info().text("slave0").value_or("").contains("state=online")) {
    if (system_clock().mono_now() > deadline) throw std::runtime_error("the first sync does not end: " + server.log());
    system_clock().sleep_for(std::chrono::milliseconds(5));
  }
}

TEST(Doctor, ChangesNothingOnTheServer) {
  auto config = good_config();
  config.emplace_back("repl-ping-replica-period 3600");  // a PING of the server's own moves the offset
  const auto server = RedisServer::start(config);
  const auto replica = RedisServer::start({"replicaof 127.0.0.1 " + server->port_text()});
  replica->wait_for_link_up();
  wait_until_at_rest(*server);
  server->command({"SET", "k", "v"});
  const auto state = [&] {
    std::map<std::string, std::string> all;
    const auto settings = server->command({"CONFIG", "GET", "*"}).texts();
    for (std::size_t i = 0; i + 1 < settings.size(); i += 2) all[settings[i]] = settings[i + 1];
    all["(keys)"] = std::to_string(server->command({"DBSIZE"}).integer);
    const auto info = server->info();
    for (const char* name : {"master_repl_offset", "master_replid", "connected_slaves", "sync_full", "rdb_saves",
                             "rdb_bgsave_in_progress", "total_forks", "repl_backlog_active"}) {
      all[name] = info.text(name).value_or("");
    }
    return all;
  };
  const auto before = state();
  const DoctorReport report = examine(server->url());
  EXPECT_EQ(report.facts.psync, Right::kGranted);
  EXPECT_EQ(difference(before, state()), "");
}

TEST(Doctor, ChangesNothingWhenItMustTryWhatItMay) {
  RedisServerOptions options;
  options.config = {"requirepass admin-pw", "user dr on >dr-pw " + acl_line({}).substr(acl_line({}).find("resetkeys")),
                    "user blind on >blind-pw -@all +ping +info", "user half on >half-pw -@all +ping +info +replconf"};
  options.password = "admin-pw";
  const auto server = RedisServer::start(options);
  const auto as = [&](std::string user, std::string password) {
    RedisUrl url = server->url();
    url.user = std::move(user);
    url.password = Secret(std::move(password));
    return url;
  };
  const DoctorReport dr = examine(as("dr", "dr-pw"));
  EXPECT_EQ(dr.facts.psync, Right::kGranted) << codes(dr);
  EXPECT_EQ(dr.facts.replconf, Right::kGranted);
  EXPECT_EQ(dr.facts.config_right, Right::kGranted);
  EXPECT_EQ(find(dr, "user-too-powerful"), nullptr);
  EXPECT_EQ(server->info().number("sync_full"), 0);
  EXPECT_EQ(server->info().number("total_forks"), 0);
  const DoctorReport blind = examine(as("blind", "blind-pw"));
  EXPECT_EQ(blind.exit_code(), 5);
  ASSERT_NE(find(blind, "replication-not-permitted"), nullptr) << codes(blind);
  EXPECT_EQ(find(blind, "replication-not-permitted")->mend.at(0), acl_line(blind.facts));
  EXPECT_NE(find(blind, "settings-hidden"), nullptr);
  EXPECT_EQ(examine(as("half", "half-pw")).facts.psync, Right::kRefused);
  EXPECT_NE(find(examine(as("default", "admin-pw")), "user-too-powerful"), nullptr);
  EXPECT_EQ(examine(as("default", "admin-pw")).facts.psync, Right::kGranted);
}

TEST(Doctor, OffersAnAclLineThatTheServerTakes) {
  const auto server = RedisServer::start();
  std::vector<std::string> words;
  std::istringstream line(acl_line(examine(server->url()).facts));
  for (std::string word; line >> word;) words.push_back(word);
  EXPECT_EQ(server->command(words).text, "OK");
}

// Measured: 6.0.20 answers "Error in ACL SETUSER modifier 'resetchannels': Syntax error".
TEST(Doctor, LeavesChannelsOutOfTheAclLineOfAServerThatDoesNotKnowThem) {
  const auto line_of = [](std::string_view version) {
    ServerFacts facts;
    facts.info = redis::Info::parse("redis_version:" + std::string(version) + "\r\n");
    return acl_line(facts);
  };
  EXPECT_EQ(line_of("6.0.20").find("resetchannels"), std::string::npos);
  EXPECT_NE(line_of("6.2.0").find("resetkeys resetchannels -@all"), std::string::npos);
  EXPECT_NE(line_of("6.0.20").find("resetkeys -@all"), std::string::npos);
}

TEST(Doctor, WarnsOfWhatShouldBeMended) {
  const auto server = RedisServer::start(
      {"maxmemory 50mb", "maxmemory-policy allkeys-lru", "min-replicas-to-write 1", "min-replicas-max-lag 10"});
  const DoctorReport report = examine(server->url());
  EXPECT_EQ(report.exit_code(), 1);
  for (const char* code : {"eviction", "local-persistence-off", "min-replicas-counts-us"}) {
    ASSERT_NE(find(report, code), nullptr) << code;
    EXPECT_EQ(find(report, code)->severity, Severity::kWarning) << code;
    EXPECT_FALSE(find(report, code)->mend.empty());
  }
  // Every line that is a command is one that this server takes.
  for (const Finding& finding : report.findings) {
    for (const std::string& mend : finding.mend) {
      if (!mend.starts_with("CONFIG SET ")) continue;
      const std::size_t space = mend.find(' ', 11);
      std::string value = mend.substr(space + 1);
      if (value.starts_with('"')) value = value.substr(1, value.size() - 2);
      EXPECT_EQ(server->command({"CONFIG", "SET", mend.substr(11, space - 11), value}).text, "OK") << mend;
    }
  }
}

TEST(Doctor, WarnsWhenAofIsSetButNotWrittenToTheFile) {
  const auto server = RedisServer::start(good_config());
  server->command({"CONFIG", "SET", "appendonly", "no"});
  const DoctorReport report = examine(server->url());
  ASSERT_NE(find(report, "aof-not-written"), nullptr) << codes(report);
  server->command({"CONFIG", "REWRITE"});
  EXPECT_EQ(find(examine(server->url()), "aof-not-written"), nullptr);
}

TEST(Doctor, MeasuresHowLongACutTheBacklogSurvives) {
  const auto server = RedisServer::start({"repl-backlog-size 1mb"});
  const auto replica = RedisServer::start({"replicaof 127.0.0.1 " + server->port_text()});
  replica->wait_for_link_up();
  std::atomic<bool> done{false};
  std::atomic<int> written{0};
  std::thread writer([&] {
    const auto client = server->client();
    for (; !done; ++written) ignore_result(client->command({"SET", "k", std::string(100'000, 'x')}));
  });
  DoctorReport report;
  for (int tries = 0; tries < 20; ++tries) {  // once more where this machine did not let it write meanwhile
    while (written == 0) system_clock().sleep_for(std::chrono::milliseconds(1));
    report = examine(server->url());
    const auto& rate = report.facts.write_rate;
    if (rate && !rate->is_upper_bound && rate->bytes_per_second > 1e6) break;
  }
  done = true;
  writer.join();
  ASSERT_TRUE(report.facts.write_rate.has_value());
  EXPECT_FALSE(report.facts.write_rate->is_upper_bound);
  EXPECT_GT(report.facts.write_rate->bytes_per_second, 1e6);
  ASSERT_NE(find(report, "backlog-too-small"), nullptr) << codes(report);
  EXPECT_NE(find(report, "backlog-too-small")->mend.at(0).find("CONFIG SET repl-backlog-size "), std::string::npos);
}

TEST(Doctor, RefusesAReplicaWithoutItsPrimary) {
  const auto replica = RedisServer::start({"replicaof 127.0.0.1 " + std::to_string(redis::free_loopback_port())});
  const DoctorReport report = examine(replica->url());
  EXPECT_EQ(report.exit_code(), 5);
  EXPECT_NE(find(report, "replica-without-primary"), nullptr) << codes(report);
}

TEST(Doctor, TellsARenamedCommandFromAForbiddenOne) {
  const auto server = RedisServer::start({"rename-command PSYNC \"\"", "rename-command CONFIG hidden"});
  const DoctorReport report = examine(server->url());
  EXPECT_EQ(report.exit_code(), 5);
  EXPECT_EQ(report.facts.psync, Right::kMissing);
  EXPECT_NE(find(report, "replication-missing"), nullptr) << codes(report);
  EXPECT_NE(find(report, "managed-service"), nullptr) << codes(report);
  EXPECT_FALSE(report.functions.at(0).works);
}

TEST(Doctor, RecognisesASentinelAndSentinelsAround) {
  const auto server = RedisServer::start();
  const auto client = server->client();
  ASSERT_TRUE(client->command({"SUBSCRIBE", "__sentinel__:hello"}).has_value());
  EXPECT_NE(find(examine(server->url()), "sentinel"), nullptr);
  ServerFacts facts;
  facts.info = redis::Info::parse("# Server\nredis_version:7.0.15\nredis_mode:sentinel\n");
  const DoctorReport report = judge_server(facts);
  EXPECT_EQ(report.exit_code(), 5);
  EXPECT_NE(to_text(report).find("Sentinel"), std::string::npos);
}

TEST(Doctor, WarnsOfAClusterNode) {
  const auto server =
      RedisServer::start({"cluster-enabled yes", "cluster-port " + std::to_string(redis::free_loopback_port())});
  const DoctorReport report = examine(server->url());
  ASSERT_NE(find(report, "cluster"), nullptr) << codes(report);
}

TEST(Doctor, JudgesOldVersionsAndMachinesWithoutRoom) {
  ServerFacts facts;
  facts.info = redis::Info::parse(
      "# Server\nredis_version:3.2.1\n# Memory\nused_memory:900\nused_memory_rss:900\ntotal_system_memory:1000\n"
      "maxmemory:950\nmaxmemory_policy:noeviction\n# Persistence\nrdb_last_bgsave_status:err\naof_enabled:1\n"
      "aof_last_write_status:err\n# Replication\nrole:master\n");
  facts.overcommit_memory = 0;
  const DoctorReport report = judge_server(facts);
  EXPECT_EQ(report.exit_code(), 5);
  for (const char* code :
       {"version-too-old", "fork-headroom", "overcommit", "memory-nearly-full", "last-save-failed", "aof-failed"}) {
    ASSERT_NE(find(report, code), nullptr) << code;
    EXPECT_GE(find(report, code)->severity, Severity::kWarning) << code;
  }
}

TEST(Doctor, WarnsWhenABaseWouldOverflowTheOutputBuffer) {
  ServerFacts facts;
  facts.info = redis::Info::parse("# Server\nredis_version:7.0.15\n# Memory\nused_memory:8000000000\n");
  facts.config["client-output-buffer-limit"] = "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60";
  facts.write_rate = WriteRate{5e6, false};
  ASSERT_NE(find(judge_server(facts), "output-buffer-too-small"), nullptr);
  facts.write_rate = WriteRate{1e3, false};
  EXPECT_EQ(find(judge_server(facts), "output-buffer-too-small"), nullptr);
  EXPECT_NE(find(judge_server(facts), "output-buffer"), nullptr);
}

TEST(Doctor, GuessesAManagedServiceByItsHost) {
  ServerFacts facts;
  facts.url = "rediss://app@prod.abc.euc1.cache.amazonaws.com:6379";
  EXPECT_EQ(managed_service(facts), "Amazon ElastiCache");
  facts.url = "redis://10.0.0.1:6379";
  EXPECT_EQ(managed_service(facts), "");
}

TEST(Doctor, PrintsJsonWithStableNames) {
  const auto server = RedisServer::start(good_config());
  const auto json = nlohmann::json::parse(to_json(examine(server->url())));
  EXPECT_EQ(json["verdict"], "ready");
  EXPECT_EQ(json["exit_code"], 0);
  EXPECT_EQ(json["role"], "primary");
  EXPECT_TRUE(json["findings"].at(0).contains("mend"));
  EXPECT_EQ(json["functions"].at(0)["works"], true);
}

TEST(Doctor, NeverPrintsASecret) {
  RedisServerOptions options;
  options.config = {"requirepass visible-pw", "masterauth visible-pw"};
  options.password = "visible-pw";
  const auto server = RedisServer::start(options);
  const DoctorReport report = examine(server->url());
  EXPECT_EQ((to_text(report) + to_json(report)).find("visible-pw"), std::string::npos);
  for (const auto& [name, value] : report.facts.config) EXPECT_EQ(value.find("visible-pw"), std::string::npos) << name;
}

TEST(Doctor, PassesOnWhyItCannotConnect) {
  RedisUrl url;
  url.endpoint = {"127.0.0.1", redis::free_loopback_port()};
  const auto report = examine_server(url, system_dialer(), system_clock());
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().kind(), ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace anclora::app
