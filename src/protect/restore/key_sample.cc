#include "protect/restore/key_sample.h"

#include <algorithm>
#include <vector>

namespace anclora::protect {
namespace {

using redis::Offset;
using storage::KeyCounts;

// Counts are taken over another connection than the stream, and stand in the entry that is sealed next: on an idle
// source that is a sign of life some time later.
constexpr int kEntriesBehind = 3;

// Where to begin to read, the nearest to the end first.
std::vector<Offset> beginnings(const storage::TimelineState& timeline, const StreamStretch& stretch) {
  std::vector<Offset> found;
  const auto add = [&](Offset from) {
    from = std::clamp(from, stretch.from, stretch.to);
    if (found.empty() || found.back() != from) found.push_back(from);
  };
  Offset packed = stretch.from;
  for (const storage::PackInfo& pack : timeline.packs) {
    if (pack.first > stretch.to) break;
    packed = std::max(packed, pack.last);
  }
  if (packed < stretch.to) add(packed);
  for (std::size_t i = timeline.packs.size(); i-- > 0 && found.size() < 3;)
    if (timeline.packs[i].first < stretch.to && timeline.packs[i].last > stretch.from) add(timeline.packs[i].first);
  if (found.empty()) add(stretch.from);
  return found;
}

Result<std::optional<KeyCounts>> newest_after(const RestoreInput& input, const StreamStretch& stretch, Offset from) {
  ASSIGN_OR_RETURN(auto reader, storage::LogReader::open(*input.store, *input.repository, input.state,
                                                         {stretch.timeline, from}, std::nullopt));
  std::optional<KeyCounts> newest;
  for (int behind = 0; behind < kEntriesBehind;) {
    ASSIGN_OR_RETURN(const auto entry, reader.next());
    if (!entry || entry->timeline != stretch.timeline) break;
    if (entry->last >= stretch.to) ++behind;
    if (!entry->key_counts) continue;
    if (entry->key_counts->offset > stretch.to) break;
    if (entry->key_counts->offset >= stretch.from) newest = entry->key_counts;
  }
  return newest;
}

}  // namespace

Result<std::optional<KeyCounts>> find_key_counts(const RestoreInput& input) {
  const storage::BaseInfo& base = input.route.base;
  const StreamStretch stretch = input.route.stretches.empty() ? StreamStretch{base.timeline, base.offset, base.offset}
                                                              : input.route.stretches.back();
  const storage::TimelineState* timeline = find_timeline(input.state, stretch.timeline);
  if (timeline == nullptr) return std::optional<KeyCounts>{};
  for (const Offset from : beginnings(*timeline, stretch)) {
    ASSIGN_OR_RETURN(auto newest, newest_after(input, stretch, from));
    if (newest) return newest;
  }
  return std::optional<KeyCounts>{};
}

}  // namespace anclora::protect
