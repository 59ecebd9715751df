#include "storage/repository/retention.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace anclora::storage {
namespace {

const TimelineState* find_timeline(const SourceState& state, TimelineId id) {
  const auto it = std::ranges::find(state.timelines, id, &TimelineState::id);
  return it == state.timelines.end() ? nullptr : &*it;
}

// The newest base of the timeline at or before `offset`.
const BaseInfo* anchor_base(const TimelineState& timeline, redis::Offset offset) {
  const BaseInfo* anchor = nullptr;
  for (const BaseInfo& base : timeline.bases)
    if (base.offset <= offset) anchor = &base;
  return anchor;
}

// What must stay so that everything from some offset on can be restored, for each timeline.
class Needs {
 public:
  explicit Needs(const SourceState& state) : state_(state) {}

  // Every position of the timeline at or after `from` stays restorable.
  void keep_from(TimelineId id, redis::Offset from) {
    const TimelineState* timeline = find_timeline(state_, id);
    if (timeline == nullptr) return;
    if (const BaseInfo* anchor = anchor_base(*timeline, from)) {
      bases_.insert({id, anchor->name});
      lower(id, anchor->offset);
      return;
    }
    // Before the first base only a fork's parent can help; otherwise nothing there was ever restorable.
    lower(id, timeline->start);
    if (timeline->origin.kind == OriginKind::kFork)
      keep_from(timeline->origin.previous.timeline, timeline->origin.previous.offset);
  }

  void keep_base(TimelineId id, const std::string& base) { bases_.insert({id, base}); }

  bool needs_base(const BaseInfo& base) const { return bases_.contains({base.timeline, base.name}); }
  // The stream of the timeline from here on is needed; nothing: none of it.
  std::optional<redis::Offset> stream_from(TimelineId id) const {
    const auto it = stream_.find(id);
    return it == stream_.end() ? std::nullopt : std::optional(it->second);
  }

 private:
  void lower(TimelineId id, redis::Offset offset) {
    const auto [it, inserted] = stream_.try_emplace(id, offset);
    if (!inserted) it->second = std::min(it->second, offset);
  }

  const SourceState& state_;
  std::set<std::pair<TimelineId, std::string>> bases_;
  std::map<TimelineId, redis::Offset> stream_;
};

// The stream offset of the timeline that was reached at `time` at the latest (a pack's border: a little before it).
redis::Offset offset_at(const TimelineState& timeline, WallTime time, WallTime now) {
  redis::Offset offset = timeline.start;
  for (const PackInfo& pack : timeline.packs)
    if (pack.first_time <= time) offset = pack.first;
  for (const BaseInfo& base : timeline.bases)
    if (base.time <= time) offset = std::max(offset, base.offset);
  // Where the clock was set back, later offsets have earlier times: nothing that is marked as younger goes for that.
  for (const PackInfo& pack : timeline.packs)
    if (pack.last <= offset && pack.last_time > time && pack.last_time <= now) return std::min(offset, pack.first);
  return offset;
}

WallTime end_time(const SourceState& state, const TimelineState& timeline) {
  WallTime end = timeline.opened;
  for (const PackInfo& pack : timeline.packs) end = std::max(end, pack.last_time);
  for (const BaseInfo& base : timeline.bases) end = std::max(end, base.time);
  if (state.head && state.head->timeline == timeline.id) end = WallTime::max();
  // A closed timeline lasted, at the latest, until the next one was opened.
  for (const TimelineState& later : state.timelines)
    if (later.id == timeline.id.next()) end = std::max(end, later.opened);
  return end;
}

struct Slot {
  Duration width;
  Duration keep_for;
  const char* reason;
};

// For each past hour, day and week that the policy names: the newest base in it is the point that is kept.
std::vector<KeptPoint> slot_points(const SourceState& state, const RetentionPolicy& policy, WallTime now,
                                   WallTime every_moment_from) {
  const Slot slots[] = {{std::chrono::hours(1), policy.hourly, "hourly"},
                        {std::chrono::days(1), policy.daily, "daily"},
                        {std::chrono::weeks(1), policy.weekly, "weekly"}};
  std::vector<KeptPoint> points;
  for (const Slot& slot : slots) {
    std::map<std::int64_t, const BaseInfo*> newest;
    for (const TimelineState& timeline : state.timelines)
      for (const BaseInfo& base : timeline.bases) {
        if (base.time >= every_moment_from || base.time < now - slot.keep_for) continue;
        const BaseInfo*& kept = newest[base.time.time_since_epoch() / slot.width];
        if (kept == nullptr || kept->time <= base.time) kept = &base;
      }
    for (const auto& [number, base] : newest)
      points.push_back({{base->timeline, base->offset}, base->time, slot.reason, base->name});
  }
  return points;
}

// Weeks (days, hours) about to lose their last restorable moment without a base in them need one made. A slot is judged
// once its end has left the every-moment window by less than one slot: earlier ones cannot be helped any more.
std::vector<KeptPoint> slot_bases_to_make(const SourceState& state, const RetentionPolicy& policy, WallTime now,
                                          WallTime every_moment_from) {
  std::vector<KeptPoint> make;
  const Slot slots[] = {{std::chrono::hours(1), policy.hourly, "hourly"},
                        {std::chrono::days(1), policy.daily, "daily"},
                        {std::chrono::weeks(1), policy.weekly, "weekly"}};
  for (const Slot& slot : slots) {
    std::map<std::int64_t, std::pair<const PackInfo*, bool>> slots_seen;  // newest pack, has a base
    for (const TimelineState& timeline : state.timelines) {
      for (const PackInfo& pack : timeline.packs) {
        if (pack.last_time >= every_moment_from || pack.last_time < now - slot.keep_for) continue;
        if (pack.first < timeline.first_kept) continue;
        auto& seen = slots_seen[pack.last_time.time_since_epoch() / slot.width];
        if (seen.first == nullptr || seen.first->last_time <= pack.last_time) seen.first = &pack;
      }
    }
    for (const TimelineState& timeline : state.timelines)
      for (const BaseInfo& base : timeline.bases) {
        const auto it = slots_seen.find(base.time.time_since_epoch() / slot.width);
        if (it != slots_seen.end()) it->second.second = true;
      }
    for (const auto& [number, seen] : slots_seen)
      if (!seen.second && seen.first != nullptr)
        make.push_back({{seen.first->timeline, seen.first->last}, seen.first->last_time, slot.reason, ""});
  }
  return make;
}

const BaseInfo* base_exactly_at(const SourceState& state, const Position& position) {
  const TimelineState* timeline = find_timeline(state, position.timeline);
  if (timeline == nullptr) return nullptr;
  const auto it = std::ranges::find(timeline->bases, position.offset, &BaseInfo::offset);
  return it == timeline->bases.end() ? nullptr : &*it;
}

// Bases inside the kept stream that are there only to keep replay short: a base stays when without it more than
// `replay_bytes` would have to be replayed from the kept one before it.
void keep_bases_for_replay(const TimelineState& timeline, redis::Offset from, const RetentionPolicy& policy,
                           Needs& needs) {
  std::optional<redis::Offset> previous;
  const std::size_t count = timeline.bases.size();
  for (std::size_t i = 0; i < count; ++i) {
    const BaseInfo& base = timeline.bases[i];
    if (base.offset < from) continue;
    const bool newest = i + 1 == count;
    const bool next_too_far = !newest && previous && timeline.bases[i + 1].offset - *previous > policy.replay_bytes;
    if (!previous || newest || next_too_far || needs.needs_base(base)) {
      needs.keep_base(timeline.id, base.name);
      previous = base.offset;
    }
  }
}

void keep_every_moment(const SourceState& state, const RetentionPolicy& policy, WallTime now, RetentionPlan& plan,
                       Needs& needs) {
  for (const TimelineState& timeline : state.timelines) {
    if (end_time(state, timeline) < plan.every_moment_from) continue;
    const redis::Offset from = offset_at(timeline, plan.every_moment_from, now);
    needs.keep_from(timeline.id, from);
    keep_bases_for_replay(timeline, from, policy, needs);
    plan.explanations.push_back(fmt::format("timeline {}: every moment since {} (from offset {})", timeline.id.value,
                                            format_rfc3339(std::max(plan.every_moment_from, timeline.opened)),
                                            needs.stream_from(timeline.id).value_or(from).value));
  }
}

void retire_the_rest(const SourceState& state, const Needs& needs, RetentionPlan& plan) {
  for (const TimelineState& timeline : state.timelines) {
    const auto from = needs.stream_from(timeline.id);
    bool base_kept = false;
    for (const BaseInfo& base : timeline.bases) {
      if (needs.needs_base(base)) {
        base_kept = true;
        continue;
      }
      plan.retire_bases.push_back(base);
      plan.bytes_freed += base.stored_bytes;
    }
    const bool newest = state.head && state.head->timeline == timeline.id;
    // What no pack holds stands loose before, between and behind the packs, and may begin before the next pack does.
    std::uint64_t next = timeline.first_kept_sequence;
    std::optional<std::uint64_t> first_sequence;
    for (const PackInfo& pack : timeline.packs) {
      const bool opens = from && pack.last == *from && pack.last == timeline.start;
      // The next writer goes on from the head, whether or not anyone needs its stream.
      const bool holds_head = newest && pack.last_sequence >= state.head->sequence;
      if (opens || holds_head || (from && pack.last > *from)) {
        if (!first_sequence) first_sequence = !from || pack.first <= *from ? pack.first_sequence : next;
        continue;
      }
      plan.retire_packs.push_back(pack);
      plan.bytes_freed += pack.stored_bytes;
      next = pack.last_sequence + 1;
    }
    if (!from && !base_kept && !newest) plan.retire_timelines.push_back(timeline.id);
    // Also where the offset stays: packs without stream, of a source that was down, go from the same place.
    const std::uint64_t sequence = first_sequence.value_or(next);
    if (from && *from >= timeline.first_kept &&
        (*from > timeline.first_kept || sequence > timeline.first_kept_sequence))
      plan.first_kept[timeline.id.value] = {sequence, *from};
    if (!from && base_kept && !timeline.packs.empty())
      plan.first_kept[timeline.id.value] = {timeline.packs.back().last_sequence + 1, timeline.packs.back().last};
  }
}

}  // namespace

bool RetentionPlan::retires_anything() const {
  return !retire_bases.empty() || !retire_packs.empty() || !retire_timelines.empty() || !first_kept.empty();
}

CheckpointDelta RetentionPlan::delta() const {
  CheckpointDelta delta;
  delta.retired_bases = retire_bases;
  delta.retired_packs = retire_packs;
  delta.retired_timelines = retire_timelines;
  delta.first_kept = first_kept;
  return delta;
}

Retirement RetentionPlan::retirement(std::string mark) const {
  return {std::move(mark), retire_bases, retire_packs, retire_timelines, first_kept};
}

void RetentionPlan::limit_to(const Retirement& marked) {
  const auto same_base = [](const BaseInfo& one, const BaseInfo& other) {
    return one.timeline == other.timeline && one.name == other.name;
  };
  const auto same_pack = [](const PackInfo& one, const PackInfo& other) {
    return one.timeline == other.timeline && one.first_sequence == other.first_sequence &&
           one.last_sequence == other.last_sequence;
  };
  std::erase_if(retire_bases, [&](const BaseInfo& base) {
    return std::ranges::none_of(marked.bases, [&](const BaseInfo& other) { return same_base(base, other); });
  });
  std::set<std::pair<std::uint32_t, std::uint64_t>> packs;
  for (const PackInfo& pack : marked.packs) packs.insert({pack.timeline.value, pack.first_sequence});
  std::erase_if(retire_packs, [&](const PackInfo& pack) {
    return !packs.contains({pack.timeline.value, pack.first_sequence}) ||
           std::ranges::none_of(marked.packs, [&](const PackInfo& other) { return same_pack(pack, other); });
  });
  std::erase_if(retire_timelines,
                [&](TimelineId id) { return std::ranges::find(marked.timelines, id) == marked.timelines.end(); });
  std::erase_if(first_kept, [&](const auto& kept) { return !marked.first_kept.contains(kept.first); });
  for (auto& [id, kept] : first_kept) kept = std::min(kept, marked.first_kept.at(id));
}

RetentionPlan plan_retention(const SourceState& state, const std::vector<Pin>& pins, const RetentionPolicy& policy,
                             WallTime now) {
  RetentionPlan plan;
  plan.every_moment_from = now - policy.every_moment;
  plan.points = slot_points(state, policy, now, plan.every_moment_from);
  plan.bases_to_make = slot_bases_to_make(state, policy, now, plan.every_moment_from);
  for (const Pin& pin : pins) {
    if (pin.expires && *pin.expires <= now) continue;
    // A tag that came too late, and was told so.
    if (!is_kept(state, pin.position)) {
      plan.explanations.push_back(
          fmt::format("{}: tag {} names what is not kept any more", to_string(pin.position), pin.name));
      continue;
    }
    const BaseInfo* base = base_exactly_at(state, pin.position);
    const KeptPoint point{pin.position, pin.time, "pin " + pin.name, base == nullptr ? "" : base->name};
    // Inside the window the stream holds the point; it needs a base of its own only when it leaves.
    if (base == nullptr && pin.time < plan.every_moment_from) plan.bases_to_make.push_back(point);
    plan.points.push_back(point);
  }

  Needs needs(state);
  keep_every_moment(state, policy, now, plan, needs);
  for (const KeptPoint& point : plan.points) {
    if (!point.base.empty())
      needs.keep_base(point.position.timeline, point.base);
    else
      needs.keep_from(point.position.timeline, point.position.offset);
    plan.explanations.push_back(
        fmt::format("{} ({}): {}", to_string(point.position), format_rfc3339(point.time), point.reason));
  }
  for (const KeptPoint& point : plan.bases_to_make) needs.keep_from(point.position.timeline, point.position.offset);
  retire_the_rest(state, needs, plan);
  return plan;
}

}  // namespace anclora::storage
