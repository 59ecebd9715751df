#include "storage/repository/retention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/random.h"

namespace anclora::storage {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

constexpr std::uint64_t kBytesPerPack = 1000;
constexpr Duration kPackTime = minutes(10);
const WallTime kStart{days(20000)};

// A history in which stream flows steadily: one pack each ten minutes.
class History {
 public:
  History() { state_.source = "jobs"; }

  void open(OriginKind kind, Position previous, WallTime at, redis::Offset start) {
    if (!state_.timelines.empty()) state_.timelines.back().closed = true;
    TimelineState timeline;
    timeline.id = TimelineId{static_cast<std::uint32_t>(state_.timelines.size() + 1)};
    timeline.origin.kind = kind;
    timeline.origin.previous = previous;
    timeline.start = start;
    timeline.first_kept = start;
    timeline.opened = at;
    state_.timelines.push_back(timeline);
    now_ = at;
    last_ = start;
  }

  void base() {
    TimelineState& timeline = state_.timelines.back();
    BaseInfo base;
    base.timeline = timeline.id;
    base.offset = last_;
    base.name = std::to_string(last_.value) + "-" + std::to_string(timeline.bases.size());
    base.time = now_;
    base.stored_bytes = 1000;
    timeline.bases.push_back(base);
  }

  void run(Duration duration) {
    TimelineState& timeline = state_.timelines.back();
    for (const WallTime end = now_ + duration; now_ < end;) {
      PackInfo pack;
      pack.timeline = timeline.id;
      pack.first_sequence = timeline.packs.empty() ? 0 : timeline.packs.back().last_sequence + 1;
      pack.last_sequence = pack.first_sequence + 9;
      pack.first = last_;
      pack.last = last_ + kBytesPerPack;
      pack.first_time = now_;
      pack.last_time = now_ + kPackTime - Duration(1);
      pack.stored_bytes = 100;
      timeline.packs.push_back(pack);
      last_ = pack.last;
      now_ += kPackTime;
    }
    Head head;
    head.timeline = timeline.id;
    head.sequence = timeline.packs.back().last_sequence + 1;
    head.entry.last = last_;
    state_.head = head;
  }

  void set_clock(WallTime now) { now_ = now; }
  Position position() const { return {state_.timelines.back().id, last_}; }
  redis::Offset last() const { return last_; }
  WallTime now() const { return now_; }
  SourceState& state() { return state_; }

 private:
  SourceState state_;
  WallTime now_ = kStart;
  redis::Offset last_;
};

const TimelineState& timeline_of(const SourceState& state, TimelineId id) {
  return *std::ranges::find(state.timelines, id, &TimelineState::id);
}

// The model, written apart from the plan: can this position be restored from what the state holds?
bool restorable(const SourceState& state, Position position) {
  const auto it = std::ranges::find(state.timelines, position.timeline, &TimelineState::id);
  if (it == state.timelines.end()) return false;
  // Back from the position through contiguous packs: any base met on the way will do.
  std::uint64_t reached = position.offset.value;
  for (auto pack = it->packs.rbegin(); pack != it->packs.rend(); ++pack) {
    if (pack->first.value >= reached) continue;
    if (pack->last.value < reached) break;  // a hole
    for (const BaseInfo& base : it->bases)
      if (base.offset.value >= pack->first.value && base.offset.value <= reached) return true;
    reached = pack->first.value;
  }
  for (const BaseInfo& base : it->bases)
    if (base.offset.value == reached) return true;
  return reached == it->start.value && it->origin.kind == OriginKind::kFork && restorable(state, it->origin.previous);
}

SourceState apply(const SourceState& state, const RetentionPlan& plan) {
  SourceState after = state;
  for (TimelineState& timeline : after.timelines) {
    std::erase_if(timeline.bases, [&](const BaseInfo& base) {
      return std::ranges::any_of(plan.retire_bases, [&](const BaseInfo& retired) {
        return retired.timeline == timeline.id && retired.name == base.name;
      });
    });
    std::erase_if(timeline.packs, [&](const PackInfo& pack) {
      return std::ranges::any_of(plan.retire_packs, [&](const PackInfo& retired) {
        return retired.timeline == timeline.id && retired.first_sequence == pack.first_sequence;
      });
    });
  }
  std::erase_if(after.timelines, [&](const TimelineState& timeline) {
    return std::ranges::find(plan.retire_timelines, timeline.id) != plan.retire_timelines.end();
  });
  return after;
}

Pin pin_at(Position position, WallTime time) {
  Pin pin;
  pin.name = "p";
  pin.position = position;
  pin.time = time;
  return pin;
}

TEST(Retention, KeepsEveryMomentOfTheWindowAndLetsTheOlderStreamGo) {
  History history;
  history.open(OriginKind::kFirst, {}, kStart, {100});
  history.base();
  for (int day = 0; day < 10; ++day) {
    history.run(days(1));
    history.base();
  }
  RetentionPolicy policy;
  policy.weekly = Duration(0);
  const RetentionPlan plan = plan_retention(history.state(), {}, policy, history.now());
  EXPECT_EQ(plan.retire_packs.size(), 3 * 24 * 6u);
  const SourceState after = apply(history.state(), plan);
  const WallTime from = history.now() - policy.every_moment;
  for (const PackInfo& pack : timeline_of(history.state(), {1}).packs) {
    if (pack.first_time < from) continue;
    EXPECT_TRUE(restorable(after, {{1}, pack.first + 500}));
  }
  EXPECT_FALSE(restorable(after, {{1}, {100 + 500}}));
}

TEST(Retention, KeepsAWeeklyBaseForFourWeeks) {
  History history;
  history.open(OriginKind::kFirst, {}, kStart, {0});
  for (int day = 0; day < 50; ++day) {
    history.base();
    history.run(days(1));
  }
  const RetentionPlan plan = plan_retention(history.state(), {}, RetentionPolicy{}, history.now());
  const SourceState after = apply(history.state(), plan);
  std::size_t old_bases = 0;
  for (const BaseInfo& base : timeline_of(after, {1}).bases) old_bases += base.time < history.now() - days(8);
  EXPECT_GE(old_bases, 3u);
  EXPECT_LE(old_bases, 4u);
  EXPECT_TRUE(plan.bases_to_make.empty());
}

TEST(Retention, AsksForABaseBeforeAnOldPinsStreamMayGo) {
  History history;
  history.open(OriginKind::kFirst, {}, kStart, {0});
  history.base();
  history.run(hours(5));
  const Position pinned = history.position();
  const WallTime pinned_at = history.now();
  history.run(days(9));
  const auto pins = std::vector<Pin>{pin_at(pinned, pinned_at)};
  RetentionPolicy policy;
  policy.weekly = Duration(0);
  const RetentionPlan plan = plan_retention(history.state(), pins, policy, history.now());
  ASSERT_EQ(plan.bases_to_make.size(), 1u);
  EXPECT_EQ(plan.bases_to_make[0].position, pinned);
  EXPECT_TRUE(restorable(apply(history.state(), plan), pinned));
}

TEST(Retention, AnExpiredSafetyCopyGoes) {
  History history;
  history.open(OriginKind::kFirst, {}, kStart, {0});
  history.base();
  history.run(days(40));
  Pin pin = pin_at({{1}, {0}}, kStart);
  pin.expires = kStart + days(30);
  RetentionPolicy policy;
  policy.weekly = Duration(0);
  history.state().timelines[0].closed = true;
  const RetentionPlan with = plan_retention(history.state(), {pin_at({{1}, {0}}, kStart)}, policy, history.now());
  const RetentionPlan without = plan_retention(history.state(), {pin}, policy, history.now());
  EXPECT_EQ(with.points.size(), without.points.size() + 1);
}

TEST(Retention, KeepsWhatIsYoungByItsOwnMarksWhenTheClockWasSetBack) {
  History history;
  history.open(OriginKind::kFirst, {}, kStart, {0});
  history.base();
  history.run(days(2));
  const WallTime now = history.now();
  const Position young = {{1}, history.last() - 500};
  history.base();
  history.set_clock(kStart);
  history.run(hours(1));
  RetentionPolicy policy;
  policy.every_moment = days(1);
  policy.hourly = policy.daily = policy.weekly = Duration(0);
  const RetentionPlan plan = plan_retention(history.state(), {}, policy, now);
  EXPECT_TRUE(restorable(apply(history.state(), plan), young));
}

TEST(Retention, ForEveryKeptPointOfRandomHistoriesEverythingItNeedsIsKept) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    History history;
    history.open(OriginKind::kFirst, {}, kStart, {random.below(1000)});
    history.base();
    std::vector<Pin> pins;
    std::vector<std::pair<Position, WallTime>> moments;
    for (std::uint64_t step = 0; step < 6 + random.below(12); ++step) {
      history.run(hours(1 + random.below(30)));
      moments.push_back({history.position(), history.now()});
      if (random.below(4) == 0) pins.push_back(pin_at(history.position(), history.now()));
      if (random.below(3) == 0) history.base();
      if (random.below(5) == 0) {
        const bool fork = random.below(2) == 0;
        const Position at{history.position().timeline, history.last() - random.below(900)};
        history.open(fork ? OriginKind::kFork : OriginKind::kGap, at, history.now(),
                     fork ? at.offset : redis::Offset{random.below(500)});
        if (!fork) history.base();
      }
    }
    history.run(minutes(30));
    RetentionPolicy policy;
    policy.every_moment = hours(1 + random.below(200));
    policy.replay_bytes = 1 + random.below(3'000'000);
    const RetentionPlan plan = plan_retention(history.state(), pins, policy, history.now());
    const SourceState after = apply(history.state(), plan);
    for (const auto& [position, time] : moments) {
      if (time < plan.every_moment_from || !restorable(history.state(), position)) continue;
      EXPECT_TRUE(restorable(after, position)) << to_string(position);
    }
    for (const Pin& pin : pins) {
      if (!restorable(history.state(), pin.position)) continue;
      EXPECT_TRUE(restorable(after, pin.position)) << to_string(pin.position);
    }
    for (const KeptPoint& point : plan.points) {
      if (!restorable(history.state(), point.position)) continue;
      EXPECT_TRUE(restorable(after, point.position)) << point.reason;
    }
    EXPECT_TRUE(restorable(after, history.position()));
  }
}

}  // namespace
}  // namespace anclora::storage
