// What lost checkpoints named, found again among the objects that stand.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/whole_number.h"
#include "storage/repository/checkpoint.h"
#include "storage/repository/pack_stream.h"
#include "storage/repository/source_object.h"
#include "storage/repository/stored_entry.h"

namespace anclora::storage {
namespace {

struct StandingPack {
  std::uint64_t first = 0, last = 0;
  std::uint64_t stored_bytes = 0;
};
struct StandingBase {
  std::uint32_t parts = 0;
  bool manifest = false;
};
// What stands of one timeline, but for what was retired.
struct Standing {
  std::vector<StandingPack> packs;  // by first sequence
  std::map<std::string, StandingBase> bases;
  std::set<std::uint64_t> entries;  // under their own names
};

bool is_damage(const Error& error) {
  return error.kind() == ErrorKind::kDataLoss || error.kind() == ErrorKind::kNotFound ||
         error.kind() == ErrorKind::kResourceExhausted;
}

// Of packs that overlap those that cover the most entries; ascending.
std::vector<StandingPack> best_cover(std::vector<StandingPack> packs) {
  std::ranges::sort(packs, {}, &StandingPack::last);
  std::vector<std::uint64_t> covered(packs.size() + 1);
  const auto before = [&](std::size_t i) {  // how many packs end before pack i begins
    const auto end = packs.begin() + static_cast<std::ptrdiff_t>(i);
    const auto it = std::ranges::lower_bound(packs.begin(), end, packs[i].first, {}, &StandingPack::last);
    return static_cast<std::size_t>(it - packs.begin());
  };
  for (std::size_t i = 0; i < packs.size(); ++i)
    covered[i + 1] = std::max(covered[i], covered[before(i)] + packs[i].last - packs[i].first + 1);
  std::vector<StandingPack> chosen;
  for (std::size_t i = packs.size(); i > 0;) {
    if (covered[i] == covered[i - 1]) {
      --i;
      continue;
    }
    chosen.push_back(packs[i - 1]);
    i = before(i - 1);
  }
  std::ranges::reverse(chosen);
  return chosen;
}

class Rebuilder {
 public:
  Rebuilder(ReadStore& store, const Repository& repository, CheckpointChain& chain)
      : store_(store), repository_(repository), chain_(chain), state_(chain.state) {}

  Status run() {
    ASSIGN_OR_RETURN(const Listing listing, store_.list(layout::source_prefix(state_.source), false));
    for (const ObjectInfo& object : listing.objects) note(object);
    for (auto& [id, standing] : standing_) RETURN_IF_ERROR(rebuild(TimelineId{id}, standing));
    drop_what_is_gone();
    for (std::size_t i = 0; i + 1 < state_.timelines.size(); ++i) RETURN_IF_ERROR(find_end(state_.timelines[i]));
    return {};
  }

 private:
  void note(const ObjectInfo& object) {
    const SourceObjectName parts = take_apart(object.name, layout::source_prefix(state_.source));
    if (parts.timeline == 0 || is_retired(object.name)) return;
    Standing& standing = standing_[parts.timeline];
    if (parts.kind == "log") {
      if (const auto sequence = whole_number<std::uint64_t>(parts.rest)) standing.entries.insert(*sequence);
    } else if (parts.kind == "pack") {
      const auto first = whole_number<std::uint64_t>(parts.rest.substr(0, parts.rest.find('-')));
      const auto last = whole_number<std::uint64_t>(parts.rest.substr(parts.rest.find('-') + 1));
      if (first && last && *first <= *last && *last < UINT64_MAX &&
          object.name == layout::pack(state_.source, TimelineId{parts.timeline}, *first, *last))
        standing.packs.push_back({*first, *last, object.size_bytes});
    } else if (parts.kind == "base") {
      const std::size_t slash = parts.rest.find('/');
      if (slash == std::string::npos) return;
      StandingBase& base = standing.bases[parts.rest.substr(0, slash)];
      const bool manifest = parts.rest.substr(slash + 1) == "manifest";
      base.manifest = base.manifest || manifest;
      if (!manifest) ++base.parts;
    }
  }

  bool is_retired(std::string_view name) const {
    return std::ranges::any_of(chain_.retired,
                               [&](const RetiredObject& retired) { return name.starts_with(retired.object_prefix); });
  }

  TimelineState* find(TimelineId id) {
    const auto it = std::ranges::find(state_.timelines, id, &TimelineState::id);
    return it == state_.timelines.end() ? nullptr : &*it;
  }

  void damaged(std::string object, const Error& error) {
    state_.damaged_checkpoints.push_back({std::move(object), error.message()});
  }

  Status rebuild(TimelineId id, Standing& standing) {
    if (find(id) == nullptr) RETURN_IF_ERROR(discover(id, standing));
    const TimelineState* timeline = find(id);
    if (timeline == nullptr) return {};
    RETURN_IF_ERROR(find_packs(*timeline, standing));
    for (const auto& [name, base] : standing.bases) RETURN_IF_ERROR(find_base(id, name, base));
    return {};
  }

  // A timeline that no readable checkpoint names: by the first of its entries that is left; a copy that was taken
  // before a restore has bases only.
  Status discover(TimelineId id, const Standing& standing) {
    const std::vector<StandingPack> packs = best_cover(standing.packs);
    std::optional<std::uint64_t> first = packs.empty() ? std::nullopt : std::optional(packs.front().first);
    if (!first && !standing.entries.empty()) first = *standing.entries.begin();
    while (first && *first > 0 && standing.entries.contains(*first - 1)) --*first;
    if (!first) return discover_by_base(id, standing);
    const bool packed = !standing.entries.contains(*first);
    const Result<StoredEntry> stored =
        packed ? read_first_of_pack(store_, repository_, state_.source, bare(id, packs.front()))
               : read_stored_entry(store_, repository_, state_.source, id, *first);
    if (!stored && !is_damage(stored.error())) return stored.error();
    if (!stored) {
      damaged(layout::timeline_prefix(state_.source, id), stored.error());
      return {};
    }
    TimelineState timeline = timeline_of(stored->entry);
    add_timeline(state_, timeline);
    find(id)->first_kept_sequence = *first;
    return {};
  }

  Status discover_by_base(TimelineId id, const Standing& standing) {
    for (const auto& [name, base] : standing.bases) {
      if (!base.manifest) continue;
      const Result<BaseInfo> info = read_base_info(store_, repository_, state_.source, id, name);
      if (!info && !is_damage(info.error())) return info.error();
      if (!info) continue;
      TimelineState timeline;
      timeline.id = id;
      timeline.start = timeline.first_kept = info->offset;
      timeline.opened = info->time;
      add_timeline(state_, timeline);
      return {};
    }
    return {};
  }

  static PackInfo bare(TimelineId id, const StandingPack& standing) {
    PackInfo pack;
    pack.timeline = id;
    pack.first_sequence = standing.first;
    pack.last_sequence = standing.last;
    pack.stored_bytes = standing.stored_bytes;
    return pack;
  }

  // Those that overlap no known one: the first that was announced counts, and who knows those knows more.
  Status find_packs(const TimelineState& timeline, const Standing& standing) {
    const TimelineId id = timeline.id;
    std::vector<StandingPack> unknown;
    for (const StandingPack& pack : standing.packs) {
      const auto at = std::ranges::lower_bound(timeline.packs, pack.first, {}, &PackInfo::last_sequence);
      const bool overlaps = at != timeline.packs.end() && at->first_sequence <= pack.last;
      if (!overlaps && pack.first >= timeline.first_kept_sequence) unknown.push_back(pack);
    }
    std::vector<std::pair<StandingPack, Error>> unreadable;
    for (const StandingPack& pack : best_cover(std::move(unknown))) {
      const auto info = read_pack(id, pack, standing.entries);
      if (!info && !is_damage(info.error())) return info.error();
      if (info) {
        add_pack(state_, *info);
      } else {
        unreadable.emplace_back(pack, info.error());
      }
    }
    for (const auto& [pack, error] : unreadable) {
      damaged(layout::pack(state_.source, id, pack.first, pack.last), error);
      ASSIGN_OR_RETURN(const std::optional<PackInfo> info, by_neighbours(timeline, pack, standing.entries));
      if (info) add_pack(state_, *info);
    }
    return {};
  }

  // An unreadable pack as those before and behind it tell: the log goes on behind it, and restores from there.
  Result<std::optional<PackInfo>> by_neighbours(const TimelineState& timeline, const StandingPack& standing,
                                                const std::set<std::uint64_t>& entries) {
    PackInfo pack = bare(timeline.id, standing);
    const auto next = std::ranges::lower_bound(timeline.packs, standing.first, {}, &PackInfo::first_sequence);
    if (next == timeline.packs.begin() || (next - 1)->last_sequence + 1 != standing.first)
      return std::optional<PackInfo>();
    pack.first = (next - 1)->last;
    pack.first_time = pack.last_time = (next - 1)->last_time;
    pack.predecessor = (next - 1)->last_hash;
    if (next != timeline.packs.end() && next->first_sequence == standing.last + 1) {
      pack.last = next->first;
      pack.last_time = next->first_time;
      pack.last_hash = next->predecessor;
      return std::optional(pack);
    }
    if (!entries.contains(standing.last + 1)) return std::optional<PackInfo>();
    const auto entry = read_stored_entry(store_, repository_, state_.source, timeline.id, standing.last + 1);
    if (!entry && !is_damage(entry.error())) return entry.error();
    if (!entry) return std::optional<PackInfo>();
    pack.last = entry->entry.first;
    if (!entry->entry.marks.empty()) pack.last_time = entry->entry.marks.front().wall;
    pack.last_hash = entry->entry.predecessor;
    return std::optional(pack);
  }

  // What a checkpoint would say of it. Whoever still has the entries themselves relies on the pack only once all of it
  // was read: with the pack they would be deleted.
  Result<PackInfo> read_pack(TimelineId id, const StandingPack& standing, const std::set<std::uint64_t>& entries) {
    PackInfo pack = bare(id, standing);
    const std::string name = layout::pack(state_.source, id, standing.first, standing.last);
    ASSIGN_OR_RETURN(const StreamIndex index, read_pack_index(store_, repository_, state_.source, pack));
    if (index.entries.size() != standing.last - standing.first + 1 || index.entries.front().sequence != standing.first)
      return Error(ErrorKind::kDataLoss, name + ": its index is that of other entries");
    pack.first = index.entries.front().first;
    pack.last = index.entries.back().last;
    pack.last_hash = index.entries.back().hash;
    pack.first_time = index.entries.front().time;
    pack.last_time = index.entries.back().time;
    if (!index.marks.empty()) pack.last_time = std::max(pack.last_time, index.marks.back().wall);
    ASSIGN_OR_RETURN(const StoredEntry first, read_first_of_pack(store_, repository_, state_.source, pack));
    pack.predecessor = first.entry.predecessor;
    const TimelineState& timeline = *find(id);
    for (const PackInfo& before : timeline.packs)
      if (before.last_sequence + 1 == pack.first_sequence && before.last_hash != pack.predecessor)
        return Error(ErrorKind::kDataLoss, name + " does not follow the pack before it");
    const auto covered = entries.lower_bound(standing.first);
    if (covered != entries.end() && *covered <= standing.last) {
      ASSIGN_OR_RETURN(const StoredEntry last, read_last_of_pack(store_, repository_, state_.source, pack));
    }
    return pack;
  }

  Status find_base(TimelineId id, const std::string& name, const StandingBase& standing) {
    const TimelineState& timeline = *find(id);
    const bool known = std::ranges::find(timeline.bases, name, &BaseInfo::name) != timeline.bases.end();
    if (known || !standing.manifest) return {};
    const Result<BaseInfo> base = read_base_info(store_, repository_, state_.source, id, name);
    if (!base && !is_damage(base.error())) return base.error();
    if (!base) {
      damaged(layout::base_manifest(state_.source, id, name), base.error());
    } else if (base->parts == standing.parts) {
      add_base(state_, *base);
    }
    return {};
  }

  // A lost checkpoint may have retired it, and expire have deleted it since.
  void drop_what_is_gone() {
    for (TimelineState& timeline : state_.timelines) {
      const Standing& standing = standing_[timeline.id.value];
      std::erase_if(timeline.bases, [&](const BaseInfo& base) { return !standing.bases.contains(base.name); });
      drop_front_packs(timeline, standing);
    }
    if (state_.timelines.empty()) return;
    const TimelineId newest = state_.timelines.back().id;
    std::erase_if(state_.timelines, [&](const TimelineState& timeline) {
      const Standing& standing = standing_[timeline.id.value];
      const bool gone = standing.packs.empty() && standing.entries.empty() && timeline.bases.empty();
      return gone && timeline.id != newest;
    });
  }

  // The kept stream begins where what stands begins. Where no pack stands at all, that is not expire's work.
  static void drop_front_packs(TimelineState& timeline, const Standing& standing) {
    const auto stands = [&](const PackInfo& pack) {
      return standing.entries.contains(pack.first_sequence) ||
             std::ranges::any_of(standing.packs, [&](const StandingPack& other) {
               return other.first == pack.first_sequence && other.last == pack.last_sequence;
             });
    };
    const auto kept = std::ranges::find_if(timeline.packs, stands);
    if (kept == timeline.packs.end()) return;
    timeline.packs.erase(timeline.packs.begin(), kept);
    const PackInfo& front = timeline.packs.front();
    std::uint64_t loose = front.first_sequence;
    while (loose > timeline.first_kept_sequence && standing.entries.contains(loose - 1)) --loose;
    if (loose <= timeline.first_kept_sequence) return;
    timeline.first_kept_sequence = front.first_sequence;
    timeline.first_kept = std::max(timeline.first_kept, front.first);
  }

  // A timeline that another follows ends in a kClosed.
  Status find_end(TimelineState& timeline) {
    timeline.closed = true;
    if (timeline.end) return {};
    const Standing& standing = standing_[timeline.id.value];
    std::uint64_t last = timeline.packs.empty() ? timeline.first_kept_sequence : timeline.packs.back().last_sequence;
    while (standing.entries.contains(last + 1)) ++last;
    const bool packed = !timeline.packs.empty() && last == timeline.packs.back().last_sequence;
    const Result<StoredEntry> stored =
        packed ? read_last_of_pack(store_, repository_, state_.source, timeline.packs.back())
               : read_stored_entry(store_, repository_, state_.source, timeline.id, last);
    if (!stored) return is_damage(stored.error()) ? Status() : stored.error();
    if (stored->entry.kind != EntryKind::kClosed) return {};
    timeline.end = timeline_end(stored->entry, stored->hash);
    timeline.close_reason = timeline.end->reason;
    timeline.replication_id = timeline.end->replication_id;
    return {};
  }

  ReadStore& store_;
  const Repository& repository_;
  CheckpointChain& chain_;
  SourceState& state_;
  std::map<std::uint32_t, Standing> standing_;
};

}  // namespace

Status rebuild_state(ReadStore& store, const Repository& repository, CheckpointChain& chain) {
  return Rebuilder(store, repository, chain).run();
}

}  // namespace anclora::storage
