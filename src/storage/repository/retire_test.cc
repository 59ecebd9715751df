// A tag and two expires at once, in every interleaving of their requests that write, delete or list.
#include "storage/repository/retire.h"

#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "storage/repository/expire.h"
#include "storage/repository/log_reader.h"
#include "storage/repository/testing/test_source.h"
#include "storage/store/memory_store.h"

namespace anclora::storage {
namespace {

// Lets others act before each request that writes, deletes or lists.
class YieldingStore final : public Store {
 public:
  YieldingStore(MemoryStore& inner, std::function<void()> yield) : inner_(inner), yield_(std::move(yield)) {}
  Result<Bytes> get(std::string_view name, std::uint64_t limit) override { return inner_.get(name, limit); }
  Result<Bytes> get_range(std::string_view name, std::uint64_t offset, std::uint64_t size) override {
    return inner_.get_range(name, offset, size);
  }
  Result<ObjectInfo> head(std::string_view name) override { return inner_.head(name); }
  Result<Listing> list(std::string_view prefix, bool delimited) override {
    // Checkpoints change by puts only: a look at them is as good as the request before it.
    if (prefix.find("/checkpoint/") == std::string_view::npos) yield_();
    return inner_.list(prefix, delimited);
  }
  Result<WallTime> now() override { return inner_.now(); }
  std::string describe() const override { return "yielding"; }
  Result<PutOutcome> put_if_absent(std::string_view name, const Body& body) override {
    yield_();
    return inner_.put_if_absent(name, body);
  }
  Status remove(std::string_view name) override {
    if (!std::exchange(removing_, true)) yield_();
    return inner_.remove(name);
  }

 private:
  MemoryStore& inner_;
  std::function<void()> yield_;
  bool removing_ = false;
};

// One branch after the other.
class Explorer {
 public:
  bool choose() {
    if (depth_ == path_.size()) path_.push_back(false);
    return path_[depth_++];
  }
  bool next() {
    depth_ = 0;
    while (!path_.empty() && path_.back()) path_.pop_back();
    if (path_.empty()) return false;
    path_.back() = true;
    return true;
  }
  std::string describe() const {
    std::string text;
    for (const bool taken : path_) text += taken ? '1' : '0';
    return text;
  }

 private:
  std::vector<bool> path_;
  std::size_t depth_ = 0;
};

const ExpireGrace kNoGrace{Duration(0), Duration(0)};

RetentionPolicy keep_nothing() {
  RetentionPolicy policy;
  policy.every_moment = policy.hourly = policy.daily = policy.weekly = Duration(0);
  return policy;
}

struct Outcome {
  bool tagged = false;
  bool refused = false;
  bool deleted_something = false;
};

class Run {
 public:
  explicit Run(Explorer& explorer) : explorer_(explorer) {
    source_.open_first();
    CheckpointDelta delta;
    delta.opened = {source_.opened()};
    delta.bases = {source_.base(tiny_rdb("old"))};
    source_.append("abc");
    point_ = {TimelineId{1}, source_.tip().last};
    delta.packs = {source_.pack()};
    source_.checkpoint(delta);
    source_.append("def");
    CheckpointDelta newer;
    newer.bases = {source_.base(tiny_rdb("new"))};
    newer.packs = {source_.pack()};
    source_.checkpoint(newer);
    source_.append_kind(EntryKind::kClaim, std::string(kReleasedNote));
    clock_.advance(std::chrono::hours(72));
  }

  Outcome run(bool second_expire) {
    if (second_expire) others_.push_back([this] { expire(store_); });
    YieldingStore yielding(store_, [this] { yield(); });
    // Either side may be the one that is held up in the middle.
    expire(yielding);
    while (tag_step_ < 3) tag();
    judge();
    return outcome_;
  }

 private:
  void yield() {
    while (tag_step_ < 3 && explorer_.choose()) tag();
    if (!others_.empty() && explorer_.choose()) {
      const auto act = others_.back();
      others_.pop_back();
      act();
    }
  }

  // pin_recovery_point() in three pieces: a look, the put, another look.
  void tag() {
    const Pin pin{"t", point_, clock_.wall_now(), clock_.wall_now(), {}, ""};
    ++tag_step_;
    if (tag_step_ == 2) {
      ASSERT_TRUE(write_pin(store_, repository_, "default", pin, random_).has_value());
      return;
    }
    const SourceState state = source_.load();
    const bool kept = is_kept(without_retiring(state), point_);
    if (!kept) {
      outcome_.refused = true;
      tag_step_ = 3;
      return;
    }
    outcome_.tagged = tag_step_ == 3;
  }

  void expire(Store& store) {
    const auto marked = mark_retention(store, repository_, "default", keep_nothing(), clock_, random_);
    ASSERT_TRUE(marked.has_value()) << marked.error().message();
    const auto retired = retire_marked(store, repository_, "default", keep_nothing(), *marked, clock_, random_);
    ASSERT_TRUE(retired.has_value()) << retired.error().message();
    const auto plan = plan_deletions(store, repository_, "default", kNoGrace, store.now().value());
    ASSERT_TRUE(plan.has_value()) << plan.error().message();
    outcome_.deleted_something = outcome_.deleted_something || !plan->items.empty();
    const Status done = execute_deletions(store, repository_, "default", *plan, kNoGrace);
    EXPECT_TRUE(done.has_value() || done.error().kind() == ErrorKind::kFenced) << done.error().message();
  }

  // Also after one more expire: what was reported as tagged is there, with every byte.
  void judge() {
    clock_.advance(std::chrono::hours(72));
    expire(store_);
    if (!outcome_.tagged) return;
    const SourceState state = source_.load();
    ASSERT_TRUE(is_kept(state, point_));
    const BaseInfo& base = state.timelines.back().bases.front();
    ASSERT_LE(base.offset, point_.offset);
    auto reader = BaseReader::open(store_, repository_, "default", base);
    ASSERT_TRUE(reader.has_value()) << reader.error().message();
    Bytes rdb;
    EXPECT_TRUE(reader->read(rdb).has_value());
    auto log = LogReader::open(store_, repository_, state, {TimelineId{1}, base.offset}, point_);
    ASSERT_TRUE(log.has_value()) << log.error().message();
    Bytes stream;
    while (true) {
      const auto entry = log->next();
      ASSERT_TRUE(entry.has_value()) << entry.error().message();
      if (!*entry) break;
      stream += (*entry)->bytes;
    }
    EXPECT_TRUE(stream.starts_with("abc"));
  }

  Explorer& explorer_;
  ManualClock clock_;
  MemoryStore store_{clock_};
  SeededRandom random_{5};
  Repository repository_ = make_plain_repository(store_, clock_, random_);
  TestSource source_{store_, repository_, clock_, random_};
  Position point_;
  int tag_step_ = 0;
  std::vector<std::function<void()>> others_;
  Outcome outcome_;
};

// Expire marks what is being tagged, before one request of the tag or another.
TEST(Retire, ATagThatIsRefusedLeavesItsNameFree) {
  int refused_late = 0;
  for (int moment = 1; moment < 12; ++moment) {
    ManualClock clock;
    MemoryStore store(clock);
    SeededRandom random(5);
    const Repository repository = make_plain_repository(store, clock, random);
    TestSource source(store, repository, clock, random);
    source.open_first();
    CheckpointDelta delta;
    delta.opened = {source.opened()};
    delta.bases = {source.base(tiny_rdb("old"))};
    source.append("abc");
    const Position old{TimelineId{1}, source.tip().last};
    delta.packs = {source.pack()};
    source.checkpoint(delta);
    source.append("def");
    CheckpointDelta newer;
    newer.bases = {source.base(tiny_rdb("new"))};
    newer.packs = {source.pack()};
    source.checkpoint(newer);
    source.append_kind(EntryKind::kClaim, std::string(kReleasedNote));
    clock.advance(std::chrono::hours(72));

    int requests = 0;
    bool was_there = false;
    YieldingStore yielding(store, [&] {
      if (++requests == moment) {
        ASSERT_TRUE(mark_retention(store, repository, "default", keep_nothing(), clock, random).has_value());
      }
      was_there = was_there || store.head(layout::pin("default", "t")).has_value();
    });
    const Pin pin{"t", old, clock.wall_now(), clock.wall_now(), {}, ""};
    const Status tagged = pin_recovery_point(yielding, repository, "default", pin, random);
    if (tagged) continue;
    EXPECT_EQ(tagged.error().kind(), ErrorKind::kFailedPrecondition);
    refused_late += was_there ? 1 : 0;
    const Pin again{"t", {TimelineId{1}, source.tip().last}, clock.wall_now(), clock.wall_now(), {}, ""};
    const Status second = pin_recovery_point(store, repository, "default", again, random);
    EXPECT_TRUE(second.has_value()) << second.error().to_string();
  }
  EXPECT_GT(refused_late, 0);
}

void explore(bool second_expire, std::uint64_t at_least) {
  Explorer explorer;
  std::uint64_t runs = 0, tagged = 0, refused = 0, deleted = 0;
  do {
    const Outcome outcome = Run(explorer).run(second_expire);
    tagged += outcome.tagged ? 1 : 0;
    refused += outcome.refused ? 1 : 0;
    deleted += outcome.deleted_something ? 1 : 0;
    ++runs;
    if (::testing::Test::HasFailure()) FAIL() << "choices: " << explorer.describe();
  } while (explorer.next());
  EXPECT_GE(runs, at_least);
  EXPECT_GT(tagged, 0U);
  EXPECT_GT(refused, 0U);
  EXPECT_GT(deleted, 0U);
  std::printf("%llu interleavings: %llu tagged, %llu refused\n", static_cast<unsigned long long>(runs),
              static_cast<unsigned long long>(tagged), static_cast<unsigned long long>(refused));
}

TEST(Retire, ATagThatWasReportedAsKeptIsKeptInEveryInterleavingWithExpire) { explore(false, 60); }

TEST(Retire, ATagThatWasReportedAsKeptIsKeptInEveryInterleavingWithTwoExpires) { explore(true, 400); }

}  // namespace
}  // namespace anclora::storage
