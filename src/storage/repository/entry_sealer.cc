#include <fmt/format.h>

#include <algorithm>

#include "storage/repository/log_writer.h"

namespace anclora::storage {
namespace {

// The object is opened again before anyone relies on it; its frames were unpacked and compared when they were made.
Status check_sealed(const Repository& repository, const SealedEntry& sealed,
                    const std::vector<CompressedFrame>& frames) {
  ObjectOpener opener(repository.key(), sealed.object_name, 0);
  std::vector<CompressedFrame> opened;
  opener.keep_frames_only(opened);
  Bytes none;
  RETURN_IF_ERROR(opener.feed(sealed.object, none));
  RETURN_IF_ERROR(opener.finish());
  const auto same = [](const CompressedFrame& a, const CompressedFrame& b) { return a.bytes == b.bytes; };
  if (std::ranges::equal(opened, frames, same)) return {};
  return Error(ErrorKind::kDataLoss, sealed.object_name + " does not open to the bytes that were sealed",
               "this points to faulty memory or processor: run capture on another machine");
}

std::uint64_t stream_bytes(const UnsealedEntry& unsealed) {
  std::uint64_t size = unsealed.entry.bytes.size();
  for (const CompressedFrame& frame : unsealed.frames) size += frame.plain_bytes;
  return size;
}

constexpr std::size_t kMaxFrameOverheadBytes = 64;

bool raises_epoch(EntryKind kind) { return kind == EntryKind::kClaim || kind == EntryKind::kOpened; }

}  // namespace

struct EntrySealer::State {
  const Repository& repository;
  std::string source;
  ChainTip tip;
  Incarnation incarnation;
  HolderId holder;
  Random& random;
  FrameCompressor compressor{repository.command_tuning()};

  Status check(const UnsealedEntry& unsealed) const;
  Result<std::vector<CompressedFrame>> compress(UnsealedEntry& unsealed, SealedEntry& sealed);
  Result<SealedEntry> encode(UnsealedEntry unsealed);
  void advance(const SealedEntry& sealed);
};

EntrySealer::EntrySealer(const Repository& repository, std::string source, ChainTip tip, Incarnation incarnation,
                         HolderId holder, Random& random)
    : state_(new State{repository, std::move(source), std::move(tip), incarnation, holder, random}) {}
EntrySealer::~EntrySealer() = default;

const ChainTip& EntrySealer::tip() const { return state_->tip; }

Status EntrySealer::State::check(const UnsealedEntry& unsealed) const {
  const LogEntry& entry = unsealed.entry;
  if (entry.kind == EntryKind::kOpened) {
    if (tip.timeline.value == 0 || tip.closed) return {};
    return Error(ErrorKind::kInternal,
                 fmt::format("{}: a timeline opened before the one before it was closed", source));
  }
  if (tip.timeline.value == 0 || tip.closed)
    return Error(ErrorKind::kInternal, fmt::format("{}: an entry outside an open timeline", source));
  if (entry.first != tip.last) {
    return Error(ErrorKind::kInternal,
                 fmt::format("{}: an entry that begins at {} cannot follow one that ends at {}/{}", source,
                             entry.first.value, tip.timeline.value, tip.last.value));
  }
  if (entry.last - entry.first != stream_bytes(unsealed) || entry.last < entry.first)
    return Error(ErrorKind::kInternal, fmt::format("{}: an entry's bytes do not fill its offsets", source));
  return {};
}

// The frames of all its content; a small entry's content stays with it.
Result<std::vector<CompressedFrame>> EntrySealer::State::compress(UnsealedEntry& unsealed, SealedEntry& sealed) {
  LogEntry& entry = unsealed.entry;
  Bytes head = encode_log_entry_head(entry, stream_bytes(unsealed));
  if (unsealed.frames.empty() && head.size() + entry.bytes.size() < kLargeEntryBytes) {
    sealed.content = std::move(head);
    sealed.content += entry.bytes;
    return compressor.compress(sealed.content);
  }
  ASSIGN_OR_RETURN(std::vector<CompressedFrame> frames, compressor.compress(head));
  std::ranges::move(unsealed.frames, std::back_inserter(frames));
  if (entry.bytes.empty()) return frames;
  ASSIGN_OR_RETURN(std::vector<CompressedFrame> rest, compressor.compress(entry.bytes, kEntryFrameBytes));
  std::ranges::move(rest, std::back_inserter(frames));
  return frames;
}

Result<SealedEntry> EntrySealer::State::encode(UnsealedEntry unsealed) {
  SealedEntry sealed;
  sealed.object_name = layout::log_entry(source, unsealed.entry.timeline, unsealed.entry.sequence);
  ASSIGN_OR_RETURN(const std::vector<CompressedFrame> frames, compress(unsealed, sealed));
  sealed.hash = entry_hash(sealed.content, frames);
  ObjectSealer sealer(repository.key(), sealed.object_name, 0, random);
  sealed.object = sealer.header();
  std::size_t size = sealed.object.size();
  for (const CompressedFrame& frame : frames) size += frame.bytes.size() + kMaxFrameOverheadBytes;
  sealed.object.reserve(size);
  for (std::size_t i = 0; i < frames.size(); ++i) sealer.seal(frames[i], i + 1 == frames.size(), sealed.object);
  RETURN_IF_ERROR(check_sealed(repository, sealed, frames));
  sealed.entry = std::move(unsealed.entry);
  sealed.entry.bytes = Bytes();
  return sealed;
}

void EntrySealer::State::advance(const SealedEntry& sealed) {
  const LogEntry& entry = sealed.entry;
  tip.timeline = entry.timeline;
  tip.next_sequence = entry.sequence + 1;
  tip.hash = sealed.hash;
  tip.last = entry.last;
  tip.boundary = entry.boundary;
  tip.epoch = entry.epoch;
  tip.replication_id = entry.kind == EntryKind::kRename ? entry.new_replication_id : entry.replication_id;
  tip.closed = entry.kind == EntryKind::kClosed;
}

Result<SealedEntry> EntrySealer::seal(UnsealedEntry unsealed) {
  State& state = *state_;
  RETURN_IF_ERROR(state.check(unsealed));
  LogEntry& entry = unsealed.entry;
  const bool opens = entry.kind == EntryKind::kOpened;
  entry.predecessor = state.tip.hash;
  entry.timeline = opens ? state.tip.timeline.next() : state.tip.timeline;
  entry.sequence = opens ? 0 : state.tip.next_sequence;
  entry.incarnation = state.incarnation;
  entry.holder = state.holder;
  entry.epoch = state.tip.epoch + (raises_epoch(entry.kind) ? 1 : 0);
  if (!opens) entry.replication_id = state.tip.replication_id;
  ASSIGN_OR_RETURN(SealedEntry sealed, state.encode(std::move(unsealed)));
  state.advance(sealed);
  return sealed;
}

Result<std::vector<SealedEntry>> EntrySealer::open_timeline(const Origin& origin, redis::Offset start,
                                                            std::string replication_id, std::string close_note,
                                                            TimeMark now) {
  State& state = *state_;
  std::vector<SealedEntry> entries;
  if (state.tip.timeline.value != 0 && !state.tip.closed) {
    LogEntry closed;
    closed.kind = EntryKind::kClosed;
    closed.first = closed.last = closed.source_offset = state.tip.last;
    closed.boundary = state.tip.boundary;
    closed.marks = {{state.tip.last, now.wall, now.mono}};
    closed.note = std::move(close_note);
    ASSIGN_OR_RETURN(SealedEntry sealed, seal(std::move(closed)));
    entries.push_back(std::move(sealed));
  }
  LogEntry opened;
  opened.kind = EntryKind::kOpened;
  opened.replication_id = std::move(replication_id);
  opened.first = opened.last = opened.boundary = opened.source_offset = start;
  opened.marks = {{start, now.wall, now.mono}};
  opened.origin = origin;
  if (state.tip.timeline.value != 0) opened.closed_hash = state.tip.hash;
  ASSIGN_OR_RETURN(SealedEntry sealed, seal(std::move(opened)));
  entries.push_back(std::move(sealed));
  return entries;
}

ChainTip tip_after(const std::optional<Head>& head) {
  ChainTip tip;
  if (!head) return tip;
  const LogEntry& entry = head->entry;
  tip.timeline = head->timeline;
  tip.next_sequence = head->sequence + 1;
  tip.hash = head->hash;
  tip.last = entry.last;
  tip.boundary = entry.boundary;
  tip.epoch = entry.epoch;
  tip.replication_id = entry.kind == EntryKind::kRename ? entry.new_replication_id : entry.replication_id;
  tip.closed = entry.kind == EntryKind::kClosed;
  return tip;
}

}  // namespace anclora::storage
