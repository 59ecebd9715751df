#include "storage/repository/log_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/journal/damage_hint.h"
#include "storage/repository/log_path.h"
#include "storage/repository/missing_object.h"
#include "storage/repository/pack_stream.h"
#include "storage/repository/sealed_object.h"

namespace anclora::storage {

struct LogReader::State {
  ReadStore& store;
  const Repository& repository;
  std::string source;
  std::optional<Head> head{};
  std::uint64_t checkpoint_ordinal = 0;
  std::optional<Position> to{};
  std::vector<PathStretch> path;
  std::size_t at = 0;  // in path
  // Within the stretch:
  std::size_t next_pack = 0;
  std::uint64_t next_sequence = 0;
  std::optional<Hash256> predecessor{};  // hash of the entry before, where it is known
  std::optional<redis::Offset> last{};   // where that entry ended
  std::optional<PackStream> pack{};
  bool closed = false;  // the stretch's kClosed was read
  bool done = false;

  const PathStretch& stretch() const { return path[at]; }
  bool in_head_timeline() const { return head && head->timeline == stretch().timeline.id; }
  Error damaged(std::string_view why) const {
    return Error(ErrorKind::kDataLoss,
                 fmt::format("{}: timeline {}, entry {}: {}", source, stretch().timeline.id.value, next_sequence, why),
                 kDamageHint);
  }

  void enter(std::size_t index);
  Result<std::optional<StoredEntry>> read();
  Result<std::optional<StoredEntry>> read_unpacked();
  Error missing(const std::string& object) { return missing_object(store, source, checkpoint_ordinal, object); }
  Status check(const StoredEntry& stored);
  Status at_head_end() const;
  std::optional<LogEntry> deliver(StoredEntry stored);
  Status leave();
};

LogReader::LogReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
LogReader::LogReader(LogReader&&) noexcept = default;
LogReader& LogReader::operator=(LogReader&&) noexcept = default;
LogReader::~LogReader() = default;

Result<LogReader> LogReader::open(ReadStore& store, const Repository& repository, const SourceState& state,
                                  Position from, std::optional<Position> to) {
  ASSIGN_OR_RETURN(std::vector<PathStretch> path, path_between(state, from, to));
  for (const PathStretch& stretch : path) {
    const TimelineState& timeline = stretch.timeline;
    if (stretch.from.value_or(timeline.start) >= timeline.first_kept) continue;
    return Error(ErrorKind::kNotFound,
                 fmt::format("{}: the stream before {}/{} is no longer kept", state.source, timeline.id.value,
                             timeline.first_kept.value),
                 "start from a base at or after that offset");
  }
  auto reader = std::unique_ptr<State>(
      new State{store, repository, state.source, state.head, state.checkpoint_ordinal, to, std::move(path)});
  const bool nothing_to_read = to && reader->path.size() == 1 && to->offset <= from.offset;
  reader->enter(0);
  reader->done = nothing_to_read;
  return LogReader(std::move(reader));
}

// Begins a stretch at the newest place that is known to stand at or before where it is read from.
void LogReader::State::enter(std::size_t index) {
  at = index;
  const PathStretch& here = stretch();
  const std::vector<PackInfo>& packs = here.timeline.packs;
  predecessor.reset();
  last.reset();
  pack.reset();
  closed = false;
  next_pack = 0;
  if (here.from) {
    const auto holding = std::ranges::upper_bound(packs, *here.from, {}, &PackInfo::last);
    next_pack = static_cast<std::size_t>(holding - packs.begin());
  }
  next_sequence = here.timeline.first_kept_sequence;
  if (next_pack > 0) {
    const PackInfo& before = packs[next_pack - 1];
    next_sequence = before.last_sequence + 1;
    predecessor = before.last_hash;
    last = before.last;
  } else if (!packs.empty()) {
    next_sequence = std::min(next_sequence, packs.front().first_sequence);
  }
}

Result<std::optional<StoredEntry>> LogReader::State::read() {
  while (true) {
    if (pack) {
      Result<std::optional<StoredEntry>> stored = pack->next();
      if (!stored && stored.error().kind() == ErrorKind::kNotFound) return stored.error().with_hint(kReloadHint);
      if (!stored || *stored) return stored;
      pack.reset();
      ++next_pack;
    }
    if (closed) return std::optional<StoredEntry>();
    const std::vector<PackInfo>& packs = stretch().timeline.packs;
    if (next_pack >= packs.size() || packs[next_pack].first_sequence != next_sequence) return read_unpacked();
    Result<PackStream> opened = PackStream::open(store, repository, source, packs[next_pack]);
    if (!opened) {
      return opened.error().kind() == ErrorKind::kNotFound
                 ? missing(layout::pack(source, packs[next_pack].timeline, packs[next_pack].first_sequence,
                                        packs[next_pack].last_sequence))
                 : opened.error();
    }
    pack = std::move(*opened);
  }
}

Result<std::optional<StoredEntry>> LogReader::State::read_unpacked() {
  if (!head || (in_head_timeline() && next_sequence > head->sequence)) return std::optional<StoredEntry>();
  const TimelineId timeline = stretch().timeline.id;
  Result<StoredEntry> stored = read_stored_entry(store, repository, source, timeline, next_sequence);
  if (stored) return std::optional<StoredEntry>(std::move(*stored));
  if (stored.error().kind() != ErrorKind::kNotFound) return stored.error();
  return missing(layout::log_entry(source, timeline, next_sequence));
}

Status LogReader::State::check(const StoredEntry& stored) {
  const LogEntry& entry = stored.entry;
  if (entry.sequence != next_sequence) return damaged("another entry stands in its place");
  if (predecessor && entry.predecessor != *predecessor) return damaged("it does not follow the entry before it");
  if (last && entry.first != *last) return damaged("it does not begin where the entry before it ends");
  if (!last && entry.first > stretch().from.value_or(stretch().timeline.start))
    return damaged("the stream before it is missing: a hole in the log");
  if (entry.bytes.size() != entry.last - entry.first) return damaged("its bytes do not fill its offsets");
  if (in_head_timeline() && entry.sequence == head->sequence && stored.hash != head->hash)
    return damaged("it is not the entry that the source's state names as the newest");
  predecessor = stored.hash;
  last = entry.last;
  ++next_sequence;
  closed = entry.kind == EntryKind::kClosed;
  return {};
}

// The stretch has no more entries.
Status LogReader::State::leave() {
  const bool last_stretch = at + 1 == path.size();
  if (!last_stretch) {
    if (!last || *last < *stretch().cut)
      return damaged("the log ends before the place where the next timeline forks off");
    enter(at + 1);
    return {};
  }
  done = true;
  if (to && (!last || *last < to->offset)) {
    return Error(ErrorKind::kNotFound,
                 fmt::format("{} lies beyond the newest entry of {}, which ends at {}/{}", to_string(*to), source,
                             stretch().timeline.id.value, last ? last->value : 0),
                 "anclora status shows up to where the source is protected");
  }
  return {};
}

// The entry, cut where the next stretch forks off; nothing when it is passed over.
std::optional<LogEntry> LogReader::State::deliver(StoredEntry stored) {
  LogEntry& entry = stored.entry;
  const PathStretch& here = stretch();
  bool passed_over = here.from && entry.last <= *here.from;
  if (here.cut && entry.last >= *here.cut) {
    const redis::Offset cut = *here.cut;
    passed_over = passed_over || entry.first >= cut;
    entry.bytes.resize(entry.first >= cut ? 0 : cut - entry.first);
    entry.last = std::max(entry.first, cut);
    entry.boundary = std::min(entry.boundary, cut);
    std::erase_if(entry.marks, [&](const TimeMark& mark) { return mark.offset > cut; });
    last = cut;
    enter(at + 1);
  } else if (!here.cut && to && entry.last >= to->offset) {
    done = true;
  }
  if (passed_over) return std::nullopt;
  return std::move(entry);
}

Result<std::optional<LogEntry>> LogReader::next() {
  State& state = *state_;
  while (!state.done) {
    ASSIGN_OR_RETURN(std::optional<StoredEntry> stored, state.read());
    if (!stored) {
      RETURN_IF_ERROR(state.leave());
      continue;
    }
    RETURN_IF_ERROR(state.check(*stored));
    if (std::optional<LogEntry> entry = state.deliver(std::move(*stored))) return entry;
  }
  return std::optional<LogEntry>();
}

}  // namespace anclora::storage
