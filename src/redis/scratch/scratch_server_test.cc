#include "redis/scratch/scratch_server.h"

#include <gtest/gtest.h>

#include <csignal>

#include "base/faulty_file_system.h"
#include "base/testing/temporary_directory.h"
#include "redis/file_byte_source.h"
#include "redis/rdb/rdb_check.h"
#include "redis/replication/feeder.h"
#include "redis/testing/random_commands.h"
#include "redis/testing/recording.h"

namespace anclora::redis {
namespace {

using namespace std::chrono_literals;

Result<std::unique_ptr<ScratchServer>> start(const TemporaryDirectory& directory, ScratchServerOptions options = {}) {
  options.work_directory = directory.path();
  return ScratchServer::start(options, posix_file_system(), system_dialer(), system_clock(), system_random());
}

TEST(ScratchServer, MakesABaseAtAnExactOffsetWithoutTheSource) {
  const auto source = RedisServer::start({"repl-ping-replica-period 3600"});
  SeededRandom random(7);
  run_random_commands(*source, random, 2000);
  Recording recording(*source);
  recording.wait_for_base();
  run_random_commands(*source, random, 2000);
  recording.finish();
  const std::string expected = source->command({"DEBUG", "DIGEST"}).text;

  const TemporaryDirectory directory;
  auto scratch = start(directory);
  ASSERT_TRUE(scratch.has_value()) << scratch.error().to_string();
  FeederOptions options;
  options.password = Secret("feed me");
  const auto feeder =
      Feeder::start(recording, listen_on({"127.0.0.1", 0}).value(), system_clock(), system_random(), options);
  ASSERT_TRUE((*scratch)->follow(feeder->local(), options.password).has_value());
  const Status arrived = (*scratch)->wait_until_at(recording.end_offset(), 150s);
  ASSERT_TRUE(arrived.has_value()) << arrived.error().to_string();
  EXPECT_TRUE((*scratch)->check_no_replication_errors().has_value());
  EXPECT_EQ((*scratch)->digest().value(), expected);

  const std::string rdb = (*scratch)->save_rdb().value();
  FileByteSource file(posix_file_system().open(rdb).value());
  const RdbReport report = check_rdb(file, system_clock().wall_now()).value();
  ASSERT_FALSE(report.problem.has_value()) << report.problem->to_string();
  EXPECT_EQ(report.checksum, RdbChecksum::kVerified);
  // A base says where in the stream it stands, and in which database the stream goes on.
  EXPECT_EQ(report.aux.replication_offset, recording.end_offset());
  EXPECT_EQ(report.aux.replication_id, feeder->replication_id());
  EXPECT_TRUE(report.aux.stream_database.has_value());
  std::uint64_t keys = 0;
  const std::vector<Keyspace> keyspaces = (*scratch)->keyspaces().value();
  for (const Keyspace& one : keyspaces) {
    EXPECT_EQ(report.databases.at(one.database).keys, one.keys);
    EXPECT_EQ(report.databases.at(one.database).expires, one.expires);
    keys += one.keys;
  }
  EXPECT_EQ(report.keys(), keys);
  EXPECT_GT(keys, 500U);
  EXPECT_EQ((*scratch)->digest_after_reload().value(), expected);
}

TEST(ScratchServer, LeavesNothingBehind) {
  const TemporaryDirectory directory;
  auto scratch = start(directory);
  ASSERT_TRUE(scratch.has_value()) << scratch.error().to_string();
  const pid_t pid = (*scratch)->pid();
  ASSERT_EQ(::kill(pid, 0), 0);
  EXPECT_EQ(posix_file_system().list(directory.path())->size(), 1U);
  scratch->reset();
  EXPECT_NE(::kill(pid, 0), 0);
  EXPECT_TRUE(posix_file_system().list(directory.path())->empty());
}

TEST(ScratchServer, SaysWhatIsMissing) {
  const TemporaryDirectory directory;
  ScratchServerOptions options;
  options.program = "/nowhere/redis-server";
  EXPECT_FALSE(start(directory, options).has_value());
  options.program = "no-such-redis-server";
  EXPECT_EQ(start(directory, options).error().kind(), ErrorKind::kNotFound);
  options.program = "/bin/true";
  EXPECT_EQ(start(directory, options).error().kind(), ErrorKind::kFailedPrecondition);
  options = {};
  options.at_least = Version{99, 0, 0};
  const auto too_old = start(directory, options);
  EXPECT_EQ(too_old.error().kind(), ErrorKind::kFailedPrecondition);
  EXPECT_NE(too_old.error().message().find("99.0.0"), std::string::npos);
  options = {};
  options.memory_needed_bytes = std::uint64_t{1} << 50;
  EXPECT_EQ(start(directory, options).error().kind(), ErrorKind::kResourceExhausted);
  options = {};
  options.modules = {"/nowhere/module.so"};
  const auto no_module = start(directory, options);
  EXPECT_EQ(no_module.error().kind(), ErrorKind::kFailedPrecondition);
  EXPECT_NE(no_module.error().message().find("module.so"), std::string::npos) << no_module.error().message();
  EXPECT_TRUE(posix_file_system().list(directory.path())->empty());
}

TEST(ScratchServer, TellsAFullDiskWhereItsProgramSaysNothing) {
  const TemporaryDirectory directory;
  for (std::uint64_t operation = 1; operation <= 3; ++operation) {  // the folder, the file, what is written first
    FaultyFileSystem files(posix_file_system());
    files.plan({operation, FileFault::Kind::kFailBefore, ErrorKind::kResourceExhausted});
    const auto version = ScratchServer::program_version("redis-server", directory.path(), files, system_random());
    ASSERT_FALSE(version.has_value()) << operation;
    EXPECT_EQ(version.error().kind(), ErrorKind::kResourceExhausted) << version.error().to_string();
    EXPECT_TRUE(posix_file_system().list(directory.path())->empty());
  }
}

TEST(ScratchServer, IsOfAKindThatLoadsTheBaseAndSavesWhatTheSourceLoads) {
  const TemporaryDirectory directory;
  ScratchServerOptions options;
  options.loads = rdb_magic_of(80);
  const auto other_kind = start(directory, options);
  ASSERT_FALSE(other_kind.has_value());
  EXPECT_EQ(other_kind.error().kind(), ErrorKind::kFailedPrecondition);
  EXPECT_NE(other_kind.error().message().find("cannot load Valkey RDB 80"), std::string::npos);
  options.loads = std::nullopt;
  options.saves_for = Product{false, {3, 2, 0}};
  const auto newer = start(directory, options);
  ASSERT_FALSE(newer.has_value());
  EXPECT_EQ(newer.error().kind(), ErrorKind::kFailedPrecondition);
  EXPECT_NE(newer.error().message().find("Redis 3.2.0, could not load it"), std::string::npos);
  EXPECT_TRUE(posix_file_system().list(directory.path())->empty());
}

TEST(ScratchServer, MayLoadWhatAReleaseThatWeDoNotKnowSaved) {
  const TemporaryDirectory directory;
  ScratchServerOptions options;
  options.loads = rdb_magic_of(79);
  EXPECT_TRUE(start(directory, options).has_value());
}

TEST(ScratchServer, NamesTheFirstCommandThatItDoesNotKnow) {
  const auto source = RedisServer::start({"repl-ping-replica-period 3600"});
  source->command({"SET", "k", "v"});
  Recording recording(*source);
  recording.wait_for_base();
  source->command({"DEBUG", "REPLICATE", "COMMANDOFLATER", "k", "secret"});
  source->command({"SET", "k", "w"});
  recording.finish();
  const TemporaryDirectory directory;
  const auto scratch = start(directory);
  ASSERT_TRUE(scratch.has_value());
  const auto feeder = Feeder::start(recording, listen_on({"127.0.0.1", 0}).value(), system_clock(), system_random());
  ASSERT_TRUE((*scratch)->follow(feeder->local(), Secret()).has_value());
  ASSERT_TRUE((*scratch)->wait_until_at(recording.end_offset(), 150s).has_value());
  const Status checked = (*scratch)->check_no_replication_errors();
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().kind(), ErrorKind::kFailedPrecondition);
  EXPECT_NE(checked.error().message().find("unknown command 'COMMANDOFLATER'"), std::string::npos);
  EXPECT_EQ(checked.error().message().find("secret"), std::string::npos) << checked.error().message();
}

TEST(ScratchServer, TellsThatItDiedAndWhy) {
  const auto source = RedisServer::start({"databases 40", "repl-ping-replica-period 3600"});
  source->command({"SELECT", "33"});
  source->command({"SET", "k", "v"});
  Recording recording(*source);
  recording.finish();
  const TemporaryDirectory directory;
  auto scratch = start(directory);  // 16 databases: a server ends when a base names more
  ASSERT_TRUE(scratch.has_value());
  const auto feeder = Feeder::start(recording, listen_on({"127.0.0.1", 0}).value(), system_clock(), system_random());
  ASSERT_TRUE((*scratch)->follow(feeder->local(), Secret()).has_value());
  const Status arrived = (*scratch)->wait_until_at(recording.end_offset(), 150s);
  ASSERT_FALSE(arrived.has_value());
  EXPECT_EQ(arrived.error().kind(), ErrorKind::kUnavailable) << arrived.error().to_string();
  EXPECT_NE(arrived.error().message().find("died"), std::string::npos);
  EXPECT_FALSE((*scratch)->digest().has_value());
}

}  // namespace
}  // namespace anclora::redis
