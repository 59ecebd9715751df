#include "protect/capture/takeover.h"

#include <gtest/gtest.h>

#include "base/memory_file_system.h"
#include "protect/capture/capture_pipeline.h"
#include "redis/rdb/crc64.h"
#include "redis/resp/reply.h"
#include "storage/repository/log_reader.h"
#include "storage/store/faulty_store.h"
#include "storage/store/memory_store.h"

namespace anclora::protect {
namespace {

using redis::build_command;
using redis::Offset;

const std::string kReplid(40, 'a');
constexpr std::uint64_t kStart = 100;

Bytes empty_rdb() {
  ByteWriter out;
  out.raw("REDIS0011\xff");
  out.u64(redis::crc64(0, out.bytes()));
  return out.take();
}

// One store, one source, and lives of capture that are told what to receive.
class TakeoverTest : public testing::Test {
 protected:
  TakeoverTest() : files_(clock_), memory_(clock_), store_(memory_, clock_) {
    storage::InitOptions init;
    init.encrypted = false;
    EXPECT_TRUE(storage::Repository::init(memory_, init, clock_, random_));
    repository_.emplace(*storage::Repository::open(memory_, {}));
    store_.decide([this](const storage::StoreRequest&) -> std::optional<storage::StoreFault> {
      if (away_) return storage::StoreFault{};
      return std::nullopt;
    });
    options_.source = *redis::RedisUrl::parse("redis://source:6379");
    for (int i = 0; i < 60; ++i) {
      stream_ += build_command({"SET", "key", std::to_string(i)});
      ends_.push_back(stream_.size());
    }
  }

  // The offset after the first `commands` of the stream.
  Offset after(std::size_t commands) const { return Offset{kStart + (commands == 0 ? 0 : ends_[commands - 1])}; }

  class Life {
   public:
    Life(TakeoverTest& test, const std::string& outbox) : test_(test), state_(test.clock_) {
      outbox_ = std::move(*Outbox::open(test.files_, test.random_, outbox, kMiB));
      auto begun = CapturePipeline::begin({test.store_, *test.repository_, test.files_, test.clock_, test.random_},
                                          test.options_, *outbox_, state_);
      if (begun) {
        pipeline_ = std::move(*begun);
      } else {
        refused_ = begun.error();
      }
    }
    void handle(decltype(SourceEvent::what) what) {
      const Status handled = pipeline_->encoder().handle({1, std::move(what)});
      ASSERT_TRUE(handled) << handled.error().to_string();
    }
    void full_sync(const std::string& replid = kReplid) {
      handle(FullSyncBegan{replid, Offset{kStart}, "the test says so"});
      handle(BaseChunk{empty_rdb()});
      handle(BaseReceived{});
      work();
    }
    // Receives up to the end of the first `commands`, one entry a command.
    void receive(std::size_t commands) {
      for (std::size_t i = 1; i <= commands; ++i) {
        const Offset from = state_.status().received;
        if (test_.after(i) <= from) continue;
        const auto at = static_cast<std::size_t>(from.value - kStart);
        handle(StreamChunk{test_.stream_.substr(at, test_.after(i) - from), test_.clock_.wall_now(),
                           test_.clock_.mono_now()});
        EXPECT_TRUE(pipeline_->encoder().seal_all());
        work();
      }
    }
    void work() {
      for (int i = 0; i < 20; ++i) {
        test_.clock_.advance(std::chrono::milliseconds(200));
        ASSERT_TRUE(pipeline_->encoder().tick());
        for (int j = 0; j < 20; ++j) {
          const auto worked = pipeline_->uploader().step();
          if (!worked) {
            ended_ = worked.error();
            return;
          }
          if (!*worked) break;
        }
        if (pipeline_->queue().empty() && !state_.base()) break;
      }
      while (pipeline_->checkpoints().step()) {
      }
    }
    TakeoverTest& test_;
    CaptureState state_;
    std::unique_ptr<Outbox> outbox_;
    std::unique_ptr<CapturePipeline> pipeline_;
    std::optional<Error> refused_, ended_;
  };

  // All of the stream that the newest timeline holds from its base on.
  Bytes archived() {
    const auto state = storage::load_source_state(memory_, *repository_, "default");
    EXPECT_TRUE(state);
    const auto& timeline = state->timelines.back();
    auto log = storage::LogReader::open(memory_, *repository_, *state, {timeline.id, timeline.start}, std::nullopt);
    EXPECT_TRUE(log) << log.error().to_string();
    Bytes bytes;
    while (true) {
      auto entry = log->next();
      EXPECT_TRUE(entry) << entry.error().to_string();
      if (!entry || !*entry) return bytes;
      bytes += (*entry)->bytes;
    }
  }
  std::size_t timelines() { return storage::load_source_state(memory_, *repository_, "default")->timelines.size(); }

  ManualClock clock_;
  SeededRandom random_{11};
  MemoryFileSystem files_;
  storage::MemoryStore memory_;
  storage::FaultyStore store_;
  std::optional<storage::Repository> repository_;
  CaptureOptions options_;
  bool away_ = false;
  Bytes stream_;
  std::vector<std::size_t> ends_;
};

TEST_F(TakeoverTest, SealsAnewWhatItSpooledUnderNamesThatItHadTakenItself) {
  {
    Life life(*this, "/outbox");
    life.full_sync();
    life.receive(5);
    ASSERT_TRUE(life.pipeline_->queue().save_chain());
    life.receive(20);  // published, and not remembered on this machine
  }
  away_ = true;
  {
    Life life(*this, "/outbox");
    ASSERT_TRUE(life.pipeline_);
    ASSERT_TRUE(life.state_.resume());
    EXPECT_EQ(life.state_.resume()->last_received, after(5));
    life.receive(30);
    EXPECT_GT(life.outbox_->pending().size(), 10u);
    away_ = false;
    clock_.advance(std::chrono::seconds(15));
    life.work();
    ASSERT_TRUE(life.ended_);  // its names are taken
    EXPECT_EQ(life.ended_->kind(), ErrorKind::kFenced);
  }
  Life life(*this, "/outbox");
  ASSERT_TRUE(life.pipeline_) << life.refused_->to_string();
  EXPECT_TRUE(life.outbox_->pending().empty());
  EXPECT_EQ(life.state_.resume()->last_received, after(30));
  life.receive(40);
  EXPECT_EQ(timelines(), 1u);
  EXPECT_EQ(archived(), stream_.substr(0, ends_[39]));
}

TEST_F(TakeoverTest, PublishesTheRestBehindAnotherHolderOfTheSameHistory) {
  {
    Life first(*this, "/outbox");
    first.full_sync();
    first.receive(10);
    away_ = true;
    first.receive(30);
    EXPECT_FALSE(first.outbox_->pending().empty());
  }
  away_ = false;
  clock_.advance(std::chrono::seconds(31));
  {
    Life other(*this, "/other");
    ASSERT_TRUE(other.pipeline_) << other.refused_->to_string();
    other.receive(17);
  }
  {
    Life early(*this, "/outbox");  // the other one is alive
    ASSERT_TRUE(early.refused_);
    EXPECT_EQ(early.refused_->kind(), ErrorKind::kFenced);
    EXPECT_FALSE(early.outbox_->pending().empty());
  }
  clock_.advance(std::chrono::seconds(31));
  Life again(*this, "/outbox");
  ASSERT_TRUE(again.pipeline_) << again.refused_->to_string();
  EXPECT_EQ(again.state_.resume()->last_received, after(30));
  again.receive(35);
  EXPECT_EQ(timelines(), 1u);
  EXPECT_EQ(archived(), stream_.substr(0, ends_[34]));
}

TEST_F(TakeoverTest, PutsAsideWhatBelongsToAnotherHistory) {
  {
    Life first(*this, "/outbox");
    first.full_sync();
    first.receive(10);
    away_ = true;
    first.receive(30);
  }
  away_ = false;
  clock_.advance(std::chrono::seconds(31));
  {
    Life other(*this, "/other");
    other.full_sync(std::string(40, 'b'));
    other.receive(8);
  }
  clock_.advance(std::chrono::seconds(31));
  Life again(*this, "/outbox");
  ASSERT_TRUE(again.pipeline_) << again.refused_->to_string();
  EXPECT_TRUE(again.outbox_->pending().empty());
  EXPECT_FALSE(files_.list("/outbox/abandoned")->empty());
  EXPECT_EQ(again.state_.resume()->replid, std::string(40, 'b'));
  EXPECT_EQ(again.state_.resume()->last_received, after(8));
}

TEST_F(TakeoverTest, ReplaysByteForByteWhatContinuesTheLog) {
  std::vector<Bytes> spooled;
  {
    Life first(*this, "/outbox");
    first.full_sync();
    first.receive(10);
    away_ = true;
    first.receive(14);
    for (const auto& pending : first.outbox_->pending()) spooled.push_back(*first.outbox_->read(pending));
  }
  away_ = false;
  Life again(*this, "/outbox");
  ASSERT_TRUE(again.pipeline_);
  const auto first = again.outbox_->pending().front();
  again.work();
  EXPECT_TRUE(again.outbox_->pending().empty());
  for (std::size_t i = 0; i < spooled.size(); ++i)
    EXPECT_EQ(*memory_.get(storage::layout::log_entry("default", first.timeline, first.sequence + i), kMiB),
              spooled[i]);
}

TEST_F(TakeoverTest, DoesNotGoOnFromAnUnknownPlaceWithoutTheStore) {
  away_ = true;
  Life life(*this, "/outbox");
  ASSERT_TRUE(life.refused_);
  EXPECT_EQ(retry_class(life.refused_->kind()), RetryClass::kRetry);
}

TEST(SameServer, ComparesHostAndPortOnly) {
  EXPECT_TRUE(same_server("redis://user@host:6379/2", "rediss://host:6379"));
  EXPECT_FALSE(same_server("redis://host:6379", "redis://host:6380"));
  EXPECT_FALSE(same_server("redis://host:6379", "redis://other:6379"));
}

}  // namespace
}  // namespace anclora::protect
