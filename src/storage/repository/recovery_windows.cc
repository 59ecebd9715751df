#include <algorithm>
#include <string>
#include <utility>

#include "storage/repository/source_state.h"

namespace anclora::storage {
namespace {

const TimelineState* find(const SourceState& state, TimelineId id) {
  const auto it = std::ranges::find(state.timelines, id, &TimelineState::id);
  return it == state.timelines.end() ? nullptr : &*it;
}

struct Point {
  redis::Offset offset;
  WallTime time;
};

// When the timeline was last seen to be whole, where a gap follows it: its closing entry is written once the source is
// back, which may be hours later.
std::optional<WallTime> seen_until(const SourceState& state, const TimelineState& timeline) {
  for (const TimelineState& later : state.timelines)
    if (later.origin.kind == OriginKind::kGap && later.origin.previous.timeline == timeline.id)
      return later.origin.previous_time;
  return std::nullopt;
}

// The last point of a timeline that is known to be a command boundary.
std::optional<Point> end_of(const SourceState& state, const TimelineState& timeline) {
  if (state.head && state.head->timeline == timeline.id) {
    const LogEntry& entry = state.head->entry;
    Point point{entry.boundary, state.head->stored};
    for (const TimeMark& mark : entry.marks)
      if (mark.offset <= entry.boundary || &mark == &entry.marks.front()) point.time = mark.wall;
    return point;
  }
  if (timeline.end) return Point{timeline.end->boundary, timeline.end->time};
  return std::nullopt;
}

// The oldest base from which the kept stream leads on without a hole.
const BaseInfo* first_replayable(const TimelineState& timeline) {
  for (const BaseInfo& base : timeline.bases)
    if (base.offset >= timeline.first_kept && base.origin != "safety") return &base;
  return nullptr;
}

// From where on every point up to the timeline's end can be restored.
std::optional<Point> restorable_from(const SourceState& state, const TimelineState& timeline) {
  if (timeline.origin.kind == OriginKind::kFork && timeline.first_kept == timeline.start) {
    const TimelineState* parent = find(state, timeline.origin.previous.timeline);
    if (parent != nullptr && parent->id < timeline.id) {
      const std::optional<Point> from = restorable_from(state, *parent);
      if (from && from->offset <= timeline.origin.previous.offset)
        return Point{timeline.start, timeline.origin.previous_time};
    }
  }
  const BaseInfo* base = first_replayable(timeline);
  if (base == nullptr) return std::nullopt;
  return Point{base->offset, base->time};
}

}  // namespace

std::vector<RecoveryWindow> recovery_windows(const SourceState& state) {
  std::vector<RecoveryWindow> windows;
  for (const TimelineState& timeline : state.timelines) {
    const std::optional<Point> from = restorable_from(state, timeline);
    // Bases whose stream is gone: each is a point of its own.
    for (const BaseInfo& base : timeline.bases) {
      const Position at{timeline.id, base.offset};
      if (!from || base.offset < from->offset) windows.push_back({at, at, base.time, base.time});
    }
    if (!from) continue;
    Point to = end_of(state, timeline).value_or(*from);
    // Without the closing entry the last base is the last point that is certain.
    for (const BaseInfo& base : timeline.bases)
      if (base.offset > to.offset) to = {base.offset, base.time};
    if (to.offset < from->offset) to = *from;
    if (const auto seen = seen_until(state, timeline)) to.time = std::min(to.time, std::max(*seen, from->time));
    windows.push_back({{timeline.id, from->offset}, {timeline.id, to.offset}, from->time, to.time});
  }
  return windows;
}

std::vector<GapRecord> gaps(const SourceState& state) {
  std::vector<GapRecord> records;
  bool ended = true;  // a timeline without a point to restore ends no gap: the next one's start does
  for (const TimelineState& timeline : state.timelines) {
    if (timeline.origin.kind == OriginKind::kGap) {
      if (ended)
        records.push_back({timeline.origin.previous, {}, timeline.origin.previous_time, {}, timeline.origin.reason});
      GapRecord& gap = records.back();
      const bool has_base = !timeline.bases.empty();
      gap.after = {timeline.id, has_base ? timeline.bases.front().offset : timeline.start};
      gap.after_time = has_base ? timeline.bases.front().time : timeline.opened;
      ended = has_base;
    } else if (!timeline.bases.empty() || restorable_from(state, timeline)) {
      ended = true;
    }
  }
  return records;
}

bool is_kept(const SourceState& state, const Position& position) {
  const TimelineState* timeline = find(state, position.timeline);
  if (timeline == nullptr) return false;
  for (const BaseInfo& base : timeline->bases)
    if (base.offset == position.offset || (base.offset < position.offset && base.offset >= timeline->first_kept))
      return true;
  const Origin& origin = timeline->origin;
  if (origin.kind != OriginKind::kFork || origin.previous.timeline >= timeline->id) return false;
  if (timeline->first_kept > std::max(timeline->start, origin.previous.offset)) return false;
  return is_kept(state, {origin.previous.timeline, std::min(position.offset, origin.previous.offset)});
}

}  // namespace anclora::storage
