// One checkpoint after the other is damaged, cut or lost: what it named is found again, and the next writer mends it.
#include <gtest/gtest.h>

#include <algorithm>

#include "storage/repository/checkpoint.h"
#include "storage/repository/expire.h"
#include "storage/repository/log_reader.h"
#include "storage/repository/testing/test_source.h"
#include "storage/store/memory_store.h"

namespace anclora::storage {
namespace {

enum class Harm { kFlip, kCut, kLose, kReplace };

std::string fmt_name(Harm how, std::uint64_t ordinal) {
  static constexpr const char* kNames[] = {"flipped ", "cut ", "lost ", "replaced "};
  return kNames[static_cast<std::size_t>(how)] + std::to_string(ordinal);
}

class DamagedCheckpoint : public ::testing::Test {
 protected:
  // Two timelines and three bases; a pack in nearly every one of 130 checkpoints; what packs cover was deleted.
  void SetUp() override {
    source_.open_first();
    CheckpointDelta first;
    first.url = "redis://here";
    first.opened = {source_.opened()};
    first.bases = {source_.base(tiny_rdb("one"))};
    source_.checkpoint(first);
    for (int i = 0; i < 40; ++i) pack_and_tell("one");
    source_.append("x");
    CheckpointDelta second;
    Origin gap;
    gap.kind = OriginKind::kGap;
    gap.previous = {TimelineId{1}, source_.tip().last};
    gap.reason = "full resync";
    source_.open(gap, redis::Offset{9000}, std::string(40, 'b'));
    second.opened = {source_.opened()};
    second.bases = {source_.base(tiny_rdb("two"))};
    for (const SealedEntry& entry : source_.entries())
      if (entry.entry.kind == EntryKind::kClosed) second.ends = {timeline_end(entry.entry, entry.hash)};
    source_.checkpoint(second);
    for (int i = 0; i < 80; ++i) {
      if (i == 40) {
        CheckpointDelta base;
        base.bases = {source_.base(tiny_rdb("three"))};
        source_.checkpoint(base);
      }
      pack_and_tell("two");
    }
    source_.append("tail");
    expire_packed_entries();
    truth_ = source_.load();
    text_ = everything(truth_).value();
  }

  void pack_and_tell(std::string_view bytes) {
    source_.append(bytes);
    CheckpointDelta delta;
    delta.packs = {source_.pack()};
    source_.checkpoint(delta);
  }

  void expire_packed_entries() {
    const SourceState state = source_.load();
    for (const SealedEntry& entry : source_.entries())
      for (const TimelineState& timeline : state.timelines)
        for (const PackInfo& pack : timeline.packs)
          if (timeline.id == entry.entry.timeline && pack.first_sequence <= entry.entry.sequence &&
              entry.entry.sequence <= pack.last_sequence && entry.entry.sequence != state.head->sequence) {
            ASSERT_TRUE(store_.remove(entry.object_name).has_value());
          }
  }

  // The state and the whole stream, as text.
  Result<std::string> everything(const SourceState& state) {
    std::string text = to_hex(state.head->hash);
    for (const TimelineState& timeline : state.timelines) {
      text += "\n" + timeline.replication_id + to_string(timeline.origin.previous) + timeline.close_reason;
      for (const BaseInfo& base : timeline.bases) text += " " + base.name;
      for (const PackInfo& pack : timeline.packs) text += " " + to_hex(pack.last_hash);
      ASSIGN_OR_RETURN(LogReader log,
                       LogReader::open(store_, repository_, state, {timeline.id, timeline.first_kept},
                                       Position{timeline.id, timeline.end ? timeline.end->last : source_.tip().last}));
      while (true) {
        ASSIGN_OR_RETURN(const std::optional<LogEntry> entry, log.next());
        if (!entry) break;
        text += entry->bytes;
      }
    }
    return text;
  }

  void harm(const std::string& name, Harm how) {
    const Bytes whole = store_.get(name, kMiB).value();
    Bytes bytes = whole;
    switch (how) {
      case Harm::kFlip:
        bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
        return store_.overwrite(name, bytes);
      case Harm::kCut:
        return store_.overwrite(name, bytes.substr(0, bytes.size() / 2));
      case Harm::kLose:
        ASSERT_TRUE(store_.remove(name).has_value());
        return;
      case Harm::kReplace:
        return store_.overwrite(name, store_.get(layout::checkpoint("default", 2), kMiB).value());
    }
  }

  static std::string name_of(std::uint64_t ordinal) { return layout::checkpoint("default", ordinal); }

  bool names(const SourceState& state, const std::string& object) {
    return std::ranges::find(state.damaged_checkpoints, object, &DamagedObject::object) !=
           state.damaged_checkpoints.end();
  }

  ManualClock clock_;
  MemoryStore store_{clock_};
  SeededRandom random_{5};
  Repository repository_ = make_plain_repository(store_, clock_, random_);
  TestSource source_{store_, repository_, clock_, random_};
  SourceState truth_;
  std::string text_;
};

TEST_F(DamagedCheckpoint, WhateverOneIsHarmedNothingIsLostAndItIsNamedIfItIsStillNeeded) {
  ASSERT_EQ(truth_.checkpoint_ordinal, 123U);
  for (const Harm how : {Harm::kFlip, Harm::kCut, Harm::kLose, Harm::kReplace}) {
    for (std::uint64_t ordinal = 1; ordinal <= truth_.checkpoint_ordinal; ++ordinal) {
      if (how == Harm::kReplace && ordinal == 2) continue;
      SCOPED_TRACE(fmt_name(how, ordinal));
      const Bytes whole = store_.get(name_of(ordinal), kMiB).value();
      harm(name_of(ordinal), how);
      const Result<SourceState> state = load_source_state(store_, repository_, "default");
      ASSERT_TRUE(state.has_value()) << state.error().message();
      EXPECT_TRUE(everything(*state).value() == text_);
      const bool newest_lost = how == Harm::kLose && ordinal == truth_.checkpoint_ordinal;
      EXPECT_EQ(names(*state, name_of(ordinal)), ordinal >= 121) << newest_lost;
      EXPECT_EQ(state->damaged_checkpoints.size(), ordinal >= 121 ? 1U : 0U);
      store_.overwrite(name_of(ordinal), whole);
    }
  }
}

TEST_F(DamagedCheckpoint, EveryPairOfTheNewestIsSurvived) {
  for (std::uint64_t first : {61U, 100U, 120U, 121U, 122U}) {
    for (std::uint64_t second = first + 1; second <= truth_.checkpoint_ordinal; ++second) {
      SCOPED_TRACE(std::to_string(first) + " and " + std::to_string(second));
      const Bytes one = store_.get(name_of(first), kMiB).value();
      const Bytes two = store_.get(name_of(second), kMiB).value();
      harm(name_of(first), Harm::kFlip);
      harm(name_of(second), Harm::kLose);
      const Result<SourceState> state = load_source_state(store_, repository_, "default");
      ASSERT_TRUE(state.has_value()) << state.error().message();
      EXPECT_TRUE(everything(*state).value() == text_);
      store_.overwrite(name_of(first), one);
      store_.overwrite(name_of(second), two);
    }
  }
}

TEST_F(DamagedCheckpoint, WithoutAnyCheckpointEverythingIsFoundAmongTheObjects) {
  for (std::uint64_t ordinal = 1; ordinal <= truth_.checkpoint_ordinal; ++ordinal) harm(name_of(ordinal), Harm::kCut);
  const Result<SourceState> state = load_source_state(store_, repository_, "default");
  ASSERT_TRUE(state.has_value()) << state.error().message();
  EXPECT_TRUE(everything(*state).value() == text_);
  EXPECT_EQ(state->damaged_checkpoints.size(), truth_.checkpoint_ordinal);
  ASSERT_TRUE(write_checkpoint(store_, repository_, "default", {}, clock_, random_).has_value());
  const SourceState mended = source_.load();
  EXPECT_TRUE(mended.damaged_checkpoints.empty());
  EXPECT_EQ(mended.checkpoint_ordinal, truth_.checkpoint_ordinal + 1);
  EXPECT_TRUE(everything(mended).value() == text_);
}

TEST_F(DamagedCheckpoint, TheNextWriterMakesUpForItWithAFullOne) {
  for (const Harm how : {Harm::kFlip, Harm::kCut, Harm::kLose}) {
    for (const std::uint64_t back : {0U, 1U}) {
      pack_and_tell("before");
      pack_and_tell("before");
      const std::uint64_t newest = source_.load().checkpoint_ordinal;
      const std::string name = name_of(newest - back);
      SCOPED_TRACE(fmt_name(how, newest - back));
      const Bytes whole = store_.get(name, kMiB).value();
      harm(name, how);
      if (how == Harm::kLose && back == 0) expire_packed_entries();
      pack_and_tell("more");
      SourceState mended = source_.load();
      EXPECT_TRUE(mended.damaged_checkpoints.empty());
      EXPECT_TRUE(mended.rebuilt.has_value());
      const bool reused = how == Harm::kLose && back == 0;
      EXPECT_EQ(mended.checkpoint_ordinal, reused ? newest : newest + 1);
      pack_and_tell("more");
      const std::string text = everything(source_.load()).value();
      EXPECT_EQ(source_.load().timelines.back().packs.back().last_hash, source_.entries().back().hash);
      if (reused) continue;
      // Also for who can read the damaged one after all.
      store_.overwrite(name, whole);
      EXPECT_TRUE(everything(source_.load()).value() == text);
      EXPECT_TRUE(source_.load().damaged_checkpoints.empty());
    }
  }
}

TEST_F(DamagedCheckpoint, AFullOneThatIsDamagedAfterItWasMendedIsNotNeededToStartFrom) {
  for (std::uint64_t ordinal = 1; ordinal <= 121; ++ordinal) harm(name_of(ordinal), Harm::kLose);
  source_.checkpoint({});
  pack_and_tell("more");
  const SourceState state = source_.load();
  EXPECT_TRUE(state.damaged_checkpoints.empty());
  EXPECT_EQ(state.timelines.size(), 2U);
  EXPECT_EQ(state.timelines.back().packs.size(), truth_.timelines.back().packs.size() + 1);
}

TEST_F(DamagedCheckpoint, TheNewestThatIsLostWithoutATraceIsNoticedByTheEntriesThatAreGone) {
  for (std::uint64_t ordinal = 110; ordinal <= truth_.checkpoint_ordinal; ++ordinal)
    harm(name_of(ordinal), Harm::kLose);
  const SourceState state = source_.load();
  EXPECT_TRUE(names(state, name_of(110)));
  EXPECT_TRUE(everything(state).value() == text_);
  ASSERT_TRUE(write_checkpoint(store_, repository_, "default", {}, clock_, random_).has_value());
  EXPECT_TRUE(source_.load().damaged_checkpoints.empty());
  EXPECT_TRUE(everything(source_.load()).value() == text_);
}

TEST_F(DamagedCheckpoint, ExpireDeletesNothingBeforeItIsMendedAndNothingThatNobodyCouldReadAfterwards) {
  const PackInfo pack = truth_.timelines.back().packs.back();
  const std::string pack_name = layout::pack("default", pack.timeline, pack.first_sequence, pack.last_sequence);
  harm(name_of(truth_.checkpoint_ordinal), Harm::kFlip);
  harm(pack_name, Harm::kFlip);  // of which that checkpoint told
  clock_.advance(std::chrono::hours(72));
  const ExpireGrace grace{Duration(0), Duration(0)};
  const auto refused = plan_deletions(store_, repository_, "default", grace, store_.now().value());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kDataLoss);
  EXPECT_NE(refused.error().message().find(name_of(truth_.checkpoint_ordinal)), std::string::npos);
  ASSERT_TRUE(write_checkpoint(store_, repository_, "default", {}, clock_, random_).has_value());
  clock_.advance(std::chrono::hours(72));
  const auto plan = plan_deletions(store_, repository_, "default", grace, store_.now().value());
  ASSERT_TRUE(plan.has_value()) << plan.error().message();
  for (const DeletionPlan::Item& item : plan->items) EXPECT_NE(item.reason, "never counted") << item.object;
  // The log leads on behind what is lost.
  EXPECT_EQ(source_.load().head->hash, truth_.head->hash);
  EXPECT_EQ(source_.load().timelines.back().packs.size(), truth_.timelines.back().packs.size());
  source_.append("onwards");
}

TEST_F(DamagedCheckpoint, WhatALostCheckpointRetiredAndExpireDeletedIsNotCountedAgain) {
  CheckpointDelta delta;
  const TimelineState newest = truth_.timelines.back();
  const std::size_t half = 40;
  for (std::size_t i = 0; i < half; ++i) delta.retired_packs.push_back(newest.packs[i]);
  delta.retired_bases = {newest.bases[0]};
  delta.retired_timelines = {TimelineId{1}};
  delta.first_kept[2] = {newest.packs[half].first_sequence, newest.packs[half].first};
  const std::uint64_t retiring = source_.checkpoint(delta);
  const std::string text = everything(source_.load()).value();
  clock_.advance(std::chrono::hours(48));
  const ExpireGrace grace{Duration(0), Duration(0)};
  const auto plan = plan_deletions(store_, repository_, "default", grace, store_.now().value());
  ASSERT_TRUE(execute_deletions(store_, repository_, "default", *plan, grace).has_value());
  harm(name_of(retiring), Harm::kFlip);
  const SourceState state = source_.load();
  EXPECT_TRUE(names(state, name_of(retiring)));
  EXPECT_TRUE(everything(state).value() == text);
  EXPECT_EQ(state.timelines.back().first_kept, newest.packs[half].first);
}

}  // namespace
}  // namespace anclora::storage
