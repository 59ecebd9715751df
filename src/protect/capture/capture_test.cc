#include "protect/capture/capture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "base/testing/witness.h"
#include "protect/testing/running_capture.h"
#include "redis/testing/random_commands.h"
#include "redis/testing/recording.h"
#include "storage/store/faulty_store.h"

namespace anclora::protect {
namespace {

using redis::RedisServer;
using std::chrono::milliseconds;
using std::chrono::seconds;

// What the archive holds equals what another replica received, as far as both have it.
void expect_same_stream(const TestArchive::Contents& archived, const redis::Recording& other) {
  const redis::Offset from = std::max(archived.base.offset, other.base_offset());
  const redis::Offset to = std::min(archived.end(), other.end_offset());
  ASSERT_GT(to, from);
  const auto size = static_cast<std::size_t>(to - from);
  const auto mine = ByteView(archived.stream).substr(static_cast<std::size_t>(from - archived.base.offset), size);
  const auto theirs = ByteView(other.stream()).substr(static_cast<std::size_t>(from - other.base_offset()), size);
  EXPECT_TRUE(mine == theirs) << "bytes " << from.value << " to " << to.value << " differ";
}

TEST(Capture, ArchivesEveryByteThatAnotherReplicaReceives) {
  auto source = RedisServer::start();
  SeededRandom random(1);
  redis::run_random_commands(*source, random, 500);
  TestArchive archive;
  redis::Recording other(*source);
  other.wait_for_base();
  RunningCapture capture(archive, options_for(*source));
  capture.wait_for([](const auto& status) { return status.base_complete; }, "the base");
  redis::run_random_commands(*source, random, 3000);
  const redis::Offset end = offset_of(*source);
  capture.wait_protected(end);
  other.finish();
  ASSERT_TRUE(capture.stop());
  const auto archived = archive.read();
  EXPECT_GE(archived.end(), end);
  expect_same_stream(archived, other);
}

TEST(Capture, GoesOnWithoutAFullSyncAfterAStop) {
  auto source = RedisServer::start();
  TestArchive archive;
  redis::Recording other(*source);
  other.wait_for_base();
  SeededRandom random(2);
  for (int round = 0; round < 3; ++round) {
    RunningCapture capture(archive, options_for(*source));
    capture.wait_for([](const auto& status) { return status.base_complete && status.link == LinkState::kStreaming; },
                     "streaming");
    redis::run_random_commands(*source, random, 300);
    capture.wait_protected(offset_of(*source));
    EXPECT_EQ(capture.status().full_syncs, round == 0 ? 1u : 0u);
    ASSERT_TRUE(capture.stop());
    redis::run_random_commands(*source, random, 100);
  }
  other.finish();
  EXPECT_EQ(archive.state().timelines.size(), 1u);
  expect_same_stream(archive.read(), other);
}

TEST(Capture, ProtectsWithinTwoHundredMilliseconds) {
  auto source = RedisServer::start();
  TestArchive archive;
  RunningCapture capture(archive, options_for(*source));
  capture.wait_for([](const auto& status) { return status.base_complete; }, "the base");
  for (int i = 0; i < 20; ++i) {
    source->command({"SET", "k", std::to_string(i)});
    const redis::Offset offset = offset_of(*source);
    Witness witness;
    const MonoTime written = system_clock().mono_now();
    capture.wait_protected(offset);
    EXPECT_LT(system_clock().mono_now() - written, witness.limit(milliseconds(400))) << "write " << i;
  }
  ASSERT_TRUE(capture.stop());
}

// Makes none, and notes for which server it was asked.
class NotingBaseMaker final : public BaseMaker {
 public:
  Result<storage::BaseInfo> make_base(const std::string&, storage::Position,
                                      const std::optional<redis::Product>& server) override {
    const std::lock_guard lock(mutex_);
    server_ = server;
    return Error(ErrorKind::kUnavailable, "none today");
  }
  std::string_view who() const override { return "a test"; }
  void cancel() override {}
  std::optional<redis::Product> server() const {
    const std::lock_guard lock(mutex_);
    return server_;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<redis::Product> server_;
};

TEST(Capture, TellsWhoMakesABaseWhichServerHasToLoadIt) {
  auto source = RedisServer::start();
  TestArchive archive;
  NotingBaseMaker maker;
  CaptureOptions options = options_for(*source);
  options.base_every = milliseconds(1);
  RunningCapture capture(archive, std::move(options), nullptr, {}, posix_file_system(), &maker);
  capture.wait_for([](const auto& status) { return status.base_complete; }, "the base");
  source->command({"SET", "k", "v"});
  capture.wait_for([&](const auto&) { return maker.server().has_value(); }, "a base that is due");
  EXPECT_EQ(maker.server()->to_string(), source->info().product());
  ASSERT_TRUE(capture.stop());
}

TEST(Capture, LetsWaitCountOnlyWhatIsProtected) {
  auto source = RedisServer::start();
  TestArchive archive;
  storage::FaultyStore store(archive.store(), system_clock());
  std::atomic<bool> away{false};
  store.decide([&](const storage::StoreRequest&) -> std::optional<storage::StoreFault> {
    if (away) return storage::StoreFault{};
    return std::nullopt;
  });
  RunningCapture capture(archive, options_for(*source), &store);
  capture.wait_for([](const auto& status) { return status.base_complete; }, "the base");
  auto client = source->client();
  ASSERT_TRUE(client->command({"SET", "a", "1"}));
  EXPECT_EQ(client->command({"WAIT", "1", "100000"}, seconds(150))->integer, 1);
  away = true;
  ASSERT_TRUE(client->command({"SET", "a", "2"}));
  EXPECT_EQ(client->command({"WAIT", "1", "500"})->integer, 0);
  away = false;
  EXPECT_EQ(client->command({"WAIT", "1", "100000"}, seconds(150))->integer, 1);
  ASSERT_TRUE(capture.stop());
}

TEST(Capture, LetsTheSourceShutDownAtOnce) {
  auto source = RedisServer::start({"shutdown-timeout 150"});
  TestArchive archive;
  RunningCapture capture(archive, options_for(*source));
  capture.wait_for([](const auto& status) { return status.base_complete; }, "the base");
  source->command({"SET", "k", "v"});
  Witness witness;
  const MonoTime began = system_clock().mono_now();
  EXPECT_EQ(source->stop(seconds(200)), 0);
  EXPECT_LT(system_clock().mono_now() - began, witness.limit(seconds(2)));
  ASSERT_TRUE(capture.stop());
}

TEST(Capture, AnnouncesTheBaseOfACutRunBeforeItPacksItsEntries) {
  auto source = RedisServer::start();
  TestArchive archive;
  storage::FaultyStore store(archive.store(), system_clock());
  std::atomic<bool> base_may_go{false};
  std::atomic<int> checkpoints_left{1000};
  store.decide([&](const storage::StoreRequest& request) -> std::optional<storage::StoreFault> {
    if (request.operation != storage::StoreOperation::kPut) return std::nullopt;
    if (request.name.find("/base/") != std::string::npos && !base_may_go) return storage::StoreFault{};
    if (request.name.find("/checkpoint/") != std::string::npos && checkpoints_left-- <= 0) return storage::StoreFault{};
    return std::nullopt;
  });
  {
    RunningCapture capture(archive, options_for(*source), &store);
    capture.wait_for([](const auto& status) { return status.entries_published > 0; }, "the timeline");
    // A checkpoint tells of it; none tells of the base.
    capture.wait_for([&](const auto&) { return archive.state().checkpoint_ordinal > 0; }, "a checkpoint");
    checkpoints_left = 0;
    base_may_go = true;
    capture.wait_for([](const auto& status) { return status.base_complete; }, "the base");
    ASSERT_TRUE(capture.stop());
  }
  const std::uint64_t before = archive.state().checkpoint_ordinal;
  checkpoints_left = 1;  // and then it is cut again
  {
    RunningCapture capture(archive, options_for(*source), &store);
    capture.wait_for([](const auto& status) { return status.link == LinkState::kStreaming; }, "streaming");
    capture.wait_for([&](const auto&) { return archive.state().checkpoint_ordinal > before; }, "a checkpoint");
    ASSERT_TRUE(capture.stop());
  }
  ASSERT_EQ(archive.state().checkpoint_ordinal, before + 1);
  EXPECT_EQ(archive.state().timelines.front().bases.size(), 1u);
}

// A capture whose store went away while the source wrote: its outbox holds some entries.
class LeftOutbox : public ::testing::Test {
 protected:
  void SetUp() override {
    store_.decide([this](const storage::StoreRequest&) -> std::optional<storage::StoreFault> {
      if (away_) return storage::StoreFault{};
      return std::nullopt;
    });
    RunningCapture capture(archive_, options_for(*source_), &store_);
    capture.wait_for([](const auto& status) { return status.base_complete; }, "the base");
    away_ = true;
    for (int i = 0; i < 3; ++i) {
      source_->command({"SET", "k" + std::to_string(i), "v"});
      capture.wait_for([&](const auto& status) { return status.outbox_entries > static_cast<std::uint64_t>(i); },
                       "the outbox");
    }
    EXPECT_FALSE(capture.stop(milliseconds(100)));
    for (const auto& file : std::filesystem::directory_iterator(archive_.outbox() + "/entries"))
      entries_.push_back(file.path());
    std::ranges::sort(entries_);
    away_ = false;
    ASSERT_GE(entries_.size(), 3u);
  }
  void protect_again() {
    RunningCapture capture(archive_, options_for(*source_), &store_);
    source_->command({"SET", "later", "v"});
    capture.wait_protected(offset_of(*source_));
    EXPECT_EQ(capture.status().full_syncs, 0u);
    ASSERT_TRUE(capture.stop());
    EXPECT_NE(archive_.read().stream.find("later"), Bytes::npos);
  }
  std::size_t put_aside() {
    std::error_code none;
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& file :
         std::filesystem::directory_iterator(archive_.outbox() + "/abandoned", none))
      ++count;
    return count;
  }

  std::unique_ptr<RedisServer> source_ = RedisServer::start();
  TestArchive archive_;
  storage::FaultyStore store_{archive_.store(), system_clock()};
  std::atomic<bool> away_{false};
  std::vector<std::filesystem::path> entries_;
};

TEST_F(LeftOutbox, LosesNothingToAnEntryWhoseRemovalFailed) {
  const std::string published = storage::layout::log_entry("default", storage::TimelineId{1}, 0);
  std::ofstream file(archive_.outbox() + "/entries/0000000001-00000000000000000000-1", std::ios::binary);
  file << *archive_.store().get(published);
  file.close();
  protect_again();
  EXPECT_EQ(put_aside(), 0u);
}

TEST_F(LeftOutbox, NeverPublishesWhatTheDiskDamaged) {
  const std::size_t damaged = entries_.size() / 2;
  std::fstream file(entries_[damaged], std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(40);
  file << "damage";
  file.close();
  protect_again();
  EXPECT_GE(put_aside(), entries_.size() - damaged);
}

TEST(Capture, RefusesASecondWriterWhileTheFirstIsAlive) {
  auto source = RedisServer::start();
  TestArchive archive;
  RunningCapture first(archive, options_for(*source));
  first.wait_for([](const auto& status) { return status.base_complete; }, "the base");
  RunningCapture second(archive, options_for(*source), nullptr, archive.outbox() + "-other");
  const Status refused = second.wait_for_end();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::kFenced);
  ASSERT_TRUE(first.stop());
  // Released: another may go on at once.
  RunningCapture third(archive, options_for(*source), nullptr, archive.outbox() + "-other");
  third.wait_for([](const auto& status) { return status.link == LinkState::kStreaming; }, "streaming");
  EXPECT_EQ(third.status().full_syncs, 0u);
  ASSERT_TRUE(third.stop());
}

TEST(Capture, RefusesAnotherUrlUnderATakenName) {
  auto source = RedisServer::start();
  auto other = RedisServer::start();
  TestArchive archive;
  RunningCapture capture(archive, options_for(*source));
  capture.wait_for([](const auto& status) { return status.base_complete && status.checkpoints_published > 0; },
                   "the base");
  ASSERT_TRUE(capture.stop());
  RunningCapture wrong(archive, options_for(*other));
  const Status refused = wrong.wait_for_end();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::kFailedPrecondition);
}

TEST(Capture, KeepsTheStreamInTheOutboxWhileTheStoreIsAwayAlsoOverARestart) {
  auto source = RedisServer::start();
  TestArchive archive;
  storage::FaultyStore store(archive.store(), system_clock());
  std::atomic<bool> away{false};
  store.decide([&](const storage::StoreRequest&) -> std::optional<storage::StoreFault> {
    if (away) return storage::StoreFault{};
    return std::nullopt;
  });
  redis::Recording other(*source);
  other.wait_for_base();
  SeededRandom random(3);
  {
    RunningCapture capture(archive, options_for(*source), &store);
    capture.wait_for([](const auto& status) { return status.base_complete; }, "the base");
    redis::run_random_commands(*source, random, 200);
    capture.wait_protected(offset_of(*source));
    away = true;
    redis::run_random_commands(*source, random, 500);
    const redis::Offset end = offset_of(*source);
    capture.wait_for([&](const auto& status) { return status.received >= end && status.outbox_entries > 0; },
                     "the outbox");
    const Status stopped = capture.stop(milliseconds(300));
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().kind(), ErrorKind::kUnavailable);
  }
  {
    RunningCapture capture(archive, options_for(*source), &store);
    capture.wait_for([](const auto& status) { return status.link == LinkState::kStreaming; },
                     "streaming without store");
    redis::run_random_commands(*source, random, 500);
    const redis::Offset end = offset_of(*source);
    capture.wait_for([&](const auto& status) { return status.received >= end; }, "the stream");
    away = false;
    capture.wait_protected(end);
    EXPECT_EQ(capture.status().full_syncs, 0u);
    ASSERT_TRUE(capture.stop());
  }
  other.finish();
  EXPECT_EQ(archive.state().timelines.size(), 1u);
  expect_same_stream(archive.read(), other);
}

TEST(Capture, FollowsAPromotedReplicaUnderItsNewName) {
  auto primary = RedisServer::start();
  auto replica = RedisServer::start();
  replica->command({"REPLICAOF", "127.0.0.1", primary->port_text()});
  replica->wait_for_link_up();
  TestArchive archive;
  auto options = options_for(*replica);
  RunningCapture capture(archive, options);
  capture.wait_for([](const auto& status) { return status.base_complete; }, "the base");
  primary->command({"SET", "k", "1"});
  capture.wait_protected(offset_of(*primary));
  replica->command({"REPLICAOF", "NO", "ONE"});
  replica->command({"SET", "k", "2"});
  capture.wait_protected(offset_of(*replica));
  EXPECT_EQ(capture.status().full_syncs, 1u);
  ASSERT_TRUE(capture.stop());
  EXPECT_EQ(archive.state().timelines.size(), 1u) << archive.state().timelines.back().origin.reason << replica->log();
  EXPECT_EQ(archive.state().timelines[0].replication_id, replica->info("replication").replid());
}

TEST(Capture, RecordsAGapWhenTheSourceLostItsHistory) {
  auto source = RedisServer::start();
  TestArchive archive;
  RunningCapture capture(archive, options_for(*source));
  capture.wait_for([](const auto& status) { return status.base_complete; }, "the base");
  source->command({"SET", "k", "1"});
  capture.wait_protected(offset_of(*source));
  source->kill9();
  source->start_again();
  source->command({"SET", "k", "2"});
  capture.wait_for([](const auto& status) { return status.full_syncs == 2 && status.base_complete; }, "a second base");
  capture.wait_protected(offset_of(*source));
  ASSERT_TRUE(capture.stop());
  const auto gaps = storage::gaps(archive.state());
  ASSERT_EQ(gaps.size(), 1u);
  EXPECT_EQ(gaps[0].after.timeline.value, 2u);
}

}  // namespace
}  // namespace anclora::protect
