#include "storage/repository/expire.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "storage/repository/log_reader.h"
#include "storage/repository/testing/test_source.h"
#include "storage/store/memory_store.h"

namespace anclora::storage {
namespace {

class Expire : public ::testing::Test {
 protected:
  // Runs plan and execution; answers the names that went, with why.
  std::map<std::string, std::string> expire() {
    std::map<std::string, std::string> gone;
    const auto plan = plan_deletions(store_, repository_, "default", grace_, store_.now().value());
    EXPECT_TRUE(plan.has_value()) << plan.error().to_string();
    for (const auto& item : plan->items) gone[item.object] = item.reason;
    const Status done = execute_deletions(store_, repository_, "default", *plan, grace_);
    EXPECT_TRUE(done.has_value()) << done.error().to_string();
    return gone;
  }
  bool there(const std::string& name) { return store_.head(name).has_value(); }
  std::string stream(redis::Offset from) {
    const SourceState state = source_.load();
    auto reader = LogReader::open(store_, repository_, state, {TimelineId{1}, from}, std::nullopt);
    EXPECT_TRUE(reader.has_value()) << reader.error().to_string();
    std::string bytes;
    while (true) {
      auto entry = reader->next();
      EXPECT_TRUE(entry.has_value()) << entry.error().to_string();
      if (!entry || !*entry) return bytes;
      bytes += (*entry)->bytes;
    }
  }

  ManualClock clock_;
  MemoryStore store_{clock_};
  SeededRandom random_{5};
  Repository repository_ = make_plain_repository(store_, clock_, random_);
  TestSource source_{store_, repository_, clock_, random_};
  ExpireGrace grace_;
};

TEST_F(Expire, PackedEntriesGoAfterAnHourButNeverTheHead) {
  source_.open_first();
  source_.append("abc");
  CheckpointDelta delta;
  delta.opened = {source_.opened()};
  delta.bases = {source_.base(tiny_rdb("x"))};
  source_.append("def");
  delta.packs = {source_.pack()};
  source_.checkpoint(delta);
  clock_.advance(std::chrono::minutes(59));
  EXPECT_TRUE(expire().empty());
  clock_.advance(std::chrono::minutes(2));
  const auto gone = expire();
  ASSERT_EQ(gone.size(), source_.entries().size() - 1);
  EXPECT_EQ(gone.begin()->second, "packed");
  EXPECT_TRUE(there(source_.entries().back().object_name));
  EXPECT_EQ(stream({}), "abcdef");
  // A writer that starts now finds the fence where it was.
  source_.append("ghi");
  EXPECT_EQ(stream({}), "abcdefghi");
}

// What later checkpoints name would look like something that never counted.
TEST_F(Expire, NothingGoesWhileACheckpointIsMissing) {
  source_.open_first();
  CheckpointDelta delta;
  delta.opened = {source_.opened()};
  delta.bases = {source_.base(tiny_rdb("x"))};
  source_.checkpoint(delta);
  for (int i = 0; i < 3; ++i) {
    source_.append("abc");
    CheckpointDelta packed;
    packed.packs = {source_.pack()};
    source_.checkpoint(packed);
  }
  ASSERT_TRUE(store_.remove(layout::checkpoint("default", 3)).has_value());
  clock_.advance(std::chrono::hours(48));
  const auto plan = plan_deletions(store_, repository_, "default", grace_, store_.now().value());
  ASSERT_FALSE(plan.has_value());
  EXPECT_EQ(plan.error().kind(), ErrorKind::kDataLoss);
  EXPECT_NE(plan.error().message().find(layout::checkpoint("default", 3)), std::string::npos);
}

TEST_F(Expire, EntriesThatNoPackHoldsStay) {
  source_.open_first();
  source_.append("abc");
  source_.pack();  // of which no checkpoint tells
  source_.append("def");
  clock_.advance(std::chrono::hours(23));
  EXPECT_TRUE(expire().empty());
  EXPECT_EQ(stream({}), "abcdef");
}

TEST_F(Expire, WhatWasRetiredGoesAfterADayAndTheChainForgetsIt) {
  source_.open_first();
  source_.append("abc");
  const BaseInfo base = source_.base(tiny_rdb("x"));
  CheckpointDelta delta;
  delta.opened = {source_.opened()};
  delta.bases = {base};
  delta.packs = {source_.pack()};
  source_.checkpoint(delta);
  source_.append("def");
  CheckpointDelta retire;
  retire.retired_bases = {base};
  retire.retired_packs = delta.packs;
  retire.first_kept[1] = {delta.packs[0].last_sequence + 1, delta.packs[0].last};
  source_.checkpoint(retire);
  const std::string pack = layout::pack("default", TimelineId{1}, 0, delta.packs[0].last_sequence);
  clock_.advance(std::chrono::hours(23));
  expire();
  EXPECT_TRUE(there(pack));
  EXPECT_TRUE(forget_deleted(store_, repository_, "default")->deleted.size() == 1);  // side data: there was none
  clock_.advance(std::chrono::hours(2));
  const auto gone = expire();
  EXPECT_EQ(gone.at(pack), "retired");
  EXPECT_EQ(gone.at(layout::base_manifest("default", TimelineId{1}, base.name)), "retired");
  const auto forget = forget_deleted(store_, repository_, "default").value();
  EXPECT_EQ(forget.deleted.size(), 3U);
  source_.checkpoint(forget);
  EXPECT_TRUE(list_retired(store_, repository_, "default")->empty());
  EXPECT_EQ(stream(delta.packs[0].last), "def");
}

TEST_F(Expire, WhatAFencedWriterLeftBehindIsSweptAndForeignFilesAreNot) {
  source_.open_first();
  source_.append("abc");
  CheckpointDelta delta;
  delta.opened = {source_.opened()};
  delta.bases = {source_.base(tiny_rdb("x"))};
  source_.checkpoint(delta);
  const BaseInfo uncounted = source_.base(tiny_rdb("y"), "source", 2);
  const std::string part = layout::base_part("default", TimelineId{1}, uncounted.name, 0);
  const std::string pack = layout::pack("default", TimelineId{1}, 0, 1);
  ASSERT_TRUE(store_.put_if_absent(pack, "left behind").has_value());
  ASSERT_TRUE(store_.put_if_absent("sources/default/notes.txt", "mine").has_value());
  ASSERT_TRUE(store_.put_if_absent("sources/default/checkpoint/x/y", "mine").has_value());
  clock_.advance(std::chrono::hours(25));
  const auto gone = expire();
  EXPECT_EQ(gone.at(pack), "never counted");
  EXPECT_EQ(gone.at(part), "never counted");
  EXPECT_FALSE(gone.contains(layout::base_part("default", TimelineId{1}, delta.bases[0].name, 0)));
  EXPECT_TRUE(there("sources/default/notes.txt"));
  EXPECT_TRUE(there("sources/default/checkpoint/x/y"));
}

TEST_F(Expire, OldCheckpointsGoButForTheNewestTwoFullOnesAndTheirs) {
  source_.open_first();
  CheckpointDelta delta;
  delta.opened = {source_.opened()};
  source_.checkpoint(delta);
  for (int i = 0; i < 200; ++i) source_.checkpoint({});
  const SourceState before = source_.load();
  EXPECT_TRUE(expire().empty());
  clock_.advance(std::chrono::hours(25));
  EXPECT_EQ(expire().size(), 120U);
  const SourceState after = source_.load();
  EXPECT_EQ(after.checkpoint_ordinal, before.checkpoint_ordinal);
  EXPECT_EQ(after.timelines.size(), 1U);
  source_.checkpoint({});
  EXPECT_EQ(source_.load().checkpoint_ordinal, 202U);
}

TEST_F(Expire, StopsWhenSomethingCountsAgainSinceItWasPlanned) {
  source_.open_first();
  source_.append("abc");
  CheckpointDelta delta;
  delta.opened = {source_.opened()};
  source_.checkpoint(delta);
  const PackInfo pack = source_.pack();
  clock_.advance(std::chrono::hours(25));
  const DeletionPlan plan = plan_deletions(store_, repository_, "default", grace_, store_.now().value()).value();
  ASSERT_EQ(plan.items.size(), 1U);
  CheckpointDelta counts;
  counts.packs = {pack};
  source_.checkpoint(counts);
  const Status stopped = execute_deletions(store_, repository_, "default", plan, grace_);
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().kind(), ErrorKind::kFenced);
  EXPECT_TRUE(there(layout::pack("default", TimelineId{1}, pack.first_sequence, pack.last_sequence)));
}

// What the policy lets go when only the newest moment counts.
class ExpireByPlan : public Expire {
 protected:
  void retire() {
    RetentionPolicy policy;
    policy.every_moment = policy.hourly = policy.daily = policy.weekly = Duration(0);
    const RetentionPlan plan = plan_retention(source_.load(), {}, policy, clock_.wall_now());
    EXPECT_TRUE(plan.bases_to_make.empty());
    if (plan.retires_anything()) source_.checkpoint(plan.delta());
  }
  BaseInfo begin_with_base() {
    source_.open_first();
    source_.append("abc");
    CheckpointDelta delta;
    delta.opened = {source_.opened()};
    delta.bases = {source_.base(tiny_rdb("x"))};
    delta.packs = {source_.pack()};
    source_.checkpoint(delta);
    return delta.bases[0];
  }
  void pack(bool counts = true) {
    CheckpointDelta delta;
    delta.packs = {source_.pack()};
    if (counts) source_.checkpoint(delta);
  }
};

TEST_F(ExpireByPlan, EntriesBetweenTwoPacksStayWhereTheKeptStreamBeginsAmongThem) {
  begin_with_base();
  source_.append("def");
  const BaseInfo base = source_.base(tiny_rdb("y"), "scratch", 2);
  source_.append("ghi");
  pack(false);  // a pack that was given up
  CheckpointDelta delta;
  delta.bases = {base};
  source_.checkpoint(delta);
  clock_.advance(std::chrono::minutes(1));
  source_.append("jkl");
  pack();
  EXPECT_EQ(stream(base.offset), "ghijkl");
  retire();
  EXPECT_EQ(source_.load().timelines[0].first_kept, base.offset);
  clock_.advance(std::chrono::hours(25));
  expire();
  EXPECT_EQ(stream(base.offset), "ghijkl");
}

TEST_F(ExpireByPlan, PacksWithoutStreamGoAndTheLogIsReadOnBehindThem) {
  const BaseInfo base = begin_with_base();
  retire();
  for (int i = 0; i < 3; ++i) {  // the source is down: signs of life
    source_.append_kind(EntryKind::kClaim, "alive");
    source_.append_kind(EntryKind::kClaim, "alive");
    pack();
    clock_.advance(std::chrono::hours(2));
    expire();
    retire();
    clock_.advance(std::chrono::hours(25));
    expire();
    ASSERT_TRUE(source_.load().head.has_value());
    EXPECT_EQ(source_.load().head->hash, source_.tip().hash);
  }
  EXPECT_EQ(stream(base.offset), "");
  source_.append("def");
  pack();
  retire();
  clock_.advance(std::chrono::hours(25));
  expire();
  EXPECT_EQ(stream(base.offset), "def");
}

TEST_F(ExpireByPlan, TheHeadIsStillKnownWhenNobodyNeedsItsStream) {
  begin_with_base();
  retire();
  ASSERT_TRUE(source_.load().head.has_value());
  EXPECT_EQ(source_.load().head->hash, source_.tip().hash);
}

TEST_F(ExpireByPlan, TheNameBehindALooseEntryStaysTaken) {
  begin_with_base();
  source_.append("def");
  const std::string loose = source_.entries().back().object_name;
  pack(false);
  source_.append("ghi");
  const std::string behind = source_.entries().back().object_name;
  source_.append("jkl");
  pack();
  source_.append("mno");
  clock_.advance(std::chrono::hours(2));
  const auto gone = expire();
  EXPECT_TRUE(there(loose));
  EXPECT_TRUE(there(behind));
  EXPECT_TRUE(gone.contains(source_.entries()[source_.entries().size() - 2].object_name));
}

TEST_F(ExpireByPlan, NoGraceIsShortEnoughForAWriterThatMayStillTrustItsHead) {
  begin_with_base();
  source_.append("def");
  grace_ = {Duration(0), Duration(0)};
  clock_.advance(std::chrono::minutes(10));
  EXPECT_TRUE(expire().empty());
  source_.append_kind(EntryKind::kClaim, std::string(kReleasedNote));
  EXPECT_FALSE(expire().empty());
}

TEST_F(ExpireByPlan, NoGraceIsShortEnoughForAPackThatIsAboutToCount) {
  begin_with_base();
  source_.append("def");
  CheckpointDelta late;
  late.packs = {source_.pack()};
  source_.append("ghi");
  grace_ = {Duration(0), Duration(0)};
  clock_.advance(std::chrono::minutes(20));
  expire();
  source_.checkpoint(late);
  expire();
  EXPECT_EQ(stream({3}), "defghi");
}

TEST_F(ExpireByPlan, AWholeBaseThatTheChainForgotIsNotSweptWhileItIsTheOnlyOne) {
  source_.open_first();
  source_.append("abc");
  CheckpointDelta delta;
  delta.opened = {source_.opened()};
  const BaseInfo base = source_.base(tiny_rdb("x"));
  delta.packs = {source_.pack()};
  source_.checkpoint(delta);
  source_.append("def");
  clock_.advance(std::chrono::hours(50));
  expire();
  EXPECT_TRUE(there(layout::base_manifest("default", TimelineId{1}, base.name)));
}

TEST_F(ExpireByPlan, ABaseThatIsOnItsWayForDaysIsNotSwept) {
  begin_with_base();
  const std::string first = layout::base_part("default", TimelineId{1}, "00000000000000000009-0001", 0);
  ASSERT_TRUE(store_.put_if_absent(first, "part").has_value());
  clock_.advance(std::chrono::hours(30));
  ASSERT_TRUE(store_.put_if_absent(layout::base_part("default", TimelineId{1}, "00000000000000000009-0001", 1), "part")
                  .has_value());
  expire();
  EXPECT_TRUE(there(first));
  clock_.advance(std::chrono::hours(30));
  EXPECT_EQ(expire().at(first), "never counted");
}

}  // namespace
}  // namespace anclora::storage
