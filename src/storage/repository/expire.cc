#include "storage/repository/expire.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/whole_number.h"
#include "storage/repository/log_writer.h"
#include "storage/repository/pin.h"
#include "storage/repository/source_object.h"

namespace anclora::storage {
namespace {

// Rule 5: a writer that slept must not find a name free that it was about to write. It trusts a look at the head for 10
// minutes; a shorter grace is for a log that its writer let go of.
constexpr Duration kWriterMayTrustItsHead = std::chrono::minutes(11);

// A pack or a base is put before a checkpoint names it; while a writer lives, it may be about to.
constexpr Duration kPutMayStillCount = std::chrono::hours(1);

bool log_is_released(const SourceState& state) {
  if (!state.head) return false;
  const LogEntry& entry = state.head->entry;
  return entry.kind == EntryKind::kClaim && entry.note == kReleasedNote;
}

constexpr const char* kPacked = "packed";

bool is_log_entry(std::string_view name) { return name.find("/log/") != std::string_view::npos; }

// A writer whose newest entry stands loose would take the name behind it for free: that one stays, packed or not.
bool follows(std::string_view name, std::string_view before) {
  const std::size_t slash = name.rfind('/');
  if (before.empty() || name.substr(0, slash) != before.substr(0, before.rfind('/'))) return false;
  const auto sequence = whole_number<std::uint64_t>(name.substr(slash + 1));
  const auto previous = whole_number<std::uint64_t>(before.substr(before.rfind('/') + 1));
  return sequence && previous && *sequence == *previous + 1;
}

// What counts is not known whole: what looks as if it did not may be what the lost checkpoint named.
Status refuse_damaged(const SourceState& state) {
  if (state.damaged_checkpoints.empty()) return {};
  const DamagedObject& first = state.damaged_checkpoints.front();
  return Error(ErrorKind::kDataLoss, fmt::format("nothing is deleted: {}: {}", first.object, first.problem),
               "copy it from a mirror, or let capture or expire write the next checkpoint, which makes up for it");
}

// What the chain says of every object of one source.
class Judge {
 public:
  Judge(const SourceState& state, std::vector<RetiredObject> retired, const Listing& listing, WallTime store_now,
        const ExpireGrace& grace)
      : state_(state), retired_(std::move(retired)), now_(store_now), grace_(grace), uncounted_grace_(grace.retired) {
    if (!log_is_released(state)) {
      grace_.packed_entries = std::max(grace.packed_entries, kWriterMayTrustItsHead);
      uncounted_grace_ = std::max(grace.retired, kPutMayStillCount);
    }
    for (const TimelineState& timeline : state.timelines) {
      timelines_with_base_[timeline.id.value] = !timeline.bases.empty();
      for (const BaseInfo& base : timeline.bases) bases_.insert({timeline.id.value, base.name});
      for (const PackInfo& pack : timeline.packs)
        packs_.insert(layout::pack(state.source, timeline.id, pack.first_sequence, pack.last_sequence));
    }
    for (const ObjectInfo& object : listing.objects) note(object);
  }

  // Why it may be deleted now; empty: it stays.
  std::string reason(const ObjectInfo& object) const {
    const SourceObjectName parts = take_apart(object.name, layout::source_prefix(state_.source));
    if (parts.kind == "log" && object.modified + grace_.packed_entries > now_) return "";
    if (retired_long_enough(object.name)) return "retired";
    if (parts.kind == "log") return log_reason(object, parts);
    if (object.modified + grace_.retired > now_) return "";
    if (is_superseded_checkpoint(object.name)) return "superseded";
    if (object.modified + uncounted_grace_ > now_) return "";
    // What nobody could read when the state was rebuilt looks the same.
    if (state_.rebuilt && object.modified <= *state_.rebuilt) return "";
    if (parts.kind == "pack" && !packs_.contains(object.name)) return "never counted";
    if ((parts.kind == "base" || parts.kind == "side") && never_counted(parts)) return "never counted";
    return "";
  }

 private:
  // A base as it stands in the store, whether or not it counts.
  struct StoredBase {
    WallTime newest;  // of its objects
    bool whole = false;
  };
  using BaseKey = std::pair<std::uint32_t, std::string>;
  static BaseKey base_of(const SourceObjectName& parts) {
    return {parts.timeline, parts.rest.substr(0, parts.rest.find('/'))};
  }

  void note(const ObjectInfo& object) {
    const SourceObjectName parts = take_apart(object.name, layout::source_prefix(state_.source));
    if (parts.kind != "base") return;
    StoredBase& base = stored_bases_[base_of(parts)];
    base.newest = std::max(base.newest, object.modified);
    base.whole = base.whole || parts.rest.ends_with("/manifest");
  }

  // Not one that is on its way, however long that takes; and never the only whole base of a timeline, whatever the
  // chain says of it.
  bool never_counted(const SourceObjectName& parts) const {
    const BaseKey key = base_of(parts);
    if (bases_.contains(key)) return false;
    const auto base = stored_bases_.find(key);
    if (base == stored_bases_.end()) return true;
    if (base->second.newest + uncounted_grace_ > now_) return false;
    const auto timeline = timelines_with_base_.find(parts.timeline);
    const bool only_one = timeline != timelines_with_base_.end() && !timeline->second;
    return !(only_one && base->second.whole);
  }

  bool retired_long_enough(std::string_view name) const {
    return std::ranges::any_of(retired_, [&](const RetiredObject& retired) {
      return name.starts_with(retired.object_prefix) && retired.retired + grace_.retired <= now_ && !counts(name);
    });
  }

  // A checkpoint before the full one before the newest full one: nobody starts from it any more.
  bool is_superseded_checkpoint(std::string_view name) const {
    const std::string prefix = layout::checkpoint_prefix(state_.source);
    if (!name.starts_with(prefix)) return false;
    const auto ordinal = whole_number<std::uint64_t>(name.substr(name.rfind('/') + 1));
    const std::uint64_t newest = layout::full_checkpoint_before(state_.checkpoint_ordinal);
    return ordinal && newest > kFullCheckpointEvery && *ordinal < newest - kFullCheckpointEvery &&
           name == layout::checkpoint(state_.source, *ordinal);
  }

  bool counts(std::string_view name) const {
    if (packs_.contains(std::string(name))) return true;
    const SourceObjectName parts = take_apart(name, layout::source_prefix(state_.source));
    if (parts.kind != "base" && parts.kind != "side") return false;
    return bases_.contains(base_of(parts));
  }

  std::string log_reason(const ObjectInfo& object, const SourceObjectName& parts) const {
    const auto sequence = whole_number<std::uint64_t>(parts.rest);
    if (!sequence) return "";
    // The head stays under its own name: it is the fence for the next writer.
    if (state_.head && state_.head->timeline.value == parts.timeline && *sequence >= state_.head->sequence) return "";
    for (const TimelineState& timeline : state_.timelines) {
      if (timeline.id.value != parts.timeline) continue;
      if (*sequence < timeline.first_kept_sequence && object.modified + grace_.retired <= now_) return "retired";
      for (const PackInfo& pack : timeline.packs)
        if (pack.first_sequence <= *sequence && *sequence <= pack.last_sequence) return kPacked;
      return "";
    }
    return "";
  }

  const SourceState& state_;
  std::vector<RetiredObject> retired_;
  WallTime now_;
  ExpireGrace grace_;
  Duration uncounted_grace_;
  std::map<std::uint32_t, bool> timelines_with_base_;
  std::set<BaseKey> bases_;
  std::map<BaseKey, StoredBase> stored_bases_;
  std::set<std::string> packs_;
};

}  // namespace

Result<DeletionPlan> plan_deletions(ReadStore& store, const Repository& repository, std::string_view source,
                                    const ExpireGrace& grace, WallTime now) {
  ASSIGN_OR_RETURN(const SourceState state, load_source_state(store, repository, source));
  RETURN_IF_ERROR(refuse_damaged(state));
  ASSIGN_OR_RETURN(std::vector<RetiredObject> retired, list_retired(store, repository, source));
  ASSIGN_OR_RETURN(const Listing listing, store.list(layout::source_prefix(source), false));
  const Judge judge(state, std::move(retired), listing, now, grace);
  DeletionPlan plan;
  std::string loose;  // the newest entry so far that stays for its own sake
  for (const ObjectInfo& object : listing.objects) {
    std::string reason = judge.reason(object);
    if (reason.empty()) {
      if (is_log_entry(object.name)) loose = object.name;
      continue;
    }
    if (reason == kPacked && follows(object.name, loose)) continue;
    plan.bytes += object.size_bytes;
    plan.items.push_back({object.name, object.size_bytes, std::move(reason)});
  }
  return plan;
}

Result<CheckpointDelta> forget_deleted(ReadStore& store, const Repository& repository, std::string_view source) {
  CheckpointDelta delta;
  ASSIGN_OR_RETURN(const std::vector<RetiredObject> retired, list_retired(store, repository, source));
  if (retired.empty()) return delta;
  ASSIGN_OR_RETURN(const Listing listing, store.list(layout::source_prefix(source), false));
  for (const RetiredObject& object : retired) {
    const auto at = std::ranges::lower_bound(listing.objects, object.object_prefix, {}, &ObjectInfo::name);
    const bool left = at != listing.objects.end() && at->name.starts_with(object.object_prefix);
    if (!left) delta.deleted.push_back(object.object_prefix);
  }
  return delta;
}

Result<DeletionPlan> plan_safety_deletions(ReadStore& store, const Repository& repository, std::string_view copy,
                                           const ExpireGrace& grace, WallTime now) {
  DeletionPlan plan;
  ASSIGN_OR_RETURN(const std::vector<Pin> pins, list_pins(store, repository, copy));
  const auto over = [&](const Pin& pin) { return pin.expires && *pin.expires + grace.retired <= now; };
  if (pins.empty() || !std::ranges::all_of(pins, over)) return plan;
  ASSIGN_OR_RETURN(const Listing listing, store.list(std::string(copy) + "/", false));
  for (const ObjectInfo& object : listing.objects) {
    plan.bytes += object.size_bytes;
    plan.items.push_back({object.name, object.size_bytes, "safety copy expired"});
  }
  return plan;
}

Status execute_deletions(Store& store, const Repository& repository, std::string_view source, const DeletionPlan& plan,
                         const ExpireGrace& grace) {
  ASSIGN_OR_RETURN(const WallTime now, store.now());
  ASSIGN_OR_RETURN(const DeletionPlan again, plan_deletions(store, repository, source, grace, now));
  std::set<std::string> still;
  for (const DeletionPlan::Item& item : again.items) still.insert(item.object);
  for (const DeletionPlan::Item& item : plan.items) {
    if (!still.contains(item.object))
      return Error(ErrorKind::kFenced, fmt::format("{} counts again since the plan was made", item.object),
                   "run anclora expire again: it plans anew");
  }
  for (const DeletionPlan::Item& item : plan.items) {
    if (auto removed = store.remove(item.object); !removed)
      return removed.error().with_context("delete " + item.object);
  }
  return {};
}

}  // namespace anclora::storage
