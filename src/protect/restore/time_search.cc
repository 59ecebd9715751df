#include "protect/restore/time_search.h"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "protect/restore/restore_route.h"
#include "storage/repository/log_reader.h"

namespace anclora::protect {
namespace {

using redis::Offset;
using storage::PackInfo;
using storage::Position;

// A living capture marks the time at least every 10 s: a mark this close before a time says that the clock showed it
// there. One that is further away may stand where the clock jumped over that time.
constexpr Duration kShown = std::chrono::seconds(15);

class Search {
 public:
  Search(const SourceView& source, WallTime time) : source_(source), time_(time) {}

  const std::optional<PointInTime>& found() const { return found_; }
  bool found_where_it_was_shown() const { return found_ && shown(found_->time); }

  // Takes the best mark of the stretch, when it is better than what was found so far.
  Status look_through(const StreamStretch& stretch, bool tail_went_back) {
    const storage::TimelineState* timeline = find_timeline(source_.state, stretch.timeline);
    if (timeline == nullptr || stretch.from >= stretch.to) return {};
    for (const StreamStretch& part : parts_worth_reading(*timeline, stretch, tail_went_back)) {
      if (found_where_it_was_shown()) return {};
      RETURN_IF_ERROR(read(part));
    }
    return {};
  }

  // An index keeps one mark each 100 ms; the entries have them all. The same time then means the same place before and
  // after packing.
  Result<PointInTime> refined(Offset to) const {
    PointInTime found = *found_;
    if (found.position.offset >= to) return found;
    ASSIGN_OR_RETURN(auto reader, storage::LogReader::open(source_.store, source_.repository, source_.state,
                                                           found.position, Position{found.position.timeline, to}));
    while (true) {
      ASSIGN_OR_RETURN(const std::optional<storage::LogEntry> entry, reader.next());
      if (!entry) return found;
      for (const storage::TimeMark& mark : entry->marks) {
        if (mark.offset < found.position.offset) continue;
        const bool clock_set_back = mark.wall < found.time && !shown(mark.wall);
        if (mark.wall > time_ || clock_set_back || mark.offset > to) return found;
        found = PointInTime{{found.position.timeline, mark.offset}, mark.wall};
      }
    }
  }

 private:
  bool shown(WallTime mark) const { return mark <= time_ && time_ - mark <= kShown; }

  // Where the clock was set back, several places come before the time that is asked for.
  bool better(const PointInTime& mark) const {
    if (!found_) return true;
    if (shown(mark.time) != shown(found_->time)) return shown(mark.time);
    if (shown(mark.time) || mark.time == found_->time) return mark.position >= found_->position;
    return mark.time > found_->time;
  }

  // Newest first: the packs inside which the time comes, the pack that ended last before it, and what no pack holds.
  std::vector<StreamStretch> parts_worth_reading(const storage::TimelineState& timeline, const StreamStretch& stretch,
                                                 bool tail_went_back) const {
    std::vector<StreamStretch> parts;
    const PackInfo *ended = nullptr, *newest = nullptr;
    for (const PackInfo& pack : timeline.packs) {
      if (pack.last <= stretch.from || pack.first >= stretch.to) continue;
      newest = &pack;
      if (pack.last_time <= time_ && (ended == nullptr || pack.last_time >= ended->last_time)) ended = &pack;
    }
    for (const PackInfo& pack : timeline.packs) {
      if (pack.last <= stretch.from || pack.first >= stretch.to) continue;
      if (&pack == ended || (pack.first_time <= time_ && time_ < pack.last_time))
        parts.push_back({stretch.timeline, std::max(pack.first, stretch.from), std::min(pack.last, stretch.to)});
    }
    const Offset packed_up_to = newest == nullptr ? stretch.from : std::min(newest->last, stretch.to);
    const bool tail_may_hold_it = newest == nullptr || newest->first_time <= time_ || newest->last_time <= time_;
    if (packed_up_to < stretch.to && (tail_may_hold_it || tail_went_back))
      parts.push_back({stretch.timeline, packed_up_to, stretch.to});
    std::ranges::reverse(parts);
    return parts;
  }

  Status read(const StreamStretch& part) {
    const auto visit = [&](const storage::IndexedStretch& indexed) -> Status {
      for (const storage::TimeMark& mark : indexed.index.marks) {
        if (indexed.timeline != part.timeline || mark.wall > time_) continue;
        if (mark.offset < part.from || mark.offset > part.to) continue;
        const PointInTime candidate{{part.timeline, mark.offset}, mark.wall};
        if (better(candidate)) found_ = candidate;
      }
      return {};
    };
    return storage::for_each_index(source_.store, source_.repository, source_.state, Position{part.timeline, part.from},
                                   Position{part.timeline, part.to}, visit);
  }

  const SourceView& source_;
  WallTime time_;
  std::optional<PointInTime> found_;
};

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

// Whether the stretch ends at an earlier time than its newest pack does.
bool tail_went_back(const storage::SourceState& state, const StreamStretch& stretch, WallTime end) {
  const storage::TimelineState* timeline = find_timeline(state, stretch.timeline);
  return timeline != nullptr && !timeline->packs.empty() && timeline->packs.back().last_time > end;
}

}  // namespace

Result<PointInTime> last_mark_not_after(const SourceView& source, const storage::RecoveryWindow& window,
                                        WallTime time) {
  Search search(source, time);
  std::map<std::uint32_t, Offset> ends;
  for (const StreamStretch& whole : stretches_of(source.state, window)) {
    if (search.found_where_it_was_shown()) break;
    ends[whole.timeline.value] = whole.to;
    RETURN_IF_ERROR(search.look_through(whole, tail_went_back(source.state, whole, window.to_time)));
  }
  if (!search.found()) return PointInTime{window.from, window.from_time};
  return search.refined(ends.at(search.found()->position.timeline.value));
}

}  // namespace anclora::protect
