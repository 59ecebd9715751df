#include "storage/repository/source_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/journal/damage_hint.h"
#include "storage/repository/checkpoint.h"
#include "storage/repository/pack_stream.h"
#include "storage/repository/sealed_object.h"
#include "storage/repository/stored_entry.h"

namespace anclora::storage {
namespace {

constexpr int kReloads = 10;

// Follows the log from where the chain ends to the head.
class LogTail {
 public:
  LogTail(ReadStore& store, const Repository& repository, const std::vector<RetiredObject>& retired,
          DamagedTail damaged, SourceState& state)
      : store_(store), repository_(repository), retired_(retired), damaged_(damaged), state_(state) {}

  // True once entries behind the newest pack of the newest timeline were seen.
  bool saw_entries() const { return saw_entries_; }

  Status follow() {
    if (state_.timelines.empty()) {
      ASSIGN_OR_RETURN(const bool opened, open_next(TimelineId{1}));
      if (!opened) return {};
    }
    while (true) {
      TimelineState& timeline = state_.timelines.back();
      RETURN_IF_ERROR(read_last(timeline));
      if (!timeline.closed) return {};
      ASSIGN_OR_RETURN(const bool opened, open_next(timeline.id.next()));
      if (!opened) return {};
    }
  }

 private:
  Result<bool> open_next(TimelineId id) {
    Result<StoredEntry> first = read_stored_entry(store_, repository_, state_.source, id, 0);
    if (!first && first.error().kind() == ErrorKind::kNotFound) return false;
    if (!first) return first.error();
    if (first->entry.kind != EntryKind::kOpened) {
      return Error(ErrorKind::kDataLoss, layout::log_entry(state_.source, id, 0) + " does not open its timeline");
    }
    state_.timelines.push_back(timeline_of(first->entry));
    return true;
  }

  // Finds the newest entry of the newest timeline and what the entries behind its newest pack say.
  Status read_last(TimelineState& timeline) {
    const bool packed = !timeline.packs.empty();
    const std::uint64_t first = packed ? timeline.packs.back().last_sequence + 1 : timeline.first_kept_sequence;
    ASSIGN_OR_RETURN(const std::optional<std::uint64_t> last,
                     find_last_entry(store_, state_.source, timeline.id, first));
    saw_entries_ = last.has_value();
    if (!last && !packed) return without_log(timeline);
    std::uint64_t sequence = last ? *last : timeline.packs.back().last_sequence;
    RETURN_IF_ERROR(read_newest_head(timeline, packed ? first - 1 : first, sequence));
    if (last && timeline.bases.empty()) RETURN_IF_ERROR(find_bases(timeline, first, std::min(*last, sequence)));
    return {};
  }

  void note(std::uint64_t sequence, const Error& error) {
    if (state_.damaged_tail.empty()) state_.damaged_tail = error.message();
    state_.damaged_entries.push_back(
        {layout::log_entry(state_.source, state_.timelines.back().id, sequence), error.message()});
  }

  // `sequence`: the newest there is; becomes that of the head, not before `oldest`.
  Status read_newest_head(TimelineState& timeline, std::uint64_t oldest, std::uint64_t& sequence) {
    while (true) {
      const Status read = read_head(timeline, sequence);
      const bool damaged = !read && read.error().kind() == ErrorKind::kDataLoss;
      if (!damaged || damaged_ == DamagedTail::kRefuse || sequence <= oldest) return read;
      note(sequence, read.error());
      --sequence;
    }
  }

  // A copy that was taken before a restore has no log; any other timeline begins with an entry.
  Status without_log(const TimelineState& timeline) const {
    if (state_.source.starts_with("safety/")) return {};
    return Error(ErrorKind::kDataLoss,
                 fmt::format("{} is missing, and no pack holds it",
                             layout::log_entry(state_.source, timeline.id, timeline.first_kept_sequence)),
                 kDamageHint);
  }

  Status read_head(TimelineState& timeline, std::uint64_t sequence) {
    Result<StoredEntry> stored = read_stored_entry(store_, repository_, state_.source, timeline.id, sequence);
    std::string object = layout::log_entry(state_.source, timeline.id, sequence);
    if (!stored && stored.error().kind() == ErrorKind::kNotFound && !timeline.packs.empty()) {
      const PackInfo& pack = timeline.packs.back();
      object = layout::pack(state_.source, timeline.id, pack.first_sequence, pack.last_sequence);
      stored = read_last_of_pack(store_, repository_, state_.source, pack);
    }
    if (!stored) return stored.error();
    ASSIGN_OR_RETURN(const ObjectInfo info, store_.head(object));
    Head head{timeline.id, sequence, stored->hash, std::move(stored->entry), info.modified};
    head.entry.bytes = Bytes();
    take_head(timeline, std::move(head));
    return {};
  }

  void take_head(TimelineState& timeline, Head head) {
    const LogEntry& entry = head.entry;
    timeline.replication_id = entry.kind == EntryKind::kRename ? entry.new_replication_id : entry.replication_id;
    if (entry.kind == EntryKind::kClosed) {
      timeline.closed = true;
      timeline.close_reason = entry.note;
      timeline.end = timeline_end(entry, head.hash);
    }
    state_.head = std::move(head);
  }

  // A timeline without a base in the chain is young: its first base may have been announced by the log alone so far.
  Status find_bases(TimelineState& timeline, std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t sequence = first; sequence <= last; ++sequence) {
      const Result<StoredEntry> read = read_stored_entry(store_, repository_, state_.source, timeline.id, sequence);
      if (!read && read.error().kind() == ErrorKind::kDataLoss && damaged_ == DamagedTail::kStepBack) {
        note(sequence, read.error());
        continue;
      }
      if (!read) return read.error();
      const StoredEntry& stored = *read;
      if (stored.entry.kind != EntryKind::kBaseComplete || is_retired(timeline.id, stored.entry.base)) continue;
      Result<BaseInfo> base = read_base_info(store_, repository_, state_.source, timeline.id, stored.entry.base);
      if (!base) return base.error();
      timeline.bases.push_back(std::move(*base));
    }
    std::ranges::stable_sort(timeline.bases, {}, &BaseInfo::offset);
    return {};
  }

  bool is_retired(TimelineId timeline, std::string_view base) const {
    const std::string prefix = layout::base_prefix(state_.source, timeline, base);
    return std::ranges::find(retired_, prefix, &RetiredObject::object_prefix) != retired_.end();
  }

  ReadStore& store_;
  const Repository& repository_;
  const std::vector<RetiredObject>& retired_;
  DamagedTail damaged_;
  SourceState& state_;
  bool saw_entries_ = false;
};

Error no_such_source(ReadStore& store, std::string_view source) {
  Result<std::vector<std::string>> known = list_sources(store);
  std::string names;
  if (known)
    for (const std::string& name : *known) names += (names.empty() ? "" : ", ") + name;
  return Error(ErrorKind::kNotFound, fmt::format("{} holds nothing of a source named \"{}\"", store.describe(), source),
               names.empty() ? "start one with anclora capture" : "its sources: " + names);
}

}  // namespace

TimelineState timeline_of(const LogEntry& opened) {
  TimelineState timeline;
  timeline.id = opened.timeline;
  if (opened.origin) timeline.origin = *opened.origin;
  timeline.replication_id = opened.replication_id;
  timeline.start = timeline.first_kept = opened.first;
  if (!opened.marks.empty()) timeline.opened = opened.marks.front().wall;
  return timeline;
}

TimelineEnd timeline_end(const LogEntry& closed, const Hash256& hash) {
  TimelineEnd end;
  end.timeline = closed.timeline;
  end.sequence = closed.sequence;
  end.hash = hash;
  end.last = closed.last;
  end.boundary = closed.boundary;
  if (!closed.marks.empty()) end.time = closed.marks.back().wall;
  end.replication_id = closed.replication_id;
  end.reason = closed.note;
  return end;
}

Result<SourceState> load_source_state(ReadStore& store, const Repository& repository, std::string_view source,
                                      DamagedTail damaged) {
  for (int attempt = 0; attempt < kReloads; ++attempt) {
    ASSIGN_OR_RETURN(CheckpointChain chain, load_checkpoint_chain(store, repository, source));
    SourceState state = chain.state;
    LogTail tail(store, repository, chain.retired, damaged, state);
    const Status followed = tail.follow();
    // While we read, the log may have been packed, its entries even deleted: then a newer checkpoint says so.
    ASSIGN_OR_RETURN(const bool moved_on, has_next_checkpoint(store, chain));
    if (moved_on && (!followed || !tail.saw_entries())) continue;
    // Not to be taken for a source that has nothing yet: a writer would begin at the first timeline again.
    if (!followed && followed.error().kind() == ErrorKind::kNotFound)
      return Error(ErrorKind::kDataLoss, followed.error().message(), kDamageHint);
    if (!followed) return followed.error();
    for (std::size_t i = 0; i + 1 < state.timelines.size(); ++i) state.timelines[i].closed = true;
    if (state.timelines.empty() && state.checkpoint_ordinal == 0) return no_such_source(store, source);
    return state;
  }
  return Error(ErrorKind::kUnavailable, fmt::format("the state of {} changes faster than it can be read", source),
               "try again");
}

}  // namespace anclora::storage
