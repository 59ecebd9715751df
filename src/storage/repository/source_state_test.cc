#include "storage/repository/source_state.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "storage/repository/checkpoint.h"
#include "storage/repository/testing/test_source.h"
#include "storage/store/faulty_store.h"
#include "storage/store/memory_store.h"

namespace anclora::storage {
namespace {

template <class T>
ErrorKind kind_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? ErrorKind::kInternal : result.error().kind();
}

class SourceStateTest : public ::testing::Test {
 protected:
  TestSource source(std::string name = "default") { return {store_, repository_, clock_, random_, std::move(name)}; }

  ManualClock clock_;
  MemoryStore store_{clock_};
  SeededRandom random_{5};
  Repository repository_ = make_plain_repository(store_, clock_, random_);
};

TEST_F(SourceStateTest, ASourceThatIsNotThereIsNotFoundAndTheOthersAreNamed) {
  TestSource orders = source("orders");
  orders.open_first();
  const auto missing = load_source_state(store_, repository_, "default");
  ASSERT_EQ(kind_of(missing), ErrorKind::kNotFound);
  EXPECT_NE(missing.error().hint().find("orders"), std::string::npos);
}

TEST_F(SourceStateTest, ALogWithoutACheckpointLoads) {
  TestSource writer = source();
  writer.open_first(100);
  for (int i = 0; i < 37; ++i) writer.append("0123456789");
  const BaseInfo base = writer.base(tiny_rdb("hello"));
  writer.append("x");
  const SourceState state = writer.load();
  EXPECT_EQ(state.checkpoint_ordinal, 0U);
  ASSERT_EQ(state.timelines.size(), 1U);
  EXPECT_EQ(state.timelines[0].start, redis::Offset{100});
  ASSERT_EQ(state.timelines[0].bases.size(), 1U);
  EXPECT_EQ(state.timelines[0].bases[0].name, base.name);
  EXPECT_EQ(state.head->hash, writer.entries().back().hash);
  EXPECT_EQ(state.head->entry.last, redis::Offset{471});
}

TEST_F(SourceStateTest, ADamagedNewestEntryStopsAWriterAndLeavesTheReaderWhatIsBeforeIt) {
  TestSource writer = source();
  writer.open_first(100);
  writer.base(tiny_rdb("hello"));
  writer.append("0123456789");
  writer.append("lost");
  const SealedEntry& newest = writer.entries().back();
  const Bytes damaged = newest.object.substr(0, newest.object.size() - 1);
  ASSERT_TRUE(store_.remove(newest.object_name).has_value());
  ASSERT_TRUE(store_.put_if_absent(newest.object_name, damaged).has_value());
  EXPECT_EQ(kind_of(load_source_state(store_, repository_, "default")), ErrorKind::kDataLoss);
  const auto state = load_source_state(store_, repository_, "default", DamagedTail::kStepBack);
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->head->entry.last, redis::Offset{110});
  EXPECT_NE(state->damaged_tail.find(newest.object_name), std::string::npos) << state->damaged_tail;
}

TEST_F(SourceStateTest, ANewTimelineThatNoCheckpointNamesIsFoundBehindTheClosedOne) {
  TestSource writer = source();
  writer.open_first();
  CheckpointDelta delta;
  delta.opened = {writer.opened()};
  delta.bases = {writer.base(tiny_rdb("first"))};
  delta.url = "redis://source";
  writer.checkpoint(delta);
  writer.append("abc");
  writer.open({OriginKind::kGap, {TimelineId{1}, redis::Offset{3}}, clock_.wall_now(), "resync"}, redis::Offset{9});
  writer.append("de");
  const SourceState state = writer.load();
  ASSERT_EQ(state.timelines.size(), 2U);
  EXPECT_TRUE(state.timelines[0].closed);
  ASSERT_TRUE(state.timelines[0].end.has_value());
  EXPECT_EQ(state.timelines[0].end->boundary, redis::Offset{3});
  EXPECT_EQ(state.head->timeline, TimelineId{2});
  EXPECT_EQ(state.url, "redis://source");
  const std::vector<GapRecord> holes = gaps(state);
  ASSERT_EQ(holes.size(), 1U);
  EXPECT_EQ(holes[0].before, (Position{TimelineId{1}, redis::Offset{3}}));
  EXPECT_EQ(holes[0].after, (Position{TimelineId{2}, redis::Offset{9}}));
  EXPECT_EQ(holes[0].reason, "resync");
}

TEST_F(SourceStateTest, TimelinesThatNeverGotABaseLieInsideOneGap) {
  TestSource writer = source();
  writer.open_first();
  writer.append("abc");
  const BaseInfo base = writer.base(tiny_rdb("a"));
  const Position lost{TimelineId{1}, redis::Offset{3}};
  const WallTime lost_at = clock_.wall_now();
  CheckpointDelta delta;
  delta.opened = {writer.opened()};
  delta.bases = {base};
  for (const char* reason : {"restarted", "the first base was cut off", "cut off once more"}) {
    writer.open({OriginKind::kGap, lost, lost_at, reason}, redis::Offset{9});
    delta.opened.push_back(writer.opened());
  }
  writer.append("de");
  delta.bases.push_back(writer.base(tiny_rdb("b")));
  writer.checkpoint(delta);
  const SourceState state = writer.load();
  ASSERT_EQ(state.timelines.size(), 4U);
  const auto windows = recovery_windows(state);
  ASSERT_EQ(windows.size(), 2U);
  const std::vector<GapRecord> holes = gaps(state);
  ASSERT_EQ(holes.size(), 1U);
  EXPECT_EQ(holes[0].before, windows[0].to);
  EXPECT_EQ(holes[0].after, windows[1].from);
  EXPECT_EQ(holes[0].reason, "restarted");
}

TEST_F(SourceStateTest, NeverListsTheLogAndAsksForFewNames) {
  TestSource writer = source();
  writer.open_first();
  writer.base(tiny_rdb("a"));
  const PackInfo pack = writer.pack();
  CheckpointDelta delta;
  delta.opened = {writer.opened()};
  delta.bases = {read_base_info(store_, repository_, "default", TimelineId{1}, layout::base_name({}, 1)).value()};
  delta.packs = {pack};
  writer.checkpoint(delta);
  for (int i = 0; i < 500; ++i) writer.append("x");
  FaultyStore counted(store_, clock_);
  ASSERT_TRUE(load_source_state(counted, repository_, "default").has_value());
  EXPECT_LT(counted.request_count(), 40U);
  for (const StoreRequest& request : counted.requests()) {
    if (request.operation == StoreOperation::kList) {
      EXPECT_TRUE(request.name.starts_with("sources/default/checkpoint/")) << request.name;
    }
  }
}

TEST_F(SourceStateTest, TheHeadIsFoundInItsPackWhenItsEntryIsGone) {
  TestSource writer = source();
  writer.open_first();
  writer.append("abc");
  CheckpointDelta delta;
  delta.opened = {writer.opened()};
  delta.packs = {writer.pack()};
  writer.checkpoint(delta);
  for (const SealedEntry& entry : writer.entries()) ASSERT_TRUE(store_.remove(entry.object_name).has_value());
  EXPECT_EQ(writer.load().head->hash, writer.entries().back().hash);
}

TEST_F(SourceStateTest, ALogWhoseObjectsAreGoneIsDamagedAndNotNew) {
  TestSource writer = source();
  writer.open_first();
  const BaseInfo base = writer.base(tiny_rdb("x"));
  ASSERT_TRUE(store_.remove(layout::base_manifest("default", TimelineId{1}, base.name)).has_value());
  EXPECT_EQ(load_source_state(store_, repository_, "default").error().kind(), ErrorKind::kDataLoss);
  CheckpointDelta delta;
  delta.opened = {writer.opened()};
  writer.checkpoint(delta);
  for (const SealedEntry& entry : writer.entries()) ASSERT_TRUE(store_.remove(entry.object_name).has_value());
  EXPECT_EQ(load_source_state(store_, repository_, "default").error().kind(), ErrorKind::kDataLoss);
}

TEST_F(SourceStateTest, ASafetyCopyWithoutALogLoads) {
  TestSource copy = source("safety/before-1");
  CheckpointDelta delta;
  TimelineState opened;
  opened.id = TimelineId{1};
  opened.replication_id = std::string(40, 'c');
  delta.opened = {opened};
  BaseInfo base;
  base.name = layout::base_name(redis::Offset{7}, 1);
  base.timeline = TimelineId{1};
  base.offset = redis::Offset{7};
  base.origin = "safety";
  delta.bases = {base};
  copy.checkpoint(delta);
  const SourceState state = copy.load();
  EXPECT_FALSE(state.head.has_value());
  const std::vector<RecoveryWindow> windows = recovery_windows(state);
  ASSERT_EQ(windows.size(), 1U);
  EXPECT_EQ(windows[0].from, windows[0].to);
  EXPECT_EQ(windows[0].from.offset, redis::Offset{7});
  EXPECT_TRUE(list_sources(store_)->empty());
}

TEST_F(SourceStateTest, TwoThatWriteCheckpointsAtOnceLoseNothing) {
  TestSource writer = source();
  writer.open_first();
  CheckpointDelta delta;
  delta.opened = {writer.opened()};
  writer.checkpoint(delta);
  // Another checkpoint is written between every read of the first and its put.
  FaultyStore faulty(store_, clock_);
  int interruptions = 3;
  faulty.decide([&](const StoreRequest& request) -> std::optional<StoreFault> {
    if (request.operation == StoreOperation::kPut && interruptions > 0) {
      --interruptions;
      CheckpointDelta other;
      other.url = "redis://other-" + std::to_string(interruptions);
      EXPECT_TRUE(write_checkpoint(store_, repository_, "default", other, clock_, random_).has_value());
    }
    return std::nullopt;
  });
  CheckpointDelta mine;
  mine.packs = {writer.pack()};
  const auto ordinal = write_checkpoint(faulty, repository_, "default", mine, clock_, random_);
  ASSERT_TRUE(ordinal.has_value());
  EXPECT_EQ(*ordinal, 5U);
  const SourceState state = writer.load();
  EXPECT_EQ(state.timelines[0].packs.size(), 1U);
  EXPECT_EQ(state.url, "redis://other-0");
}

TEST_F(SourceStateTest, ALostReplyOfACheckpointIsSettled) {
  TestSource writer = source();
  writer.open_first();
  CheckpointDelta delta;
  delta.opened = {writer.opened()};
  FaultyStore faulty(store_, clock_);
  faulty.decide([](const StoreRequest& request) -> std::optional<StoreFault> {
    if (request.operation != StoreOperation::kPut) return std::nullopt;
    return StoreFault{StoreFault::Kind::kErrorAfter, ErrorKind::kUnavailable};
  });
  EXPECT_EQ(write_checkpoint(faulty, repository_, "default", delta, clock_, random_).value(), 1U);
}

TEST_F(SourceStateTest, RetiredObjectsAreListedAcrossFullCheckpointsUntilTheyAreDeleted) {
  TestSource writer = source();
  writer.open_first();
  CheckpointDelta delta;
  delta.opened = {writer.opened()};
  const BaseInfo base = writer.base(tiny_rdb("a"));
  delta.bases = {base};
  delta.packs = {writer.pack()};
  writer.checkpoint(delta);
  CheckpointDelta retire;
  retire.retired_bases = {base};
  retire.retired_packs = delta.packs;
  writer.checkpoint(retire);
  const WallTime retired_at = clock_.wall_now();
  clock_.advance(std::chrono::hours(1));
  for (int i = 0; i < 70; ++i) writer.checkpoint({});
  auto retired = list_retired(store_, repository_, "default").value();
  ASSERT_EQ(retired.size(), 3U);  // base, its side data, pack
  EXPECT_EQ(retired[0].object_prefix, layout::base_prefix("default", TimelineId{1}, base.name));
  EXPECT_EQ(retired[0].retired, retired_at);
  EXPECT_TRUE(writer.load().timelines[0].bases.empty());
  CheckpointDelta forget;
  for (const RetiredObject& object : retired) forget.deleted.push_back(object.object_prefix);
  writer.checkpoint(forget);
  EXPECT_TRUE(list_retired(store_, repository_, "default")->empty());
}

TEST_F(SourceStateTest, OldCheckpointsMayGoOnceAFullOneFollows) {
  TestSource writer = source();
  writer.open_first();
  CheckpointDelta delta;
  delta.opened = {writer.opened()};
  delta.packs = {writer.pack()};
  writer.checkpoint(delta);
  for (int i = 0; i < 61; ++i) writer.checkpoint({});
  const SourceState before = writer.load();
  for (std::uint64_t ordinal = 1; ordinal <= 60; ++ordinal)
    ASSERT_TRUE(store_.remove(layout::checkpoint("default", ordinal)).has_value());
  const SourceState after = writer.load();
  EXPECT_EQ(after.checkpoint_ordinal, before.checkpoint_ordinal);
  EXPECT_EQ(after.timelines[0].packs.size(), 1U);
}

TEST_F(SourceStateTest, ASwappedCheckpointIsNotApplied) {
  TestSource writer = source();
  writer.open_first();
  writer.checkpoint({});
  writer.checkpoint({});
  const Bytes first = store_.get(layout::checkpoint("default", 1), kMiB).value();
  store_.overwrite(layout::checkpoint("default", 2), first);
  const SourceState state = writer.load();
  ASSERT_EQ(state.damaged_checkpoints.size(), 1U);
  EXPECT_EQ(state.damaged_checkpoints[0].object, layout::checkpoint("default", 2));
  EXPECT_EQ(state.checkpoint_ordinal, 2U);
}

// Tampering, or a folder that was set back: its own changes are authentic, what came before them is not known.
TEST_F(SourceStateTest, ACheckpointThatFollowsAnotherIsNamed) {
  TestSource writer = source();
  writer.open_first();
  writer.checkpoint({});
  writer.checkpoint({});
  writer.checkpoint({});
  Checkpoint another;
  another.ordinal = 2;
  another.previous = hash256(open_object(repository_.key(), layout::checkpoint("default", 1),
                                         store_.get(layout::checkpoint("default", 1), kMiB).value())
                                 .value());
  another.writer = "another";
  store_.overwrite(
      layout::checkpoint("default", 2),
      seal_object(repository_.key(), layout::checkpoint("default", 2), encode_checkpoint(another), random_).value());
  const SourceState state = writer.load();
  ASSERT_EQ(state.damaged_checkpoints.size(), 1U);
  EXPECT_EQ(state.damaged_checkpoints[0].object, layout::checkpoint("default", 3));
}

TEST_F(SourceStateTest, ACheckpointThatNobodyCouldReadIsRefusedBeforeItIsPut) {
  TestSource writer = source();
  writer.open_first();
  CheckpointDelta delta;
  delta.opened = {writer.opened()};
  for (std::uint64_t i = 0; i < 100; ++i) {
    PackInfo pack;
    pack.timeline = TimelineId{1};
    pack.first_sequence = pack.last_sequence = i;
    delta.packs.push_back(pack);
  }
  const auto refused = write_checkpoint(store_, repository_, "default", delta, clock_, random_, false, 20000);
  EXPECT_EQ(kind_of(refused), ErrorKind::kResourceExhausted);
  EXPECT_NE(refused.error().hint().find("anclora expire"), std::string::npos);
  EXPECT_FALSE(store_.head(layout::checkpoint("default", 1)).has_value());
  EXPECT_TRUE(write_checkpoint(store_, repository_, "default", delta, clock_, random_).has_value());
}

TimelineState timeline_with(std::uint32_t id, OriginKind kind, std::int64_t opened_at_second, bool base) {
  const auto at = [](std::int64_t second) { return WallTime(std::chrono::seconds(second)); };
  TimelineState timeline;
  timeline.id = TimelineId{id};
  timeline.origin.kind = kind;
  timeline.origin.previous = {TimelineId{id - 1}, redis::Offset{id * 100 - 50}};
  timeline.origin.previous_time = at(opened_at_second - 5);
  timeline.origin.reason = "reason " + std::to_string(id);
  timeline.start = timeline.first_kept = redis::Offset{id * 100};
  timeline.opened = at(opened_at_second);
  timeline.closed = true;
  timeline.end = TimelineEnd{
      timeline.id, 3,       {}, redis::Offset{id * 100 + 50}, redis::Offset{id * 100 + 50}, at(opened_at_second + 1000),
      "",          "closed"};
  if (base) {
    BaseInfo info;
    info.name = "b";
    info.timeline = timeline.id;
    info.offset = redis::Offset{id * 100 + 1};
    info.time = at(opened_at_second + 1);
    timeline.bases = {info};
  }
  return timeline;
}

TEST(RecoveryWindows, EndBeforeAGapWhenTheSourceWasLastSeenAndNotWhenTheLogWasClosed) {
  SourceState state;
  state.timelines = {timeline_with(1, OriginKind::kFirst, 100, true), timeline_with(2, OriginKind::kGap, 1100, true)};
  const auto windows = recovery_windows(state);
  ASSERT_EQ(windows.size(), 2U);
  EXPECT_EQ(windows[0].to_time, WallTime(std::chrono::seconds(1095)));
  EXPECT_EQ(windows[1].to_time, WallTime(std::chrono::seconds(2100)));
  state.timelines[1].origin.previous_time = WallTime(std::chrono::seconds(3));  // a clock that was set back
  EXPECT_EQ(recovery_windows(state)[0].to_time, recovery_windows(state)[0].from_time);
}

TEST_F(SourceStateTest, WindowsReachFromTheFirstUsableBaseToTheLastBoundary) {
  TestSource writer = source();
  writer.open_first(0);
  EXPECT_TRUE(recovery_windows(writer.load()).empty());  // no base: nothing can be restored
  writer.append("12345");
  const BaseInfo base = writer.base(tiny_rdb("a"));
  writer.append("67890");
  const WallTime newest = clock_.wall_now();
  std::vector<RecoveryWindow> windows = recovery_windows(writer.load());
  ASSERT_EQ(windows.size(), 1U);
  EXPECT_EQ(windows[0].from.offset, redis::Offset{5});
  EXPECT_EQ(windows[0].to.offset, redis::Offset{10});
  EXPECT_EQ(windows[0].from_time, base.time);
  EXPECT_EQ(windows[0].to_time, newest);

  // A fork shares the parent's past up to where it left.
  const Position left{TimelineId{1}, redis::Offset{8}};
  writer.open({OriginKind::kFork, left, clock_.wall_now(), "promoted replica"}, redis::Offset{8});
  writer.append("abc");
  windows = recovery_windows(writer.load());
  ASSERT_EQ(windows.size(), 2U);
  EXPECT_EQ(windows[0].to.offset, redis::Offset{10});
  EXPECT_EQ(windows[1].from, (Position{TimelineId{2}, redis::Offset{8}}));
  EXPECT_EQ(windows[1].to, (Position{TimelineId{2}, redis::Offset{11}}));

  // Once the stream before it is gone, an old base is a single point.
  const BaseInfo second = writer.base(tiny_rdb("b"));
  CheckpointDelta delta;
  delta.opened = writer.load().timelines;
  delta.bases = {base, second};
  delta.first_kept[1] = {3, redis::Offset{10}};
  writer.checkpoint(delta);
  windows = recovery_windows(writer.load());
  ASSERT_EQ(windows.size(), 2U);
  EXPECT_EQ(windows[0].from, windows[0].to);
  EXPECT_EQ(windows[0].from.offset, redis::Offset{5});
  EXPECT_EQ(windows[1].from.offset, redis::Offset{11});
}

}  // namespace
}  // namespace anclora::storage
