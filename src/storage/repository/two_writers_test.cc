// Two writers of one log, in every interleaving of their steps and with every outcome of their puts.
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "storage/repository/log_reader.h"
#include "storage/repository/log_writer.h"
#include "storage/repository/testing/test_source.h"
#include "storage/store/memory_store.h"

namespace anclora::storage {
namespace {

enum class Fate : std::uint8_t { kDone, kReplyLost, kRequestLost, kDelayed, kCrashBefore, kCrashAfter };
constexpr Fate kFates[] = {Fate::kDone,    Fate::kReplyLost,   Fate::kRequestLost,
                           Fate::kDelayed, Fate::kCrashBefore, Fate::kCrashAfter};

// A store whose next put meets a given fate. A delayed put answers "unknown" and lands when deliver() is called.
class FatefulStore final : public AppendStore {
 public:
  FatefulStore(MemoryStore& inner, std::vector<std::pair<std::string, Bytes>>& delayed)
      : inner_(inner), delayed_(delayed) {}
  Fate next = Fate::kDone;

  Result<Bytes> get(std::string_view name, std::uint64_t limit) override { return inner_.get(name, limit); }
  Result<Bytes> get_range(std::string_view name, std::uint64_t offset, std::uint64_t size) override {
    return inner_.get_range(name, offset, size);
  }
  Result<ObjectInfo> head(std::string_view name) override { return inner_.head(name); }
  Result<Listing> list(std::string_view prefix, bool delimited) override { return inner_.list(prefix, delimited); }
  Result<WallTime> now() override { return inner_.now(); }
  std::string describe() const override { return "fateful"; }
  Result<PutOutcome> put_if_absent(std::string_view name, const Body& body) override {
    const Fate fate = std::exchange(next, Fate::kDone);
    const Bytes bytes = body.read(0, body.size_bytes()).value();
    if (fate == Fate::kRequestLost) return Error(ErrorKind::kUnavailable, "lost");
    if (fate == Fate::kDelayed) {
      delayed_.emplace_back(name, bytes);
      return Error(ErrorKind::kDeadlineExceeded, "delayed");
    }
    if (fate == Fate::kCrashBefore) return Error(ErrorKind::kCancelled, "crashed");
    Result<PutOutcome> outcome = inner_.put_if_absent(name, bytes);
    if (fate == Fate::kReplyLost) return Error(ErrorKind::kUnavailable, "reply lost");
    if (fate == Fate::kCrashAfter) return Error(ErrorKind::kCancelled, "crashed");
    return outcome;
  }

 private:
  MemoryStore& inner_;
  std::vector<std::pair<std::string, Bytes>>& delayed_;
};

// One writer: reads the head, claims, writes; a crash starts it anew with another incarnation.
class Writer {
 public:
  Writer(MemoryStore& store, std::vector<std::pair<std::string, Bytes>>& delayed, const Repository& repository,
         std::uint8_t id, Random& random, std::uint64_t entries)
      : store_(store, delayed), repository_(repository), id_(id), random_(random), entries_(entries) {}

  bool finished() const { return fenced_ || written_ == entries_; }
  bool puts_next() const { return sealed_.has_value(); }

  void step(Fate fate) {
    if (!sealed_) {
      read_head_and_claim();
      return;
    }
    store_.next = fate;
    const Status published = publisher_->publish(*sealed_);
    if (published) {
      believed[sealed_->object_name] = sealed_->object;
      ++written_;
      seal_stream();
    } else if (published.error().kind() == ErrorKind::kFenced) {
      fenced_ = true;
    } else if (published.error().kind() == ErrorKind::kCancelled) {
      sealed_.reset();
    } else {
      EXPECT_TRUE(published.error().kind() == ErrorKind::kUnavailable ||
                  published.error().kind() == ErrorKind::kDeadlineExceeded)
          << published.error().to_string();
    }
  }

  std::map<std::string, Bytes> believed;  // what it was told is published

 private:
  void read_head_and_claim() {
    const auto state = load_source_state(store_, repository_, "default");
    ASSERT_TRUE(state.has_value()) << state.error().to_string();
    sealer_ = std::make_unique<EntrySealer>(repository_, "default", tip_after(state->head), Incarnation{id_, ++starts_},
                                            HolderId{id_}, random_);
    publisher_ = std::make_unique<LogPublisher>(store_, repository_);
    LogEntry claim;
    claim.kind = EntryKind::kClaim;
    claim.first = claim.last = claim.boundary = sealer_->tip().last;
    sealed_ = sealer_->seal(claim).value();
  }

  void seal_stream() {
    LogEntry entry;
    entry.bytes = std::string(1, static_cast<char>('a' + id_));
    entry.first = sealer_->tip().last;
    entry.last = entry.boundary = entry.first + 1;
    sealed_ = sealer_->seal(entry).value();
  }

  FatefulStore store_;
  const Repository& repository_;
  std::uint8_t id_;
  Random& random_;
  std::uint64_t entries_;
  std::uint8_t starts_ = 0;
  std::uint64_t written_ = 0;
  bool fenced_ = false;
  std::unique_ptr<EntrySealer> sealer_;
  std::unique_ptr<LogPublisher> publisher_;
  std::optional<SealedEntry> sealed_;
};

// Chooses one branch after the other: run the same model again and again until all were taken.
class Explorer {
 public:
  std::size_t choose(std::size_t count) {
    if (depth_ == path_.size()) path_.push_back({0, count});
    EXPECT_EQ(path_[depth_].second, count) << "the model does not run the same way twice";
    return path_[depth_++].first;
  }
  bool next() {
    depth_ = 0;
    while (!path_.empty() && path_.back().first + 1 == path_.back().second) path_.pop_back();
    if (path_.empty()) return false;
    ++path_.back().first;
    return true;
  }
  std::string describe() const {
    std::string text;
    for (const auto& [taken, count] : path_) text += std::to_string(taken) + " ";
    return text;
  }

 private:
  std::vector<std::pair<std::size_t, std::size_t>> path_;
  std::size_t depth_ = 0;
};

struct Outcome {
  bool both_claimed = false;
  bool someone_fenced = false;
};

Outcome run(Explorer& explorer, std::uint64_t entries, int faults) {
  ManualClock clock;
  MemoryStore store(clock);
  SeededRandom random(3);
  const Repository repository = make_plain_repository(store, clock, random);
  EntrySealer first(repository, "default", ChainTip{}, Incarnation{9}, HolderId{9}, random);
  LogPublisher opener(store, repository);
  const TimeMark now{redis::Offset{0}, clock.wall_now(), clock.mono_now()};
  EXPECT_TRUE(opener.publish(first.open_timeline(Origin{}, redis::Offset{0}, std::string(40, 'a'), "", now)->front())
                  .has_value());

  std::vector<std::pair<std::string, Bytes>> delayed;
  Writer writers[] = {{store, delayed, repository, 1, random, entries},
                      {store, delayed, repository, 2, random, entries}};
  for (int steps = 0; steps < 24; ++steps) {
    std::vector<std::function<void()>> moves;
    for (Writer& writer : writers) {
      if (writer.finished()) continue;
      moves.push_back([&] {
        const bool may_fail = writer.puts_next() && faults > 0;
        const Fate fate = may_fail ? kFates[explorer.choose(std::size(kFates))] : Fate::kDone;
        if (fate != Fate::kDone) --faults;
        writer.step(fate);
      });
    }
    if (!delayed.empty()) {
      moves.push_back([&] {
        ignore_result(store.put_if_absent(delayed.front().first, delayed.front().second));  // it may come too late
        delayed.erase(delayed.begin());
      });
    }
    if (moves.empty()) break;
    moves[explorer.choose(moves.size())]();
  }

  Outcome outcome;
  for (const auto& [name, object] : writers[0].believed) {
    const auto other = writers[1].believed.find(name);
    EXPECT_TRUE(other == writers[1].believed.end()) << name << " is believed by both";
  }
  for (const Writer& writer : writers)
    for (const auto& [name, object] : writer.believed) EXPECT_EQ(store.get(name, kMiB).value(), object) << name;
  outcome.both_claimed = !writers[0].believed.empty() && !writers[1].believed.empty();
  // Whatever happened, the log is one whole chain.
  const SourceState state = load_source_state(store, repository, "default").value();
  auto reader = LogReader::open(store, repository, state, {TimelineId{1}, redis::Offset{0}}, std::nullopt);
  EXPECT_TRUE(reader.has_value());
  std::uint64_t count = 0;
  while (true) {
    auto entry = reader->next();
    EXPECT_TRUE(entry.has_value()) << entry.error().to_string();
    if (!entry || !*entry) break;
    ++count;
  }
  EXPECT_EQ(count, state.head->sequence + 1);
  return outcome;
}

void explore(std::uint64_t entries, int faults) {
  Explorer explorer;
  std::uint64_t runs = 0;
  std::uint64_t both = 0;
  do {
    both += run(explorer, entries, faults).both_claimed ? 1 : 0;
    ++runs;
    if (::testing::Test::HasFailure()) FAIL() << "choices: " << explorer.describe();
  } while (explorer.next());
  EXPECT_GT(runs, 1000U);
  EXPECT_GT(both, 0U);  // the model reaches what it is about
  std::printf("%llu interleavings\n", static_cast<unsigned long long>(runs));
}

TEST(TwoWriters, NeverBothBelieveInOneNameWithOneFaultInAnyInterleaving) { explore(3, 1); }

TEST(TwoWriters, NeverBothBelieveInOneNameWithTwoFaultsInAnyInterleaving) { explore(1, 2); }

}  // namespace
}  // namespace anclora::storage
