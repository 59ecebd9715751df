#include "storage/repository/log_path.h"

#include <fmt/format.h>

#include <algorithm>

namespace anclora::storage {
namespace {

Result<const TimelineState*> find(const SourceState& state, TimelineId id) {
  const auto it = std::ranges::find(state.timelines, id, &TimelineState::id);
  if (it != state.timelines.end()) return &*it;
  return Error(ErrorKind::kNotFound, fmt::format("{} has no timeline {}", state.source, id.value),
               "anclora history shows its timelines");
}

Error parted(const SourceState& state, const TimelineState& timeline, Position from) {
  const bool gap = timeline.origin.kind == OriginKind::kGap;
  return Error(ErrorKind::kFailedPrecondition,
               fmt::format("{}: {} is not in the past of timeline {}: {}", state.source, to_string(from),
                           timeline.id.value, gap ? "a gap lies between them" : "they parted before"),
               "choose a base of the timeline itself; anclora history shows them");
}

}  // namespace

Result<std::vector<PathStretch>> path_between(const SourceState& state, Position from, std::optional<Position> to) {
  if (state.timelines.empty()) return Error(ErrorKind::kNotFound, state.source + " has no timeline");
  const TimelineId target = to ? to->timeline : state.timelines.back().id;
  ASSIGN_OR_RETURN(const TimelineState* timeline, find(state, target));
  std::vector<PathStretch> path;
  bool met = false;
  std::optional<redis::Offset> cut;
  while (true) {
    met = met || timeline->id == from.timeline;
    path.push_back({*timeline, std::nullopt, cut});
    const bool begins_here = met && (from.offset >= timeline->start || timeline->origin.kind != OriginKind::kFork);
    if (begins_here) break;
    if (timeline->origin.kind != OriginKind::kFork || timeline->origin.previous.timeline >= timeline->id)
      return parted(state, *timeline, from);
    cut = timeline->origin.previous.offset;
    ASSIGN_OR_RETURN(timeline, find(state, timeline->origin.previous.timeline));
  }
  const std::optional<redis::Offset>& first_cut = path.back().cut;
  if (first_cut && from.offset > *first_cut) return parted(state, path[path.size() - 2].timeline, from);
  if (from.offset > path.back().timeline.start) path.back().from = from.offset;
  std::ranges::reverse(path);
  return path;
}

}  // namespace anclora::storage
