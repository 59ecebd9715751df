#include "protect/restore/time_search.h"

#include <optional>

#include "protect/restore/restore_route.h"
#include "storage/repository/log_reader.h"

namespace anclora::protect {
namespace {

using redis::Offset;
using storage::PackInfo;
using storage::Position;

// Of `stretch`: the part in which the last mark not after `time` must lie, or nothing when all of it is later.
std::optional<StreamStretch> narrow(const storage::TimelineState& timeline, StreamStretch stretch, WallTime time) {
  Offset packed_up_to = stretch.from;
  std::optional<StreamStretch> found;
  for (const PackInfo& pack : timeline.packs) {
    if (pack.last <= stretch.from || pack.first >= stretch.to) continue;
    packed_up_to = std::max(packed_up_to, pack.last);
    if (pack.first_time <= time)
      found = StreamStretch{stretch.timeline, std::max(pack.first, stretch.from), std::min(pack.last, stretch.to)};
  }
  const bool nothing_packed = packed_up_to == stretch.from;
  if (nothing_packed) return stretch;
  const bool newest_pack_qualifies = found && found->to >= std::min(packed_up_to, stretch.to);
  if (newest_pack_qualifies) found->to = stretch.to;  // entries behind the packs may qualify too
  return found;
}

// The stretches between the window's two ends, the newest first.
std::vector<StreamStretch> stretches_of(const storage::SourceState& state, const storage::RecoveryWindow& window) {
  std::vector<StreamStretch> stretches;
  Position at = window.to;
  while (at.timeline > window.from.timeline) {
    const storage::TimelineState* timeline = find_timeline(state, at.timeline);
    if (timeline == nullptr || timeline->origin.previous.timeline >= at.timeline) return stretches;
    const Position fork = timeline->origin.previous;
    stretches.push_back({at.timeline, std::min(fork.offset, at.offset), at.offset});
    at = Position{fork.timeline, std::min(fork.offset, at.offset)};
  }
  stretches.push_back({at.timeline, window.from.offset, at.offset});
  return stretches;
}

// An index keeps one mark each 100 ms; the entries have them all. The same time then means the same place before and
// after packing.
Result<PointInTime> refine(const SourceView& source, PointInTime found, Offset to, WallTime time) {
  if (found.position.offset >= to) return found;
  ASSIGN_OR_RETURN(auto reader, storage::LogReader::open(source.store, source.repository, source.state, found.position,
                                                         Position{found.position.timeline, to}));
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<storage::LogEntry> entry, reader.next());
    if (!entry) return found;
    for (const storage::TimeMark& mark : entry->marks) {
      if (mark.offset < found.position.offset) continue;
      if (mark.wall > time || mark.offset > to) return found;
      found = PointInTime{{found.position.timeline, mark.offset}, mark.wall};
    }
  }
}

}  // namespace

Result<PointInTime> last_mark_not_after(const SourceView& source, const storage::RecoveryWindow& window,
                                        WallTime time) {
  for (const StreamStretch& whole : stretches_of(source.state, window)) {
    const storage::TimelineState* timeline = find_timeline(source.state, whole.timeline);
    if (timeline == nullptr || whole.from >= whole.to) continue;
    const auto stretch = narrow(*timeline, whole, time);
    if (!stretch) continue;
    std::optional<PointInTime> found;
    const auto visit = [&](const storage::IndexedStretch& indexed) -> Status {
      for (const storage::TimeMark& mark : indexed.index.marks) {
        if (indexed.timeline != whole.timeline || mark.wall > time) continue;
        if (mark.offset < whole.from || mark.offset > whole.to) continue;
        if (!found || found->position.offset <= mark.offset)
          found = PointInTime{{whole.timeline, mark.offset}, mark.wall};
      }
      return {};
    };
    RETURN_IF_ERROR(storage::for_each_index(source.store, source.repository, source.state,
                                            Position{whole.timeline, stretch->from},
                                            Position{whole.timeline, stretch->to}, visit));
    if (found) return refine(source, *found, whole.to, time);
  }
  return PointInTime{window.from, window.from_time};
}

}  // namespace anclora::protect
