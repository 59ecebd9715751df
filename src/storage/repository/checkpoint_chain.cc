#include <fmt/format.h>

#include <algorithm>

#include "storage/repository/checkpoint.h"
#include "storage/repository/sealed_object.h"

namespace anclora::storage {
namespace {

constexpr int kRaces = 100;

TimelineState* find(SourceState& state, TimelineId id) {
  const auto it = std::ranges::find(state.timelines, id, &TimelineState::id);
  return it == state.timelines.end() ? nullptr : &*it;
}

void close_timeline(SourceState& state, const TimelineEnd& end) {
  TimelineState* timeline = find(state, end.timeline);
  if (timeline == nullptr) return;
  timeline->closed = true;
  timeline->close_reason = end.reason;
  timeline->replication_id = end.replication_id;
  timeline->end = end;
}

void retire(CheckpointChain& chain, std::string object, WallTime when) {
  if (std::ranges::find(chain.retired, object, &RetiredObject::object_prefix) == chain.retired.end())
    chain.retired.push_back({std::move(object), when});
}

void raise_first_kept(SourceState& state,
                      const std::map<std::uint32_t, std::pair<std::uint64_t, redis::Offset>>& first_kept) {
  for (const auto& [id, kept] : first_kept) {
    TimelineState* timeline = find(state, TimelineId{id});
    if (timeline == nullptr || kept.first < timeline->first_kept_sequence) continue;
    timeline->first_kept_sequence = kept.first;
    timeline->first_kept = kept.second;
  }
}

void apply_retired(CheckpointChain& chain, const CheckpointDelta& delta, WallTime when) {
  SourceState& state = chain.state;
  for (const BaseInfo& base : delta.retired_bases) {
    if (TimelineState* timeline = find(state, base.timeline))
      std::erase_if(timeline->bases, [&](const BaseInfo& other) { return other.name == base.name; });
    retire(chain, layout::base_prefix(state.source, base.timeline, base.name), when);
    retire(chain, layout::side(state.source, base.timeline, base.name), when);
  }
  for (const PackInfo& pack : delta.retired_packs) {
    if (TimelineState* timeline = find(state, pack.timeline))
      std::erase_if(timeline->packs,
                    [&](const PackInfo& other) { return other.first_sequence == pack.first_sequence; });
    retire(chain, layout::pack(state.source, pack.timeline, pack.first_sequence, pack.last_sequence), when);
  }
  for (TimelineId id : delta.retired_timelines) {
    std::erase_if(state.timelines, [&](const TimelineState& timeline) { return timeline.id == id; });
    retire(chain, layout::timeline_prefix(state.source, id), when);
  }
}

Error too_long(const std::string& name, std::size_t bytes, std::uint64_t max_bytes) {
  return Error(ErrorKind::kResourceExhausted,
               fmt::format("{} would have {} bytes, and none above {} could be read", name, bytes, max_bytes),
               "run anclora expire, or keep every moment for a shorter time: each pack that counts takes 400 bytes");
}

}  // namespace

void add_timeline(SourceState& state, const TimelineState& opened) {
  if (TimelineState* known = find(state, opened.id)) {
    known->replication_id = opened.replication_id;
    return;
  }
  TimelineState timeline = opened;
  timeline.bases.clear();
  timeline.packs.clear();
  timeline.closed = false;
  timeline.end.reset();
  timeline.first_kept_sequence = 0;
  timeline.first_kept = timeline.start;
  const auto at = std::ranges::lower_bound(state.timelines, timeline.id, {}, &TimelineState::id);
  state.timelines.insert(at, std::move(timeline));
}

void add_base(SourceState& state, const BaseInfo& base) {
  TimelineState* timeline = find(state, base.timeline);
  if (timeline == nullptr || std::ranges::find(timeline->bases, base.name, &BaseInfo::name) != timeline->bases.end())
    return;
  const auto at = std::ranges::upper_bound(timeline->bases, base.offset, {}, &BaseInfo::offset);
  timeline->bases.insert(at, base);
}

void add_pack(SourceState& state, const PackInfo& pack) {
  TimelineState* timeline = find(state, pack.timeline);
  if (timeline == nullptr) return;
  const auto at = std::ranges::lower_bound(timeline->packs, pack.first_sequence, {}, &PackInfo::last_sequence);
  if (at != timeline->packs.end() && at->first_sequence <= pack.last_sequence) return;
  timeline->packs.insert(at, pack);
}

bool CheckpointDelta::empty() const {
  return !url && opened.empty() && bases.empty() && packs.empty() && closed.empty() && ends.empty() &&
         retired_bases.empty() && retired_packs.empty() && first_kept.empty() && retired_timelines.empty() &&
         deleted.empty() && !retiring;
}

void apply_checkpoint(CheckpointChain& chain, const Checkpoint& checkpoint) {
  SourceState& state = chain.state;
  if (checkpoint.full) {
    const std::string source = state.source;
    state = SourceState();
    state.source = source;
    state.rebuilt = checkpoint.rebuilt;
    chain.retired = checkpoint.retired;
  }
  const CheckpointDelta& delta = checkpoint.delta;
  if (delta.url) state.url = *delta.url;
  for (const TimelineState& timeline : delta.opened) add_timeline(state, timeline);
  for (const BaseInfo& base : delta.bases) add_base(state, base);
  for (const PackInfo& pack : delta.packs) add_pack(state, pack);
  for (TimelineId id : delta.closed)
    if (TimelineState* timeline = find(state, id)) timeline->closed = true;
  for (const TimelineEnd& end : delta.ends) close_timeline(state, end);
  // What was marked anew since by another expire is not what this one looked at.
  if (delta.retires_mark.empty() || delta.retires_mark == state.retiring.mark) {
    raise_first_kept(state, delta.first_kept);
    apply_retired(chain, delta, checkpoint.written);
  }
  for (const std::string& object : delta.deleted)
    std::erase_if(chain.retired, [&](const RetiredObject& retired) { return retired.object_prefix == object; });
  if (delta.retiring) state.retiring = *delta.retiring;
  state.checkpoint_ordinal = checkpoint.ordinal;
}

CheckpointDelta whole_state(const SourceState& state) {
  CheckpointDelta delta;
  if (!state.url.empty()) delta.url = state.url;
  for (const TimelineState& timeline : state.timelines) {
    delta.opened.push_back(timeline);
    delta.bases.insert(delta.bases.end(), timeline.bases.begin(), timeline.bases.end());
    delta.packs.insert(delta.packs.end(), timeline.packs.begin(), timeline.packs.end());
    if (timeline.end) {
      delta.ends.push_back(*timeline.end);
    } else if (timeline.closed) {
      delta.closed.push_back(timeline.id);
    }
    delta.first_kept[timeline.id.value] = {timeline.first_kept_sequence, timeline.first_kept};
  }
  if (!state.retiring.mark.empty()) delta.retiring = state.retiring;
  return delta;
}

SourceState without_retiring(const SourceState& state) {
  CheckpointChain chain;
  chain.state = state;
  CheckpointDelta delta;
  delta.retired_bases = state.retiring.bases;
  delta.retired_packs = state.retiring.packs;
  delta.retired_timelines = state.retiring.timelines;
  raise_first_kept(chain.state, state.retiring.first_kept);
  apply_retired(chain, delta, {});
  return std::move(chain.state);
}

Result<bool> has_next_checkpoint(ReadStore& store, const CheckpointChain& chain) {
  return object_exists(store, layout::checkpoint(chain.state.source, chain.state.checkpoint_ordinal + 1));
}

Result<std::uint64_t> write_checkpoint(AppendStore& store, const Repository& repository, std::string_view source,
                                       const CheckpointDelta& delta, Clock& clock, Random& random, bool full,
                                       std::uint64_t max_bytes) {
  const std::string writer = to_hex(random.bytes(16));
  for (int race = 0; race < kRaces; ++race) {
    ASSIGN_OR_RETURN(CheckpointChain chain, load_checkpoint_chain(store, repository, source));
    Checkpoint next;
    next.ordinal = chain.state.checkpoint_ordinal + 1;
    next.previous = chain.newest;
    next.written = clock.wall_now();
    // The grace of what is retired is judged by the store's clock.
    const bool retires =
        !delta.retired_bases.empty() || !delta.retired_packs.empty() || !delta.retired_timelines.empty();
    if (retires) {
      ASSIGN_OR_RETURN(next.written, store.now());
    }
    next.writer = writer;
    const bool damaged = !chain.state.damaged_checkpoints.empty();
    next.full = full || damaged || layout::full_checkpoint_before(next.ordinal) == next.ordinal;
    if (damaged) {
      ASSIGN_OR_RETURN(chain.state.rebuilt, store.now());
    }
    next.delta = delta;
    if (next.full) {
      Checkpoint change = next;
      change.full = false;
      apply_checkpoint(chain, change);
      next.delta = whole_state(chain.state);
      next.retired = chain.retired;
      next.rebuilt = chain.state.rebuilt;
    }
    const std::string name = layout::checkpoint(source, next.ordinal);
    const Bytes content = encode_checkpoint(next);
    if (content.size() > max_bytes) return too_long(name, content.size(), max_bytes);
    ASSIGN_OR_RETURN(const bool mine, create_sealed(store, repository, name, content, random));
    if (mine) return next.ordinal;
  }
  return Error(ErrorKind::kUnavailable, fmt::format("{}: others kept writing checkpoints", source), "try again");
}

Result<std::vector<RetiredObject>> list_retired(ReadStore& store, const Repository& repository,
                                                std::string_view source) {
  ASSIGN_OR_RETURN(CheckpointChain chain, load_checkpoint_chain(store, repository, source));
  return std::move(chain.retired);
}

}  // namespace anclora::storage
