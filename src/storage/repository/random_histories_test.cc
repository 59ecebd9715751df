// Random lives of a source, each loaded and compared with a model of what must be known.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/testing/sanitizer.h"
#include "storage/repository/log_reader.h"
#include "storage/repository/testing/test_source.h"
#include "storage/store/folder_store.h"
#include "storage/store/memory_store.h"

namespace anclora::storage {
namespace {

struct ModelTimeline {
  TimelineState opened;
  std::vector<PackInfo> packs;                                   // named by a checkpoint
  std::vector<std::string> bases;                                // named by a checkpoint
  std::vector<std::pair<std::uint64_t, std::string>> announced;  // by the log alone: sequence, base
  std::map<std::uint64_t, std::string> stream;                   // sequence -> bytes
  std::uint64_t entries = 0;
  std::string replication_id;
  bool named = false;  // by a checkpoint
};

class History {
 public:
  History(Store& store, ManualClock& clock, std::uint64_t seed)
      : store_(store), clock_(clock), random_(seed), source_(store_, repository_, clock_, random_) {
    open({});
  }

  void step() {
    const std::uint64_t choice = random_.below(100);
    if (choice < 50)
      append();
    else if (choice < 60)
      event(EntryKind::kClaim, "again");
    else if (choice < 65)
      rename();
    else if (choice < 75)
      base();
    else if (choice < 90)
      pack();
    else if (choice < 93)
      source_.checkpoint({}, random_.below(2) == 0);
    else if (choice < 96)
      expire();
    else
      next_timeline();
  }

  void compare() {
    const auto loaded = load_source_state(store_, repository_, "default");
    ASSERT_TRUE(loaded.has_value()) << loaded.error().to_string();
    const SealedEntry& newest = source_.entries().back();
    ASSERT_TRUE(loaded->head.has_value());
    EXPECT_EQ(loaded->head->hash, newest.hash);
    EXPECT_EQ(loaded->head->sequence, newest.entry.sequence);
    ASSERT_EQ(loaded->timelines.size(), timelines_.size());
    for (std::size_t i = 0; i < timelines_.size(); ++i) compare(loaded->timelines[i], timelines_[i]);
    compare_streams(*loaded);
  }

 private:
  ModelTimeline& now() { return timelines_.back(); }

  void open(const Origin& origin) {
    const redis::Offset start =
        origin.kind == OriginKind::kFork ? origin.previous.offset : redis::Offset{random_.below(1000)};
    if (!timelines_.empty()) ++now().entries;  // the kClosed
    source_.open(origin, start, std::string(40, static_cast<char>('a' + timelines_.size() % 6)));
    ModelTimeline timeline;
    timeline.opened = source_.opened();
    timeline.replication_id = timeline.opened.replication_id;
    timeline.entries = 1;
    timelines_.push_back(timeline);
    packed_ = 0;
  }

  void append() {
    const std::string bytes = random_.bytes(random_.below(50));
    now().stream[now().entries++] = bytes;
    source_.append(bytes);
  }

  void event(EntryKind kind, const std::string& text) {
    ++now().entries;
    source_.append_kind(kind, text);
  }

  void rename() {
    now().replication_id = std::string(40, static_cast<char>('0' + random_.below(10)));
    event(EntryKind::kRename, now().replication_id);
  }

  // Names every timeline that no checkpoint names yet.
  CheckpointDelta delta() {
    CheckpointDelta delta;
    for (ModelTimeline& timeline : timelines_)
      if (!std::exchange(timeline.named, true)) delta.opened.push_back(timeline.opened);
    return delta;
  }

  void base() {
    const BaseInfo info = source_.base(tiny_rdb("x"), "source", ++attempts_);
    now().announced.push_back({now().entries++, info.name});
    if (random_.below(3) == 0) return;
    CheckpointDelta change = delta();
    change.bases = {info};
    source_.checkpoint(change);
    now().bases.push_back(info.name);
  }

  void pack() {
    if (packed_ == now().entries) return;
    const PackInfo info = source_.pack();
    packed_ = now().entries;
    if (random_.below(5) == 0) return;  // died before the checkpoint: the pack does not count
    CheckpointDelta change = delta();
    change.packs = {info};
    source_.checkpoint(change);
    now().packs.push_back(info);
  }

  // Removes entries that packs hold, but for the newest of all.
  void expire() {
    for (const SealedEntry& entry : source_.entries()) {
      if (entry.hash == source_.entries().back().hash) continue;
      for (const PackInfo& pack : timelines_[entry.entry.timeline.value - 1].packs)
        if (pack.first_sequence <= entry.entry.sequence && entry.entry.sequence <= pack.last_sequence) {
          ASSERT_TRUE(store_.remove(entry.object_name).has_value());
        }
    }
  }

  void next_timeline() {
    const redis::Offset end = source_.tip().last;
    const bool fork = random_.below(2) == 0;
    const std::uint64_t back = fork ? random_.below(end - now().opened.start + 1) : 0;
    open({fork ? OriginKind::kFork : OriginKind::kGap, {now().opened.id, end - back}, clock_.wall_now(), "why"});
  }

  // A base that only the log announces is known while the chain has none and the announcement is not packed.
  static std::vector<std::string> known_bases(const ModelTimeline& model, bool may_be_read_from_log) {
    if (!model.bases.empty() || !may_be_read_from_log) return model.bases;
    std::vector<std::string> names;
    for (const auto& [sequence, name] : model.announced)
      if (model.packs.empty() || sequence > model.packs.back().last_sequence) names.push_back(name);
    return names;
  }

  void compare(const TimelineState& got, const ModelTimeline& model) {
    EXPECT_EQ(got.id, model.opened.id);
    EXPECT_EQ(got.start, model.opened.start);
    EXPECT_EQ(got.origin.kind, model.opened.origin.kind);
    EXPECT_EQ(got.origin.previous, model.opened.origin.previous);
    EXPECT_EQ(got.closed, model.opened.id != now().opened.id);
    ASSERT_EQ(got.packs.size(), model.packs.size());
    for (std::size_t i = 0; i < got.packs.size(); ++i) EXPECT_EQ(got.packs[i].last_hash, model.packs[i].last_hash);
    // The log is followed from the newest timeline that a checkpoint names.
    const bool followed = model.opened.id >= newest_named();
    std::vector<std::string> names;
    for (const BaseInfo& base : got.bases) names.push_back(base.name);
    std::vector<std::string> expected = known_bases(model, followed);
    std::ranges::sort(names);
    std::ranges::sort(expected);
    EXPECT_EQ(names, expected);
    if (followed) {
      EXPECT_EQ(got.replication_id, model.replication_id);
    }
  }

  TimelineId newest_named() const {
    TimelineId newest{0};
    for (const ModelTimeline& timeline : timelines_)
      if (timeline.named) newest = timeline.opened.id;
    return newest;
  }

  // Each timeline read by itself is what was appended to it.
  void compare_streams(const SourceState& state) {
    for (const TimelineState& timeline : state.timelines) {
      const ModelTimeline& model = timelines_[timeline.id.value - 1];
      std::string expected;
      for (const auto& [sequence, bytes] : model.stream) expected += bytes;
      const Position from{timeline.id, timeline.start};
      auto reader =
          LogReader::open(store_, repository_, state, from, Position{timeline.id, timeline.start + expected.size()});
      ASSERT_TRUE(reader.has_value()) << reader.error().to_string();
      std::string got;
      while (true) {
        auto entry = reader->next();
        ASSERT_TRUE(entry.has_value()) << entry.error().to_string();
        if (!*entry) break;
        got += (*entry)->bytes;
      }
      EXPECT_EQ(got, expected);
    }
  }

  Store& store_;
  ManualClock& clock_;
  SeededRandom random_;
  Repository repository_ = make_plain_repository(store_, clock_, random_);
  TestSource source_;
  std::vector<ModelTimeline> timelines_;
  std::uint64_t packed_ = 0;  // entries of this timeline in packs, counted or not
  std::uint32_t attempts_ = 0;
};

void live_and_compare(Store& store, ManualClock& clock, std::uint64_t seed) {
  History history(store, clock, seed);
  for (std::uint64_t steps = SeededRandom(seed).below(30); steps > 0; --steps) history.step();
  history.compare();
}

TEST(RandomHistories, LoadAsTheModelSays) {
  for (std::uint64_t seed = 1; seed <= (kThreadSanitizer ? 100 : 1000); ++seed) {
    ManualClock clock;
    MemoryStore store(clock);
    live_and_compare(store, clock, seed);
    if (::testing::Test::HasFailure()) FAIL() << "seed " << seed;
  }
}

TEST(RandomHistories, LoadAsTheModelSaysFromAFolder) {
  for (std::uint64_t seed = 2001; seed <= 2020; ++seed) {
    ManualClock clock;
    TemporaryDirectory folder;
    SeededRandom random(seed);
    FolderStore store(posix_file_system(), random, folder / "repository");
    live_and_compare(store, clock, seed);
    if (::testing::Test::HasFailure()) FAIL() << "seed " << seed;
  }
}

}  // namespace
}  // namespace anclora::storage
