#include "protect/capture/stream_encoder.h"

#include <gtest/gtest.h>

#include "base/memory_file_system.h"
#include "redis/resp/reply.h"
#include "storage/repository/testing/test_source.h"
#include "storage/store/memory_store.h"

namespace anclora::protect {
namespace {

using redis::build_command;
using redis::Offset;
using std::chrono::milliseconds;

class StreamEncoderTest : public ::testing::Test {
 protected:
  StreamEncoderTest() {
    auto outbox = Outbox::open(files_, random_, "/outbox", kMiB);
    EXPECT_TRUE(outbox) << outbox.error().to_string();
    outbox_ = std::move(*outbox);
    queue_ = std::make_unique<UploadQueue>(*outbox_, UploadLimits{});
    make_encoder({});
  }
  void make_encoder(ChainStart start) {
    encoder_ = std::make_unique<StreamEncoder>(
        StreamEncoder::Context{
            repository_, "default", {}, outbox_->base_spool(), files_, clock_, random_, *queue_, state_},
        std::move(start), storage::Incarnation{}, outbox_->holder());
  }
  // Which is published by that.
  storage::LogEntry next_entry() {
    const auto front = queue_->front();
    EXPECT_TRUE(front);
    const storage::LogEntry entry = front ? front->memory->sealed.entry : storage::LogEntry{};
    publish_all();
    return entry;
  }
  void handle(decltype(SourceEvent::what) what) {
    const Status status = encoder_->handle({attachment_, std::move(what)});
    EXPECT_TRUE(status) << status.error().to_string();
  }
  void stream(Bytes bytes) { handle(StreamChunk{std::move(bytes), clock_.wall_now(), clock_.mono_now()}); }
  void begin_base(Offset offset) {
    ++attachment_;
    state_.full_sync_began(attachment_);
    handle(FullSyncBegan{std::string(40, 'a'), offset, "first"});
  }
  void publish_all() {
    while (const auto front = queue_->front()) {
      const storage::LogEntry& entry = front->memory->sealed.entry;
      CaptureState::Published published;
      published.position = {entry.timeline, entry.boundary};
      published.last = entry.last;
      published.base_complete = true;
      state_.published(published);
      queue_->pop_front();
    }
  }
  std::size_t spools() { return files_.list(outbox_->base_spool())->size(); }

  ManualClock clock_;
  MemoryFileSystem files_{clock_};
  SeededRandom random_{3};
  storage::MemoryStore store_{clock_};
  storage::Repository repository_ = storage::make_plain_repository(store_, clock_, random_);
  CaptureState state_{clock_};
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<UploadQueue> queue_;
  std::unique_ptr<StreamEncoder> encoder_;
  Attachment attachment_ = 0;
};

TEST_F(StreamEncoderTest, ThoseWhoWaitBehindAPutInFlightShareTheNextEntry) {
  begin_base({100});
  handle(BaseChunk{storage::tiny_rdb("x")});
  handle(BaseReceived{});
  publish_all();
  stream(build_command({"SET", "a", "1"}) + build_command({"REPLCONF", "GETACK", "*"}));
  EXPECT_EQ(queue_->memory_entries(), 1u);  // at once
  for (int i = 0; i < 50; ++i) {
    clock_.advance(milliseconds(2));
    stream(build_command({"SET", "a", "2"}) + build_command({"REPLCONF", "GETACK", "*"}));
  }
  EXPECT_EQ(queue_->memory_entries(), 1u);
  EXPECT_EQ(queue_->outbox_entries(), 0u);
  publish_all();
  ASSERT_TRUE(encoder_->tick());
  EXPECT_EQ(queue_->memory_entries(), 1u);
}

TEST_F(StreamEncoderTest, WhatIsWrittenWhileTheSourceIsNotHeardIsNotMarkedAsYounger) {
  ChainStart start;
  start.tip.timeline = storage::TimelineId{1};
  start.tip.replication_id = std::string(40, 'a');
  start.tip.last = start.tip.boundary = Offset{100};
  start.parser.emplace(redis::StreamState{{100}, {100}, 0, {}});
  start.base_complete = true;
  start.newest_mark = clock_.wall_now();
  clock_.advance(std::chrono::hours(1));
  make_encoder(start);
  ASSERT_TRUE(encoder_->claim("started"));
  EXPECT_EQ(next_entry().marks.back().wall, start.newest_mark);
  WallTime heard = start.newest_mark;
  for (int cut = 0; cut < 2; ++cut) {
    for (int i = 0; i < 3; ++i) {  // signs of life
      clock_.advance(std::chrono::seconds(11));
      ASSERT_TRUE(encoder_->tick());
      const storage::LogEntry entry = next_entry();
      EXPECT_EQ(entry.marks.back().wall, heard);
      EXPECT_TRUE(entry.catching_up);
    }
    ++attachment_;
    handle(StreamContinued{std::string(40, 'a')});
    const storage::LogEntry entry = next_entry();  // at once: it is heard again
    EXPECT_EQ(entry.marks.back().wall, clock_.wall_now());
    EXPECT_FALSE(entry.catching_up);
    clock_.advance(std::chrono::seconds(3));
    heard = clock_.wall_now();
    handle(LinkLost{});
  }
}

TEST_F(StreamEncoderTest, AcknowledgesPingsWithWhatIsProtected) {
  begin_base({100});
  handle(BaseChunk{storage::tiny_rdb("x")});
  handle(BaseReceived{});
  publish_all();
  stream(build_command({"PING"}));
  EXPECT_EQ(state_.acknowledged(), Offset{114});
  EXPECT_EQ(state_.protected_up_to()->offset, Offset{100});
  const Bytes set = build_command({"SET", "a", "1"});
  stream(set.substr(0, 5));
  EXPECT_EQ(state_.acknowledged(), Offset{114});
  stream(set.substr(5));
  EXPECT_EQ(state_.acknowledged(), Offset{100});
  stream(build_command({"PING"}));
  EXPECT_EQ(state_.acknowledged(), Offset{100});
}

TEST_F(StreamEncoderTest, AnAttemptAtABaseLeavesNothingInTheWayOfTheNext) {
  for (int attempt = 0; attempt < 5; ++attempt) {
    begin_base({100});
    handle(BaseChunk{Bytes(3 * kMiB, 'x')});
    clock_.advance(milliseconds(1));
  }
  EXPECT_EQ(spools(), 1u);
}

TEST_F(StreamEncoderTest, AcknowledgesNothingOfTheOldHistoryAfterAFork) {
  begin_base({100});
  handle(BaseChunk{storage::tiny_rdb("x")});
  handle(BaseReceived{});
  publish_all();
  stream(build_command({"SET", "only", "the old primary"}));
  clock_.advance(milliseconds(200));
  ASSERT_TRUE(encoder_->tick());
  publish_all();
  EXPECT_GT(state_.acknowledged(), Offset{100});
  ++attachment_;
  state_.fork_began(attachment_);
  EXPECT_EQ(state_.acknowledged(), Offset{});
  handle(StreamForked{std::string(40, 'b'), redis::CommandParser({{100}, {100}, 0, {}}), "behind"});
  EXPECT_EQ(state_.acknowledged(), Offset{});
  publish_all();
  EXPECT_EQ(state_.acknowledged(), Offset{100});
}

}  // namespace
}  // namespace anclora::protect
