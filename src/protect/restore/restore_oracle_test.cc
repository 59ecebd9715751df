// The oracle: a redis-server that executed the same prefix of the stream by itself, as the increment of its own AOF.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>

#include "base/posix_file_system.h"
#include "base/testing/tls_authority.h"
#include "protect/restore/directory_target.h"
#include "protect/restore/live_target.h"
#include "protect/restore/rdb_target.h"
#include "protect/restore/scratch_base.h"
#include "protect/testing/random_workload.h"
#include "protect/testing/raw_replica.h"
#include "protect/testing/source_builder.h"
#include "redis/testing/redis_server.h"

namespace anclora::protect {
namespace {

using redis::Offset;
using redis::RedisServer;
using storage::Position;
using storage::TimelineId;

// What capture keeps beside a base: the source's setting is known, so that nothing need be counted.
constexpr const char* kSide = R"({"config":{"databases":"16"}})";

WallTime at(std::int64_t seconds) { return WallTime(std::chrono::seconds(1'790'000'000 + seconds)); }

class BoundaryCollector final : public redis::CommandVisitor {
 public:
  void on_command(const redis::Command& command) override {
    if (command.at_boundary) boundaries.push_back(command.last);
  }
  std::vector<Offset> boundaries;
};

// What a real source sent, and the same in a repository, in entries and packs of random sizes.
struct Recording {
  std::unique_ptr<RedisServer> server = RedisServer::start();
  std::unique_ptr<RawReplica> replica;
  std::vector<Offset> boundaries;
  SourceBuilder source;

  Recording(std::uint64_t seed, int before, int after) {
    RandomWorkload workload(seed);
    const auto client = server->client();
    workload.run(*client, before);
    replica = std::make_unique<RawReplica>(*server);
    workload.run(*client, after);
    replica->catch_up();
    redis::StreamState start;
    start.offset = start.boundary = replica->base_offset();
    redis::CommandParser parser(start);
    BoundaryCollector collector;
    EXPECT_TRUE(parser.feed(replica->stream(), collector).has_value());
    boundaries = std::move(collector.boundaries);
    store(seed);
  }

  void store(std::uint64_t seed) {
    SeededRandom random(seed);
    source.open_timeline(replica->base_offset(), at(0));
    source.base(replica->rdb(), at(0));
    ByteView rest = replica->stream();
    for (int i = 1; !rest.empty(); ++i) {
      const std::size_t size = std::min<std::size_t>(rest.size(), 1 + random.below(20000));
      source.stream(rest.substr(0, size), at(i));
      rest.remove_prefix(size);
      if (random.below(3) == 0) source.seal();
      if (random.below(8) == 0 && source.end() > replica->base_offset()) source.pack();
    }
    source.seal();
  }

  ByteView prefix(Offset offset) const {
    return ByteView(replica->stream()).substr(0, offset - replica->base_offset());
  }
};

void write_file(const std::string& path, ByteView bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::string digest(RedisServer& server) { return server.command({"DEBUG", "DIGEST"}).text; }

std::string digest_of_directory(const std::string& path) {
  const auto server = RedisServer::start({"dir " + path, "appendonly yes"});
  return digest(*server);
}

std::string oracle_digest(const Recording& recording, Offset offset) {
  const TemporaryDirectory folder;
  const std::string aof = folder / "appendonlydir";
  EXPECT_TRUE(posix_file_system().create_directories(aof).has_value());
  write_file(aof + "/appendonly.aof.1.base.rdb", recording.replica->rdb());
  write_file(aof + "/appendonly.aof.1.incr.aof", recording.prefix(offset));
  write_file(aof + "/appendonly.aof.manifest",
             "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n");
  return digest_of_directory(folder.path());
}

RestoreTools tools() { return {posix_file_system(), system_clock(), system_random(), system_dialer(), {}}; }

// A plan and its input for an offset of timeline 1.
struct Job {
  RestorePlan plan;
  RestoreInput input;
  Job(SourceBuilder& source, Offset offset) {
    const SourceView view = source.view();
    const auto point = resolve(view, WhenOffset{std::nullopt, offset}, at(100000));
    if (!point.has_value()) throw std::runtime_error(point.error().to_string());
    const auto made = make_restore_plan(view.state, *point);
    if (!made.has_value()) throw std::runtime_error(made.error().to_string());
    plan = *made;
    input = {&source.store(), &source.repository(), view.state, plan.route};
  }
};

std::string restored_directory_digest(Recording& recording, Offset offset) {
  const TemporaryDirectory folder;
  Job job(recording.source, offset);
  const auto outcome =
      restore_to_directory(std::move(job.input), posix_file_system(), system_random(), folder / "data", {});
  EXPECT_TRUE(outcome.has_value()) << outcome.error().to_string();
  return digest_of_directory(folder / "data");
}

std::string restored_rdb_digest(Recording& recording, Offset offset) {
  const TemporaryDirectory folder;
  Job job(recording.source, offset);
  ScratchSettings settings;
  settings.work_directory = folder.path();
  const auto outcome = restore_to_rdb(std::move(job.input), job.plan, {folder / "dump.rdb", {}}, settings, tools(), {});
  EXPECT_TRUE(outcome.has_value()) << outcome.error().to_string();
  const auto server = RedisServer::start({"dir " + folder.path(), "dbfilename dump.rdb"});
  return digest(*server);
}

struct LiveResult {
  std::string digest;
  RestoreOutcome outcome;
};

LiveResult restored_live(Recording& recording, Offset offset, RedisServer& target) {
  Job job(recording.source, offset);
  LiveTargetOptions options;
  options.target = target.url();
  const TargetNeeds needs = needs_of(job.plan, kSide);
  auto outcome = restore_to_live(std::move(job.input), job.plan, needs, options, system_dialer(), tools(), {});
  EXPECT_TRUE(outcome.has_value()) << outcome.error().to_string();
  return {digest(target), outcome.value_or(RestoreOutcome{})};
}

class RestoreOracle : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RestoreOracle, EveryTargetHoldsWhatAServerHoldsThatExecutedTheSamePrefix) {
  const std::uint64_t seed = GetParam();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Recording recording(seed, 300, 2500);
  SeededRandom random(seed);
  ASSERT_GT(recording.boundaries.size(), 500u);
  std::vector<Offset> chosen = {recording.replica->base_offset(), recording.boundaries.back()};
  for (int i = 0; i < 3; ++i) chosen.push_back(recording.boundaries[random.below(recording.boundaries.size())]);
  for (const Offset offset : chosen) {
    SCOPED_TRACE("offset " + std::to_string(offset.value));
    const std::string expected = oracle_digest(recording, offset);
    ASSERT_EQ(expected.size(), 40u);
    EXPECT_EQ(restored_directory_digest(recording, offset), expected);
    EXPECT_EQ(restored_rdb_digest(recording, offset), expected);
    const auto target = RedisServer::start();
    EXPECT_EQ(restored_live(recording, offset, *target).digest, expected);
  }
  EXPECT_NE(oracle_digest(recording, chosen[0]), oracle_digest(recording, chosen[1]));
  // And the last of them is what the source itself holds.
  EXPECT_EQ(oracle_digest(recording, recording.boundaries.back()), digest(*recording.server));
}

// ANCLORA_ORACLE_SEEDS="100 120" tries those from 100 to 119 instead.
std::vector<std::uint64_t> seeds() {
  const char* asked = std::getenv("ANCLORA_ORACLE_SEEDS");
  std::uint64_t from = 1;
  std::uint64_t to = 4;
  if (asked != nullptr) std::istringstream(asked) >> from >> to;
  std::vector<std::uint64_t> all;
  for (; from < to; ++from) all.push_back(from);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Seeds, RestoreOracle, testing::ValuesIn(seeds()));

TEST(LiveTarget, ChecksWhileStillAReplicaPromotesLastAndPutsTheSettingsBack) {
  Recording recording(11, 100, 400);
  const auto target = RedisServer::start({"repl-diskless-load disabled", "rdbcompression yes", "appendonly yes"});
  const LiveResult result = restored_live(recording, recording.boundaries.back(), *target);
  EXPECT_EQ(result.digest, digest(*recording.server));
  const redis::Info info = target->info();
  EXPECT_TRUE(info.is_primary());
  EXPECT_EQ(target->command({"CONFIG", "GET", "repl-diskless-load"}).elements[1].text, "disabled");
  EXPECT_EQ(target->command({"CONFIG", "GET", "rdbcompression"}).elements[1].text, "yes");
  EXPECT_EQ(target->command({"CONFIG", "GET", "masterauth"}).elements[1].text, "");
  std::string names;
  for (const RestoreCheck& check : result.outcome.checks) names += check.name + ",";
  EXPECT_EQ(names, "offset,replication errors,keys,role,");
  EXPECT_GT(result.outcome.commands, 100u);
  EXPECT_EQ(result.outcome.distance.bytes, 0u);
  EXPECT_EQ(target->command({"SET", "after", "1"}).text, "OK");
}

TEST(LiveTarget, RefusesATargetThatHoldsKeysAndLeavesItAlone) {
  Recording recording(12, 50, 100);
  const auto target = RedisServer::start();
  target->command({"SET", "precious", "1"});
  Job job(recording.source, recording.boundaries.back());
  LiveTargetOptions options;
  options.target = target->url();
  const auto outcome =
      restore_to_live(std::move(job.input), job.plan, needs_of(job.plan, kSide), options, system_dialer(), tools(), {});
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().kind(), ErrorKind::kFailedPrecondition);
  EXPECT_NE(outcome.error().hint().find("--replace"), std::string::npos);
  EXPECT_EQ(target->command({"GET", "precious"}).text, "1");
  EXPECT_TRUE(target->info().is_primary());
}

TEST(LiveTarget, TakesASafetyCopyBeforeItReplacesAndBringsItBack) {
  Recording recording(13, 50, 200);
  const auto target = RedisServer::start();
  RandomWorkload workload(77);
  workload.run(*target->client(), 500);
  target->command({"SELECT", "0"});
  const std::string before = digest(*target);
  const TemporaryDirectory work;
  {
    Job job(recording.source, recording.boundaries.back());
    LiveTargetOptions options;
    options.target = target->url();
    options.replace = true;
    options.safety = &recording.source.store();
    options.work_directory = work.path();
    const auto outcome = restore_to_live(std::move(job.input), job.plan, needs_of(job.plan, kSide), options,
                                         system_dialer(), tools(), {});
    ASSERT_TRUE(outcome.has_value()) << outcome.error().to_string();
    EXPECT_EQ(digest(*target), digest(*recording.server));
    ASSERT_TRUE(outcome->safety_source.starts_with("safety/")) << outcome->safety_source;
    EXPECT_NE(outcome->safety_command.find(outcome->safety_source), std::string::npos);
    EXPECT_NE(outcome->safety_command.find("--repo " + options.safety->describe()), std::string::npos);

    const auto state =
        storage::load_source_state(recording.source.store(), recording.source.repository(), outcome->safety_source);
    ASSERT_TRUE(state.has_value()) << state.error().to_string();
    const SourceView view{recording.source.store(), recording.source.repository(), *state};
    const auto point = resolve(view, WhenLatest{}, at(0));
    ASSERT_TRUE(point.has_value()) << point.error().to_string();
    const auto plan = make_restore_plan(*state, *point);
    ASSERT_TRUE(plan.has_value()) << plan.error().to_string();
    const auto back = RedisServer::start();
    options.target = back->url();
    options.replace = false;
    const auto returned =
        restore_to_live({&recording.source.store(), &recording.source.repository(), *state, plan->route}, *plan,
                        needs_of(*plan, kSide), options, system_dialer(), tools(), {});
    ASSERT_TRUE(returned.has_value()) << returned.error().to_string();
    EXPECT_EQ(digest(*back), before);
  }
}

TEST(LiveTarget, SaysHowToBeReachedWhenTheTargetDoesNotComeAndGivesItBack) {
  Recording recording(14, 20, 50);
  const auto target = RedisServer::start();
  Job job(recording.source, recording.boundaries.back());
  LiveTargetOptions options;
  options.target = target->url();
  options.announce = Endpoint{"127.0.0.1", redis::free_loopback_port()};
  options.dial_timeout = std::chrono::seconds(2);
  const auto outcome =
      restore_to_live(std::move(job.input), job.plan, needs_of(job.plan, kSide), options, system_dialer(), tools(), {});
  ASSERT_FALSE(outcome.has_value());
  EXPECT_NE(outcome.error().hint().find("--listen"), std::string::npos) << outcome.error().to_string();
  EXPECT_TRUE(target->info().is_primary());
  EXPECT_EQ(target->command({"CONFIG", "GET", "masterauth"}).elements[1].text, "");
}

void damage(storage::MemoryStore& store, const std::string& name) {
  Bytes bytes = *store.get(name, kMiB * 64);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  store.overwrite(name, std::move(bytes));
}

TEST(LiveTarget, KeepsItsDataWhenTheBaseIsDamaged) {
  Recording recording(19, 200, 100);
  const auto target = RedisServer::start();
  target->command({"SET", "precious", "1"});
  const TemporaryDirectory work;
  Job job(recording.source, recording.boundaries.back());
  damage(recording.source.store(), storage::layout::base_part("default", TimelineId{1}, job.plan.route.base.name, 0));
  LiveTargetOptions options;
  options.target = target->url();
  options.replace = true;
  options.safety = &recording.source.store();
  options.work_directory = work.path();
  const auto outcome =
      restore_to_live(std::move(job.input), job.plan, needs_of(job.plan, kSide), options, system_dialer(), tools(), {});
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().kind(), ErrorKind::kDataLoss) << outcome.error().to_string();
  EXPECT_TRUE(target->info().is_primary());
  EXPECT_EQ(target->command({"GET", "precious"}).text, "1");
}

TEST(LiveTarget, IsNotPromotedWhenTheStreamIsDamaged) {
  Recording recording(20, 200, 1500);
  const auto target = RedisServer::start();
  Job job(recording.source, recording.boundaries.back());
  ASSERT_TRUE(job.input.state.head.has_value());
  const auto& packs = job.input.state.timelines.front().packs;
  ASSERT_FALSE(packs.empty());
  damage(recording.source.store(),
         storage::layout::pack("default", TimelineId{1}, packs.back().first_sequence, packs.back().last_sequence));
  LiveTargetOptions options;
  options.target = target->url();
  const auto outcome =
      restore_to_live(std::move(job.input), job.plan, needs_of(job.plan, kSide), options, system_dialer(), tools(), {});
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().kind(), ErrorKind::kDataLoss) << outcome.error().to_string();
  EXPECT_NE(outcome.error().hint().find("left a replica"), std::string::npos) << outcome.error().to_string();
  EXPECT_TRUE(target->info().is_replica());
  EXPECT_EQ(target->command({"CONFIG", "GET", "masterauth"}).elements[1].text, "");
}

TEST(LiveTarget, GivesTheTargetBackWhenItIsStopped) {
  Recording recording(17, 20, 50);
  const auto target = RedisServer::start({"repl-diskless-load disabled"});
  Job job(recording.source, recording.boundaries.back());
  LiveTargetOptions options;
  options.target = target->url();
  options.announce = Endpoint{"127.0.0.1", redis::free_loopback_port()};  // so that it has to wait
  RestoreTools stopping = tools();
  stopping.cancelled = [] { return true; };
  const auto outcome = restore_to_live(std::move(job.input), job.plan, needs_of(job.plan, kSide), options,
                                       system_dialer(), stopping, {});
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().kind(), ErrorKind::kCancelled);
  EXPECT_TRUE(target->info().is_primary());
  EXPECT_EQ(target->command({"CONFIG", "GET", "masterauth"}).elements[1].text, "");
  EXPECT_EQ(target->command({"CONFIG", "GET", "repl-diskless-load"}).elements[1].text, "disabled");
}

TEST(LiveTarget, ServesOverTlsATargetThatReplicatesOverTlsOnly) {
  Recording recording(21, 50, 200);
  const TemporaryDirectory folder;
  TlsAuthority authority(folder.path(), "ca");
  const auto issued = authority.issue("server", "DNS:localhost,IP:127.0.0.1");
  redis::RedisServerOptions server_options;
  server_options.config = {"tls-cert-file " + issued.certificate_file, "tls-key-file " + issued.key_file,
                           "tls-ca-cert-file " + authority.ca_file(), "tls-auth-clients no", "tls-replication yes"};
  server_options.tls = TlsOptions{};
  server_options.tls->ca_file = authority.ca_file();
  const auto target = RedisServer::start(server_options);
  Job job(recording.source, recording.boundaries.back());
  LiveTargetOptions options;
  options.target = target->url();
  const auto refused =
      restore_to_live(job.input, job.plan, needs_of(job.plan, kSide), options, system_dialer(), tools(), {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kFailedPrecondition);
  options.listen_tls = TlsOptions{{}, issued.certificate_file, issued.key_file, {}};
  const auto outcome =
      restore_to_live(std::move(job.input), job.plan, needs_of(job.plan, kSide), options, system_dialer(), tools(), {});
  ASSERT_TRUE(outcome.has_value()) << outcome.error().to_string();
  EXPECT_EQ(digest(*target), digest(*recording.server));
}

TEST(LiveTarget, CountsFunctionsAsData) {
  Recording recording(18, 20, 50);
  const auto target = RedisServer::start();
  target->command({"FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)"});
  Job job(recording.source, recording.boundaries.back());
  LiveTargetOptions options;
  options.target = target->url();
  const auto outcome =
      restore_to_live(std::move(job.input), job.plan, needs_of(job.plan, kSide), options, system_dialer(), tools(), {});
  ASSERT_FALSE(outcome.has_value());
  EXPECT_NE(outcome.error().message().find("1 function library"), std::string::npos) << outcome.error().to_string();
}

// An expired key lives on in the RDB: INCR and PERSIST after it must see its value, not a fresh 1.
TEST(RestoreOracleTtl, DoesNotExpireWhatLaterCommandsKeep) {
  const auto server = RedisServer::start();
  server->command({"DEBUG", "SET-ACTIVE-EXPIRE", "0"});
  std::unique_ptr<RawReplica> recorded;
  // As short as this machine allows: it has to last from SET to INCR.
  for (auto lives = std::chrono::milliseconds(900); server->command({"GET", "counter"}).text != "11"; lives *= 2) {
    ASSERT_LT(lives, std::chrono::seconds(60));
    server->command({"SET", "counter", "10", "PX", std::to_string(lives.count())});
    const MonoTime set = system_clock().mono_now();
    recorded = std::make_unique<RawReplica>(*server);
    server->command({"INCR", "counter"});
    server->command({"PERSIST", "counter"});
    recorded->catch_up();
    while (system_clock().mono_now() - set < lives) system_clock().sleep_for(std::chrono::milliseconds(10));
  }
  RawReplica& replica = *recorded;
  SourceBuilder source;
  source.open_timeline(replica.base_offset(), at(0));
  source.base(replica.rdb(), at(0));
  source.stream(replica.stream(), at(1));
  source.seal();
  const TemporaryDirectory folder;
  {
    Job job(source, source.end());
    ASSERT_TRUE(restore_to_directory(std::move(job.input), posix_file_system(), system_random(), folder / "data", {})
                    .has_value());
    const auto from_directory = RedisServer::start({"dir " + (folder / "data"), "appendonly yes"});
    EXPECT_EQ(from_directory->command({"GET", "counter"}).text, "11");
  }
  Job job(source, source.end());
  const auto target = RedisServer::start();
  LiveTargetOptions options;
  options.target = target->url();
  const auto outcome =
      restore_to_live(std::move(job.input), job.plan, needs_of(job.plan, kSide), options, system_dialer(), tools(), {});
  ASSERT_TRUE(outcome.has_value()) << outcome.error().to_string();
  EXPECT_EQ(target->command({"GET", "counter"}).text, "11");
}

TEST(ScratchBase, PublishesABaseFromWhichTheSameStateComesBack) {
  Recording recording(15, 200, 1000);
  const TemporaryDirectory work;
  ScratchSettings settings;
  settings.work_directory = work.path();
  const Offset middle = recording.boundaries[recording.boundaries.size() / 2];
  Job job(recording.source, middle);
  const std::string side_name = storage::layout::side("default", TimelineId{1}, job.plan.route.base.name);
  ASSERT_TRUE(recording.source.store().put_if_absent(
      side_name, *storage::seal_object(recording.source.repository().key(), side_name, "{}", system_random())));
  settings.loaded_by = redis::Product{false, {3, 2, 0}};  // which could not load what any server of today saves
  EXPECT_FALSE(prove_by_scratch(job.input, job.plan, &recording.source.store(), settings, tools(), {}).has_value());
  settings.sent_by = settings.loaded_by = redis::product_of(recording.server->info());
  const auto proof = prove_by_scratch(std::move(job.input), job.plan, &recording.source.store(), settings, tools(), {});
  ASSERT_TRUE(proof.has_value()) << proof.error().to_string();
  ASSERT_TRUE(proof->published.has_value());
  EXPECT_EQ(proof->published->offset, middle);
  EXPECT_EQ(proof->digest, oracle_digest(recording, middle));
  const auto side = [&](const std::string& base) {
    return recording.source.store().get(storage::layout::side("default", TimelineId{1}, base), kMiB);
  };
  const auto carried = side(proof->published->name);
  ASSERT_TRUE(carried.has_value());
  EXPECT_EQ(*storage::open_object(recording.source.repository().key(),
                                  storage::layout::side("default", TimelineId{1}, proof->published->name), *carried),
            "{}");

  Job again(recording.source, middle);
  const auto same =
      prove_by_scratch(std::move(again.input), again.plan, &recording.source.store(), settings, tools(), {});
  ASSERT_TRUE(same.has_value()) << same.error().to_string();
  EXPECT_FALSE(same->published.has_value());
  EXPECT_EQ(same->checks.back().result, "nothing: base " + proof->published->name + " is this point already");

  const Offset last = recording.boundaries.back();
  Job later(recording.source, last);
  EXPECT_EQ(later.plan.route.base.origin, "scratch");
  EXPECT_EQ(later.plan.route.base.offset, middle);
  EXPECT_EQ(restored_directory_digest(recording, last), oracle_digest(recording, last));
  // The spool and the server's folder are gone.
  EXPECT_TRUE(posix_file_system().list(work.path())->empty());
}

TEST(DirectoryTarget, RefusesAPlaceThatIsNotEmptyAndLeavesNothingBehind) {
  Recording recording(16, 20, 50);
  const TemporaryDirectory folder;
  write_file(folder / "mine", "x");
  Job job(recording.source, recording.boundaries.back());
  const auto refused = restore_to_directory(job.input, posix_file_system(), system_random(), folder.path(), {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kFailedPrecondition);

  // A base whose part is damaged.
  const std::string part = storage::layout::base_part("default", TimelineId{1}, job.plan.route.base.name, 0);
  Bytes bytes = *recording.source.store().get(part, kMiB * 64);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  recording.source.store().overwrite(part, bytes);
  const TemporaryDirectory other;
  const auto damaged = restore_to_directory(job.input, posix_file_system(), system_random(), other / "data", {});
  ASSERT_FALSE(damaged.has_value());
  EXPECT_EQ(damaged.error().kind(), ErrorKind::kDataLoss) << damaged.error().to_string();
  EXPECT_TRUE(posix_file_system().list(other.path())->empty());
}

}  // namespace
}  // namespace anclora::protect
