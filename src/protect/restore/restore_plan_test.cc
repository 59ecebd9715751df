#include "protect/restore/restore_plan.h"

#include <gtest/gtest.h>

namespace anclora::protect {
namespace {

using redis::Offset;
using storage::Position;
using storage::TimelineId;

// A base of 1 MiB at offset 0, two packs of 100 MiB of stream, and 50 MiB of stream in ten single entries.
storage::SourceState state_with_packs() {
  storage::SourceState state;
  storage::TimelineState timeline;
  timeline.id = TimelineId{1};
  storage::BaseInfo base;
  base.name = "base";
  base.timeline = timeline.id;
  base.stored_bytes = kMiB;
  timeline.bases.push_back(base);
  for (std::uint64_t i = 0; i < 2; ++i) {
    storage::PackInfo pack;
    pack.timeline = timeline.id;
    pack.first_sequence = i * 10;
    pack.last_sequence = i * 10 + 9;
    pack.first = Offset{i * 100 * kMiB};
    pack.last = Offset{(i + 1) * 100 * kMiB};
    pack.stored_bytes = 16 * kMiB;
    timeline.packs.push_back(pack);
  }
  state.timelines.push_back(timeline);
  storage::Head head;
  head.timeline = timeline.id;
  head.sequence = 29;
  head.entry.timeline = timeline.id;
  head.entry.boundary = head.entry.last = Offset{250 * kMiB};
  state.head = head;
  return state;
}

RestorePlan plan_to(const storage::SourceState& state, std::uint64_t offset) {
  auto plan = make_restore_plan(state, {{TimelineId{1}, Offset{offset}}, WallTime(), Exactness::kExact});
  EXPECT_TRUE(plan.has_value()) << plan.error().to_string();
  return plan.has_value() ? *plan : RestorePlan();
}

TEST(RestorePlan, SaysHowMuchItReadsByWhatTheSourcesPacksTake) {
  const storage::SourceState state = state_with_packs();
  EXPECT_EQ(plan_to(state, 250 * kMiB).fetch_bytes, (1 + 16 + 16 + 8) * kMiB);
  EXPECT_EQ(plan_to(state, 250 * kMiB).entries, 10u);
}

TEST(RestorePlan, ReadsOfItsLastPackOnlyUpToItsPoint) {
  const storage::SourceState state = state_with_packs();
  EXPECT_EQ(plan_to(state, 140 * kMiB).fetch_bytes, (1 + 16 + 8) * kMiB);
  EXPECT_EQ(plan_to(state, 140 * kMiB).packs.size(), 2u);
  EXPECT_EQ(plan_to(state, 0).fetch_bytes, kMiB);
}

TEST(RestorePlan, GuessesBeforeThereIsAnyPack) {
  storage::SourceState state = state_with_packs();
  state.timelines.front().packs.clear();
  const RestorePlan plan = plan_to(state, 60 * kMiB);
  EXPECT_GT(plan.fetch_bytes, 2 * kMiB);
  EXPECT_LT(plan.fetch_bytes, 61 * kMiB);
}

}  // namespace
}  // namespace anclora::protect
