#include "protect/capture/pack_feeder.h"

#include <utility>

namespace anclora::protect {
namespace {

bool may_be_tried_again(const Error& error) {
  return error.kind() == ErrorKind::kUnavailable || error.kind() == ErrorKind::kDeadlineExceeded;
}

}  // namespace

PackFeeder::PackFeeder(storage::AppendStore& store, const storage::Repository& repository, FileSystem& files,
                       std::string folder, std::string source, Clock& clock, Random& random, Duration age)
    : source_(source),
      builder_(store, repository, files, std::move(folder), std::move(source), random, age),
      clock_(clock) {}

void PackFeeder::expect_after(const storage::LogEntry& entry) {
  next_name_ = storage::layout::log_entry(source_, entry.timeline, entry.sequence + 1);
}

bool PackFeeder::due() const { return builder_.due(clock_.mono_now()); }

void PackFeeder::give_up() {
  builder_.discard();
  taken_.reset();
  static_cast<void>(index_.take());
}

Status PackFeeder::add(const storage::SealedEntry& sealed, const storage::StreamIndexFragment* fragment) {
  if (const Status added = builder_.add(sealed, clock_.mono_now()); !added) {
    give_up();
    return added.error().with_context("a pack was given up");
  }
  // The stream's bytes are the last field of an entry's content.
  const auto size = static_cast<std::size_t>(sealed.entry.last - sealed.entry.first);
  if (fragment != nullptr) {
    expect_after(sealed.entry);
    index_.on_entry(sealed.entry, sealed.hash);
    index_.add_fragment(*fragment);
    parser_.reset();
  } else if (size <= sealed.content.size()) {
    index(sealed.entry, ByteView(sealed.content).substr(sealed.content.size() - size), sealed.hash);
  } else {
    return Error(ErrorKind::kInternal, sealed.object_name + " came without an index");
  }
  return {};
}

Status PackFeeder::add(const std::string& object_name, ByteView object, const storage::OpenedEntry& opened) {
  const auto entry = storage::decode_log_entry(opened.content);
  if (!entry) return entry.error();
  if (const Status added = builder_.add(object_name, object, opened, clock_.mono_now()); !added) {
    give_up();
    return added.error().with_context("a pack was given up");
  }
  index(*entry, entry->bytes, opened.hash);
  return {};
}

void PackFeeder::index(const storage::LogEntry& entry, ByteView bytes, const Hash256& hash) {
  expect_after(entry);
  index_.on_entry(entry, hash);
  redis::Offset from = entry.first;
  if (entry.pending_bytes == 0) {
    const redis::Offset boundary = entry.open_multi ? *entry.open_multi - 1 : from;
    parser_.emplace(redis::StreamState{from, boundary, entry.database, entry.open_multi});
  } else if (!parser_ || parser_->state().offset != from) {
    // Inside a command whose beginning is not known here.
    index_.on_unreadable();
    parser_.reset();
    if (!entry.first_command) return;
    from = *entry.first_command;
    const redis::Offset boundary = entry.open_multi ? *entry.open_multi - 1 : from;
    parser_.emplace(redis::StreamState{from, boundary, entry.database, entry.open_multi});
  }
  indexer_.enter(entry.marks);
  if (parser_->feed(bytes.substr(static_cast<std::size_t>(from - entry.first)), indexer_)) return;
  index_.on_unreadable();
  parser_.reset();
}

Result<storage::PackInfo> PackFeeder::close() {
  if (!taken_) taken_ = index_.take();
  auto pack = builder_.close(*taken_);
  if (pack) {
    taken_.reset();
    return pack;
  }
  if (may_be_tried_again(pack.error())) return pack;
  give_up();
  return pack.error().with_context("a pack was given up");
}

Status pack_leftovers(storage::AppendStore& store, const storage::Repository& repository, FileSystem& files,
                      const std::string& folder, const storage::SourceState& state, Clock& clock, Random& random,
                      const std::function<bool()>& stopping) {
  if (!state.head) return {};
  PackFeeder feeder(store, repository, files, folder, state.source, clock, random);
  const auto close = [&]() -> Status {
    ASSIGN_OR_RETURN(const storage::PackInfo pack, feeder.close());
    storage::CheckpointDelta delta;
    delta.packs.push_back(pack);
    ASSIGN_OR_RETURN(const auto ordinal,
                     storage::write_checkpoint(store, repository, state.source, delta, clock, random));
    static_cast<void>(ordinal);
    return {};
  };
  storage::TimelineId timeline;
  const auto visit = [&](const storage::UnpackedEntry& unpacked) -> Status {
    if (stopping()) return Error(ErrorKind::kCancelled, "stopping");
    const bool beyond =
        unpacked.entry.timeline > state.head->timeline ||
        (unpacked.entry.timeline == state.head->timeline && unpacked.entry.sequence > state.head->sequence);
    if (beyond) return Error(ErrorKind::kCancelled, "the rest is packed as it is published");
    if (!feeder.empty() && (feeder.due() || unpacked.entry.timeline != timeline)) RETURN_IF_ERROR(close());
    timeline = unpacked.entry.timeline;
    return feeder.add(unpacked.object_name, unpacked.object, unpacked.opened);
  };
  Status visited = storage::for_each_unpacked(store, repository, state, visit);
  if (!visited && visited.error().kind() != ErrorKind::kCancelled) return visited;
  return stopping() || feeder.empty() ? Status{} : close();
}

}  // namespace anclora::protect
