#include <algorithm>
#include <future>

#include "storage/repository/log_reader.h"
#include "storage/repository/missing_object.h"
#include "storage/repository/pack_stream.h"
#include "storage/repository/sealed_object.h"

namespace anclora::storage {
namespace {

constexpr std::size_t kFetchedAtOnce = 8;

StreamIndex bare_index(const LogEntry& entry, const Hash256& hash) {
  StreamIndex index;
  IndexedEntry line;
  line.sequence = entry.sequence;
  line.first = entry.first;
  line.last = entry.last;
  line.boundary = entry.boundary;
  if (!entry.marks.empty()) line.time = entry.marks.front().wall;
  line.hash = hash;
  index.entries.push_back(line);
  index.marks = entry.marks;
  index.all_keys_known = entry.bytes.empty();
  return index;
}

// One timeline's part of the visit: the stream after `from`, up to and with `to`.
class TimelineVisit {
 public:
  TimelineVisit(ReadStore& store, const Repository& repository, const SourceState& state, const TimelineState& timeline,
                redis::Offset from, redis::Offset to, const OnUnreadable& on_unreadable)
      : store_(store),
        repository_(repository),
        state_(state),
        timeline_(timeline),
        from_(from),
        to_(to),
        on_unreadable_(on_unreadable) {}

  Status packs(const std::function<Status(const IndexedStretch&)>& visit) {
    std::vector<PackInfo> wanted;
    for (const PackInfo& pack : timeline_.packs)
      if (pack.last >= from_ && pack.first <= to_) wanted.push_back(pack);
    for (std::size_t first = 0; first < wanted.size(); first += kFetchedAtOnce) {
      const std::size_t count = std::min(kFetchedAtOnce, wanted.size() - first);
      std::vector<std::future<Result<StreamIndex>>> fetched;
      fetched.reserve(count);
      for (std::size_t i = 0; i < count; ++i)
        fetched.push_back(std::async(count == 1 ? std::launch::deferred : std::launch::async, [&, i] {
          return read_pack_index(store_, repository_, state_.source, wanted[first + i]);
        }));
      for (std::size_t i = 0; i < count; ++i) {
        const PackInfo& pack = wanted[first + i];
        const std::string name = layout::pack(state_.source, timeline_.id, pack.first_sequence, pack.last_sequence);
        Result<StreamIndex> index = fetched[i].get();
        if (index)
          RETURN_IF_ERROR(visit({timeline_.id, name, std::move(*index)}));
        else
          RETURN_IF_ERROR(pass_over(told(index.error(), name), name));
      }
    }
    return {};
  }

  Status unpacked(const std::function<Status(const IndexedStretch&)>& visit, const EntryIndexer& index_entry) {
    const auto& packs = timeline_.packs;
    if (!packs.empty() && packs.back().last > to_) return {};
    const bool newest = state_.head && state_.head->timeline == timeline_.id;
    std::uint64_t sequence = packs.empty() ? timeline_.first_kept_sequence : packs.back().last_sequence + 1;
    for (; !newest || sequence <= state_.head->sequence; ++sequence) {
      Result<StoredEntry> stored = read_stored_entry(store_, repository_, state_.source, timeline_.id, sequence);
      // A timeline that is not the newest ends with its kClosed, which may be packed.
      if (!stored && stored.error().kind() == ErrorKind::kNotFound && !newest && !is_missed(sequence)) return {};
      if (!stored) {
        const std::string name = layout::log_entry(state_.source, timeline_.id, sequence);
        RETURN_IF_ERROR(pass_over(told(stored.error(), name), name));
        continue;
      }
      const LogEntry& entry = stored->entry;
      if (entry.first > to_) return {};
      if (entry.last < from_) continue;
      IndexedStretch stretch{timeline_.id, "", bare_index(entry, stored->hash)};
      if (index_entry) {
        ASSIGN_OR_RETURN(stretch.index, index_entry(entry, stored->hash));
      }
      RETURN_IF_ERROR(visit(stretch));
      if (entry.kind == EntryKind::kClosed) return {};
    }
    return {};
  }

 private:
  Error told(const Error& error, const std::string& object) {
    if (error.kind() != ErrorKind::kNotFound) return error;
    return missing_object(store_, state_.source, state_.checkpoint_ordinal, object);
  }

  // Behind the last pack, and before the kClosed that a checkpoint names.
  bool is_missed(std::uint64_t sequence) const {
    return on_unreadable_ && timeline_.end && sequence <= timeline_.end->sequence;
  }

  Status pass_over(const Error& error, const std::string& object) {
    if (!on_unreadable_ || error.kind() != ErrorKind::kDataLoss) return error;
    on_unreadable_(object, error);
    return {};
  }

  ReadStore& store_;
  const Repository& repository_;
  const SourceState& state_;
  const TimelineState& timeline_;
  redis::Offset from_, to_;
  const OnUnreadable& on_unreadable_;
};

}  // namespace

Status for_each_index(ReadStore& store, const Repository& repository, const SourceState& state, Position from,
                      Position to, const std::function<Status(const IndexedStretch&)>& visit,
                      const EntryIndexer& index_entry, const OnUnreadable& on_unreadable) {
  for (const TimelineState& timeline : state.timelines) {
    if (timeline.id < from.timeline || timeline.id > to.timeline) continue;
    const redis::Offset first = timeline.id == from.timeline ? from.offset : redis::Offset{0};
    const redis::Offset last = timeline.id == to.timeline ? to.offset : redis::Offset{UINT64_MAX};
    TimelineVisit part(store, repository, state, timeline, first, last, on_unreadable);
    RETURN_IF_ERROR(part.packs(visit));
    RETURN_IF_ERROR(part.unpacked(visit, index_entry));
  }
  return {};
}

}  // namespace anclora::storage
