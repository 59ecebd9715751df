#include "protect/restore/restore_route.h"

#include <fmt/format.h>

#include <algorithm>

namespace anclora::protect {
namespace {

using storage::BaseInfo;
using storage::OriginKind;
using storage::Position;
using storage::SourceState;
using storage::TimelineState;

bool better(const BaseInfo& candidate, const BaseInfo& best) {
  if (candidate.offset != best.offset) return candidate.offset > best.offset;
  const bool candidate_is_plain = candidate.origin == "scratch";
  const bool best_is_plain = best.origin == "scratch";
  return candidate_is_plain && !best_is_plain;
}

const BaseInfo* best_base(const TimelineState& timeline, redis::Offset at_most) {
  const BaseInfo* best = nullptr;
  for (const BaseInfo& base : timeline.bases) {
    if (base.offset > at_most) continue;
    const bool stream_is_kept = base.offset >= timeline.first_kept || base.offset == at_most;
    if (stream_is_kept && (best == nullptr || better(base, *best))) best = &base;
  }
  return best;
}

}  // namespace

std::uint64_t RestoreRoute::stream_bytes() const {
  std::uint64_t sum = 0;
  for (const StreamStretch& stretch : stretches) sum += stretch.bytes();
  return sum;
}

const TimelineState* find_timeline(const SourceState& state, storage::TimelineId id) {
  const auto found = std::ranges::find_if(state.timelines, [&](const TimelineState& each) { return each.id == id; });
  return found == state.timelines.end() ? nullptr : &*found;
}

Result<RestoreRoute> route_to(const SourceState& state, Position position) {
  RestoreRoute route;
  Position at = position;
  // Each step goes to an older timeline, so that a damaged state cannot make this loop for ever.
  while (const TimelineState* timeline = find_timeline(state, at.timeline)) {
    if (const BaseInfo* base = best_base(*timeline, at.offset)) {
      if (base->offset < at.offset) route.stretches.push_back({at.timeline, base->offset, at.offset});
      std::ranges::reverse(route.stretches);
      route.base = *base;
      return route;
    }
    const storage::Origin& origin = timeline->origin;
    const bool forked = origin.kind == OriginKind::kFork && origin.previous.timeline < at.timeline;
    if (!forked || timeline->first_kept > std::max(timeline->start, origin.previous.offset)) break;
    if (at.offset > origin.previous.offset) {
      route.stretches.push_back({at.timeline, origin.previous.offset, at.offset});
      at.offset = origin.previous.offset;
    }
    at.timeline = origin.previous.timeline;
  }
  return Error(ErrorKind::kNotFound, fmt::format("no base at or before {} is kept", storage::to_string(position)));
}

std::optional<storage::RecoveryWindow> newest_window(const SourceState& state) {
  std::optional<storage::RecoveryWindow> newest;
  for (const storage::RecoveryWindow& window : storage::recovery_windows(state))
    if (!newest || window.to > newest->to) newest = window;
  return newest;
}

std::optional<redis::Offset> newest_offset(const SourceState& state, storage::TimelineId timeline) {
  std::optional<redis::Offset> newest;
  for (const storage::RecoveryWindow& window : storage::recovery_windows(state))
    if (window.to.timeline == timeline && (!newest || window.to.offset > *newest)) newest = window.to.offset;
  return newest;
}

}  // namespace anclora::protect
