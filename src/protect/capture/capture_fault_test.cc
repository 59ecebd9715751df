// Capture against real servers while things break: killed again and again, a slow store, a full outbox, failovers.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "protect/testing/running_capture.h"
#include "redis/testing/recording.h"
#include "storage/repository/log_reader.h"
#include "storage/store/faulty_store.h"

namespace anclora::protect {
namespace {

using redis::RedisServer;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Writes until destroyed: values of `value_bytes` random bytes, one after the other.
class Writer {
 public:
  Writer(RedisServer& server, std::size_t value_bytes, Duration pause)
      : client_(server.client()), thread_([this, value_bytes, pause] {
          SeededRandom random(99);
          for (std::uint64_t i = 0; !stopping_; ++i) {
            if (!client_->command({"SET", "key" + std::to_string(i % 500), random.bytes(value_bytes)})) return;
            system_clock().sleep_for(pause);
          }
        }) {}
  ~Writer() {
    stopping_ = true;
    thread_.join();
  }

 private:
  std::unique_ptr<redis::Client> client_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

// What the killed process said was protected, seen from outside.
struct Said {
  std::atomic<std::uint32_t> timeline;
  std::atomic<std::uint64_t> offset;
};

class SharedSaid {
 public:
  SharedSaid()
      : said_(static_cast<Said*>(
            mmap(nullptr, sizeof(Said), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~SharedSaid() { munmap(said_, sizeof(Said)); }
  Said& operator*() { return *said_; }

 private:
  Said* said_;
};

// A capture in a process of its own, to be killed.
pid_t start_capture_process(TestArchive& archive, const CaptureOptions& options, Said& said) {
  const pid_t child = fork();
  if (child != 0) return child;
  RunningCapture capture(archive, options);
  while (true) {
    const CaptureStatus status = capture.status();
    if (status.base_complete && status.protected_up_to) {
      said.timeline = status.protected_up_to->timeline.value;
      said.offset = status.protected_up_to->offset.value;
    }
    system_clock().sleep_for(milliseconds(1));
  }
}

TEST(CaptureFaults, AThreadThatIsStuckIsTold) {
  auto source = RedisServer::start({"repl-ping-replica-period 1"});
  TestArchive archive;
  storage::FaultyStore store(archive.store(), system_clock());
  std::atomic<bool> hang{true};
  RunningCapture capture(archive, options_for(*source), &store);
  source->command({"SET", "k", "v"});
  capture.wait_protected(offset_of(*source));
  system_clock().sleep_for(seconds(3));
  EXPECT_FALSE(capture.stuck(seconds(15)).has_value());  // idle, and nothing is wrong
  store.decide([&](const storage::StoreRequest& request) -> std::optional<storage::StoreFault> {
    for (int i = 0; i < 1000 && hang && request.operation == storage::StoreOperation::kPut; ++i)
      system_clock().sleep_for(milliseconds(10));
    return std::nullopt;
  });
  source->command({"SET", "k", "w"});
  capture.wait_for(
      [&](const CaptureStatus&) { return capture.stuck(seconds(2)) && capture.stuck(seconds(2))->name == "uploader"; },
      "word of a stuck uploader");
  hang = false;
  capture.wait_protected(offset_of(*source));
  EXPECT_TRUE(capture.stop().has_value());
}

// A snapshot of its file system that was rolled back, or a backup of it that was restored, under a running capture.
TEST(CaptureFaults, ARepositoryThatIsReplacedByAnOlderCopyOfItselfIsGoneOnWithFromThere) {
  namespace fs = std::filesystem;
  auto source = RedisServer::start({"repl-backlog-size 16mb", "repl-ping-replica-period 3600"});
  TestArchive archive;
  CaptureOptions options = options_for(*source);
  // A copy made in the middle of a put would be no older copy of anything.
  options.pack_every = options.checkpoint_every = options.seal.sign_of_life = std::chrono::hours(1);
  RunningCapture capture(archive, options);
  const auto write = [&](const std::string& value) {
    for (int i = 0; i < 5; ++i) {
      source->command({"SET", value + std::to_string(i), value});
      capture.wait_protected(offset_of(*source));
    }
  };
  write("a");
  fs::copy(archive.path(), archive.path() + ".older", fs::copy_options::recursive);
  write("b");
  fs::rename(archive.path(), archive.path() + ".newer");
  fs::rename(archive.path() + ".older", archive.path());
  write("c");
  EXPECT_TRUE(capture.stop().has_value());
  EXPECT_TRUE(archive.state().damaged_entries.empty());
  EXPECT_EQ(archive.read().end(), offset_of(*source));
}

TEST(CaptureFaults, PacksWhatAnEarlierRunLeftOnceTheStoreTakesIt) {
  auto source = RedisServer::start();
  TestArchive archive;
  const auto write_and_stop = [&](RunningCapture& capture) {
    source->command({"SET", "k", "v"});
    capture.wait_protected(offset_of(*source));
    ASSERT_TRUE(capture.stop().has_value());
  };
  {
    RunningCapture first(archive, options_for(*source));
    write_and_stop(first);
  }
  const std::uint64_t left = archive.state().head->sequence;
  ASSERT_TRUE(archive.state().timelines.front().packs.empty());
  storage::FaultyStore store(archive.store(), system_clock());
  std::atomic<int> refused{0};
  store.decide([&](const storage::StoreRequest& request) -> std::optional<storage::StoreFault> {
    const bool pack =
        request.operation == storage::StoreOperation::kPut && request.name.find("/pack/") != std::string::npos;
    if (!pack || refused >= 2) return std::nullopt;
    ++refused;
    return storage::StoreFault{storage::StoreFault::Kind::kErrorBefore, ErrorKind::kUnavailable, {}, 0};
  });
  RunningCapture second(archive, options_for(*source), &store);
  second.wait_for(
      [&](const CaptureStatus&) {
        const auto state = archive.state();
        const auto& packs = state.timelines.front().packs;
        return !packs.empty() && packs.front().first_sequence == 0 && packs.back().last_sequence >= left;
      },
      "a pack of what the first run left");
  EXPECT_EQ(refused, 2);
  write_and_stop(second);
}

TEST(CaptureFaults, LosesNothingProtectedInFiftyKills) {
  auto source = RedisServer::start({"repl-backlog-size 256mb"});
  TestArchive archive;
  const CaptureOptions options = options_for(*source);
  redis::Recording other(*source);
  other.wait_for_base();
  SharedSaid said;
  SeededRandom random(20261124);
  std::uint64_t most = 0;
  {
    Writer writer(*source, 200, milliseconds(1));
    for (int cycle = 0; cycle < 50; ++cycle) {
      const pid_t child = start_capture_process(archive, options, *said);
      // The first one lives until it has protected something, however slow this machine is.
      for (int i = 0; i < 15'000 && cycle == 0 && (*said).offset == 0; ++i) system_clock().sleep_for(milliseconds(10));
      system_clock().sleep_for(milliseconds(30 + random.below(250)));
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
      EXPECT_GE((*said).offset, most);
      most = (*said).offset;
    }
  }
  RunningCapture capture(archive, options);
  capture.wait_for([](const auto& status) { return status.base_complete; }, "the base");
  capture.wait_protected(offset_of(*source));
  ASSERT_TRUE(capture.stop());
  other.finish();
  const auto archived = archive.read();
  EXPECT_GT(most, 0u);
  EXPECT_GE(archived.end().value, most);
  EXPECT_EQ((*said).timeline, archived.base.timeline.value)
      << "a kill cost a full synchronisation after the first base";
  const redis::Offset from = std::max(archived.base.offset, other.base_offset());
  const redis::Offset to = std::min(archived.end(), other.end_offset());
  EXPECT_TRUE(
      archived.stream.substr(static_cast<std::size_t>(from - archived.base.offset),
                             static_cast<std::size_t>(to - from)) ==
      other.stream().substr(static_cast<std::size_t>(from - other.base_offset()), static_cast<std::size_t>(to - from)));
}

void write_bulk(
    RedisServer& server, std::size_t count, std::size_t value_bytes,
    const std::function<void()>& after_each_batch = [] {}) {
  auto client = server.client();
  SeededRandom random(5);
  std::vector<std::vector<std::string>> batch;
  for (std::size_t i = 0; i < count; ++i) {
    batch.push_back({"SET", "bulk" + std::to_string(i % 100), random.bytes(value_bytes)});
    if (batch.size() < 50 && i + 1 < count) continue;
    ASSERT_TRUE(client->pipeline(batch));
    batch.clear();
    after_each_batch();
  }
}

TEST(CaptureFaults, ASlowStoreDoesNotMakeTheSourceDropUs) {
  auto source = RedisServer::start({"client-output-buffer-limit replica 8mb 4mb 2", "repl-backlog-size 16kb"});
  TestArchive archive;
  storage::FaultyStore store(archive.store(), system_clock());
  std::atomic<bool> slow{false};
  store.decide([&](const storage::StoreRequest& request) -> std::optional<storage::StoreFault> {
    // As slow as can be: a put ends when the load has ended.
    for (int i = 0; i < 30'000 && slow && request.operation == storage::StoreOperation::kPut; ++i)
      system_clock().sleep_for(milliseconds(5));
    return std::nullopt;
  });
  RunningCapture capture(archive, options_for(*source), &store);
  capture.wait_for([](const auto& status) { return status.base_complete; }, "the base");
  slow = true;
  // 60 MB, seven times what the source keeps for us. What is at test is the store's slowness, not capture's, so the
  // load waits for capture, which must take it all while the store takes nothing.
  const auto let_it_follow = [&] {
    const redis::Offset written = offset_of(*source);
    capture.wait_for([&](const auto& status) { return status.received + 2 * kMiB >= written; }, "what was written");
  };
  write_bulk(*source, 3000, 20 * kKiB, let_it_follow);
  EXPECT_LT(capture.status().protected_up_to->offset, capture.status().received);
  slow = false;
  capture.wait_protected(offset_of(*source));
  EXPECT_EQ(capture.status().full_syncs, 1u);
  EXPECT_EQ(capture.status().partial_syncs, 0u) << capture.status().last_error;
  ASSERT_TRUE(capture.stop());
}

TEST(CaptureFaults, LeavesTheSourceWhenTheOutboxIsFullAndComesBackWithoutAFullSync) {
  auto source = RedisServer::start({"repl-backlog-size 256mb"});
  TestArchive archive;
  storage::FaultyStore store(archive.store(), system_clock());
  std::atomic<bool> away{false};
  store.decide([&](const storage::StoreRequest&) -> std::optional<storage::StoreFault> {
    if (away) return storage::StoreFault{};
    return std::nullopt;
  });
  auto options = options_for(*source);
  options.outbox_limit_bytes = 6 * kMiB;
  RunningCapture capture(archive, options, &store);
  capture.wait_for([](const auto& status) { return status.base_complete; }, "the base");
  away = true;
  write_bulk(*source, 2500, 20 * kKiB);  // 50 MB
  capture.wait_for([](const auto& status) { return status.link == LinkState::kPaused; }, "the pause");
  EXPECT_LE(capture.status().outbox_bytes, options.outbox_limit_bytes);
  away = false;
  capture.wait_protected(offset_of(*source));
  EXPECT_EQ(capture.status().full_syncs, 1u);
  ASSERT_TRUE(capture.stop());
  EXPECT_EQ(archive.state().timelines.size(), 1u);
}

TEST(CaptureFaults, AForkDoesNotLetWaitCountWhatTheOldPrimaryWrote) {
  auto primary = RedisServer::start();
  auto replica = RedisServer::start();
  replica->command({"REPLICAOF", "127.0.0.1", primary->port_text()});
  replica->wait_for_link_up();
  TestArchive archive;
  {
    RunningCapture capture(archive, options_for(*primary));
    capture.wait_for([](const auto& status) { return status.base_complete; }, "the base");
    primary->command({"SET", "both", "1"});
    primary->command({"WAIT", "2", "50000"});
    replica->command({"REPLICAOF", "NO", "ONE"});
    primary->command({"SET", "only-the-primary", std::string(100'000, 'x')});
    capture.wait_protected(offset_of(*primary));
    ASSERT_TRUE(capture.stop());
  }
  primary->kill9();
  auto options = options_for(*replica);
  options.allow_url_change = true;
  storage::FaultyStore store(archive.store(), system_clock());
  std::atomic<bool> away{false};
  store.decide([&](const storage::StoreRequest&) -> std::optional<storage::StoreFault> {
    if (away) return storage::StoreFault{};
    return std::nullopt;
  });
  RunningCapture capture(archive, options, &store);
  capture.wait_for(
      [](const auto& status) { return status.protected_up_to && status.protected_up_to->timeline.value == 2; },
      "the fork");
  away = true;
  auto client = replica->client();
  ASSERT_TRUE(client->command({"SET", "only-the-replica", "1"}));
  EXPECT_EQ(client->command({"WAIT", "1", "1500"})->integer, 0);
  away = false;
  EXPECT_EQ(client->command({"WAIT", "1", "100000"}, seconds(150))->integer, 1);
  ASSERT_TRUE(capture.stop());
}

TEST(CaptureFaults, ForksWhereAPromotedReplicaWasBehindUs) {
  auto primary = RedisServer::start();
  auto replica = RedisServer::start();
  replica->command({"REPLICAOF", "127.0.0.1", primary->port_text()});
  replica->wait_for_link_up();
  TestArchive archive;
  {
    RunningCapture capture(archive, options_for(*primary));
    capture.wait_for([](const auto& status) { return status.base_complete; }, "the base");
    primary->command({"SELECT", "3"});
    primary->command({"SET", "both", "1"});
    primary->command({"WAIT", "2", "50000"});
    replica->command({"REPLICAOF", "NO", "ONE"});
    primary->command({"SET", "only-the-primary", "1"});
    capture.wait_protected(offset_of(*primary));
    ASSERT_TRUE(capture.stop());
  }
  primary->kill9();
  auto options = options_for(*replica);
  options.allow_url_change = true;
  redis::Recording other(*replica);
  other.wait_for_base();
  RunningCapture capture(archive, options);
  capture.wait_for([](const auto& status) { return status.link == LinkState::kStreaming; }, "streaming");
  replica->command({"SET", "only-the-replica", "1"});
  capture.wait_protected(offset_of(*replica));
  EXPECT_EQ(capture.status().full_syncs, 0u);
  ASSERT_TRUE(capture.stop());
  const auto state = archive.state();
  ASSERT_EQ(state.timelines.size(), 2u);
  EXPECT_EQ(state.timelines[1].origin.kind, storage::OriginKind::kFork);
  EXPECT_TRUE(storage::gaps(state).empty());
  // Across the fork: the shared past, then the replica's own.
  const auto& base = state.timelines[0].bases.front();
  auto log = storage::LogReader::open(archive.store(), archive.repository(), state,
                                      {state.timelines[1].id, base.offset}, std::nullopt);
  ASSERT_TRUE(log) << log.error().to_string();
  Bytes stream;
  while (true) {
    auto entry = log->next();
    ASSERT_TRUE(entry) << entry.error().to_string();
    if (!*entry) break;
    stream += (*entry)->bytes;
  }
  EXPECT_NE(stream.find("both"), Bytes::npos);
  EXPECT_NE(stream.find("only-the-replica"), Bytes::npos);
}

TEST(CaptureFaults, RefusesAWrongPasswordAtOnce) {
  redis::RedisServerOptions server;
  server.config = {"requirepass right"};
  server.password = "right";
  auto source = RedisServer::start(server);
  TestArchive archive;
  auto options = options_for(*source);
  options.source.password = Secret("wrong");
  RunningCapture capture(archive, options);
  const Status refused = capture.wait_for_end();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::kUnauthenticated);
}

TEST(CaptureFaults, KeepsWhatAnRdbLacksBesideTheBase) {
  for (const bool encrypted : {true, false}) {
    redis::RedisServerOptions server;
    server.config = {"requirepass secret-of-the-source", "maxmemory-policy noeviction"};
    server.password = "secret-of-the-source";
    auto source = RedisServer::start(server);
    TestArchive archive(encrypted);
    RunningCapture capture(archive, options_for(*source));
    capture.wait_for([](const auto& status) { return status.base_complete; }, "the base");
    ASSERT_TRUE(capture.stop());
    const auto base = archive.state().timelines[0].bases[0];
    const std::string name = storage::layout::side("default", base.timeline, base.name);
    const auto object = archive.store().get(name);
    ASSERT_TRUE(object) << object.error().to_string();
    const auto json = storage::open_object(archive.repository().key(), name, *object);
    ASSERT_TRUE(json);
    const auto parsed = nlohmann::json::parse(*json);
    EXPECT_EQ(parsed["config"]["maxmemory-policy"], "noeviction");
    EXPECT_EQ(parsed["config"]["requirepass"], encrypted ? "secret-of-the-source" : "(masked)");
    EXPECT_EQ(parsed["acl_list"].size(), 1u);
    EXPECT_NE(parsed["info"].get<std::string>().find("redis_version"), std::string::npos);
  }
}

TEST(CaptureFaults, ASourceThatIsReplacedAgainAndAgainIsNotOneThatCaptureCannotKeepUpWith) {
  auto source = RedisServer::start();
  TestArchive archive;
  RunningCapture capture(archive, options_for(*source));
  for (std::uint64_t syncs = 1; syncs <= 4; ++syncs) {
    capture.wait_for(
        [&](const auto& status) {
          EXPECT_NE(status.link, LinkState::kCannotKeepUp) << status.link_detail;
          return status.full_syncs == syncs && status.base_complete && status.link == LinkState::kStreaming;
        },
        "full synchronisation " + std::to_string(syncs));
    if (syncs == 4) break;
    system_clock().sleep_for(milliseconds(1500));  // it has caught up
    // Another history, as after a restart.
    source->command({"DEBUG", "CHANGE-REPL-ID"});
    source->command({"CLIENT", "KILL", "TYPE", "replica"});
  }
  EXPECT_TRUE(capture.stop().has_value());
}

TEST(CaptureFaults, AFailoverThatChoseCaptureIsToldWithTheWayOut) {
  auto source = RedisServer::start();
  TestArchive archive;
  CaptureOptions options = options_for(*source);
  options.seal.sign_of_life = seconds(1);
  RunningCapture capture(archive, options);
  source->command({"SET", "k", "v"});
  capture.wait_protected(offset_of(*source));
  source->command({"FAILOVER"});
  capture.wait_for([](const auto& status) { return status.last_error.find("FAILOVER ABORT") != std::string::npos; },
                   "word of the failover");
  const auto written = [&archive] { return archive.state().head->entry.note; };
  capture.wait_for([&](const auto&) { return written().find("FAILOVER ABORT") != std::string::npos; },
                   "word of it in the repository");
  source->command({"FAILOVER", "ABORT"});
  capture.wait_for([&](const auto&) { return written().empty(); }, "word that it is over");
  source->command({"SET", "k", "w"});
  capture.wait_protected(offset_of(*source));
  EXPECT_TRUE(capture.stop().has_value());
  EXPECT_EQ(archive.state().timelines.size(), 1u);
}

TEST(CaptureFaults, RecognisesAFullSyncLoopAndStopsHammering) {
  // Any write while the base is on its way drops us: the output buffer is smaller than one value.
  auto source = RedisServer::start({"client-output-buffer-limit replica 64kb 64kb 1", "repl-backlog-size 16kb"});
  TestArchive archive;
  RunningCapture capture(archive, options_for(*source));
  std::atomic<bool> stop{false};
  std::thread killer([&] {
    auto client = source->client();
    while (!stop) {
      ignore_result(client->command({"CLIENT", "KILL", "TYPE", "replica"}));
      // Another history each time, so that no partial synchronisation helps.
      ignore_result(client->command({"DEBUG", "CHANGE-REPL-ID"}));
      system_clock().sleep_for(milliseconds(100));
    }
  });
  capture.wait_for([](const auto& status) { return status.link == LinkState::kCannotKeepUp; }, "the loop");
  const auto syncs = capture.status().full_syncs;
  EXPECT_NE(capture.status().link_detail.find("client-output-buffer-limit"), std::string::npos);
  system_clock().sleep_for(seconds(3));
  EXPECT_EQ(capture.status().full_syncs, syncs);
  stop = true;
  killer.join();
  ignore_result(capture.stop(Duration::zero()));  // nothing need be protected here
}

}  // namespace
}  // namespace anclora::protect
