#include "storage/repository/pack_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "storage/journal/pack.h"
#include "storage/repository/log_reader.h"

namespace anclora::storage {
namespace {

// Fed to the decoder at once: what comes out of it waits in memory.
constexpr std::size_t kFeedBytes = 4 * kKiB;
// The end of a pack that is fetched first: trailer and, mostly, the whole index.
constexpr std::uint64_t kTailBytes = 64 * kKiB;

}  // namespace

struct PackStream::State {
  ReadStore& store;
  std::string name;
  PackInfo pack;
  std::uint64_t end = 0;      // of the entries' bytes
  std::uint64_t fetched = 0;  // offset of what comes after `piece`
  Bytes piece{};
  std::size_t used = 0;  // of piece
  std::deque<StoredEntry> ready{};
  std::uint64_t next_sequence = 0;
  Hash256 last_hash{};
  redis::Offset last{};
  bool finished = false;
  bool any_predecessor = false;  // of the first entry
  std::unique_ptr<PackReader> reader{};

  Error damaged(std::string_view why) const { return Error(ErrorKind::kDataLoss, fmt::format("{}: {}", name, why)); }

  Status take(ByteView content, const Hash256& hash) {
    Result<StoredEntry> stored = decode_stored_entry(content, hash, pack.timeline, next_sequence);
    if (!stored) return stored.error().with_context(name);
    const LogEntry& entry = stored->entry;
    if (next_sequence > pack.last_sequence) return damaged("holds more entries than the checkpoint says");
    if (any_predecessor && next_sequence == pack.first_sequence) {
      last_hash = entry.predecessor;
      last = entry.first;
    }
    if (entry.predecessor != last_hash) return damaged("an entry does not follow the one before it");
    if (entry.first != last) return damaged("an entry does not begin where the one before it ends");
    ++next_sequence;
    last_hash = stored->hash;
    last = entry.last;
    ready.push_back(std::move(*stored));
    return {};
  }

  Status feed_more() {
    if (used == piece.size()) {
      const std::uint64_t size = std::min(kPackFetchBytes, end - fetched);
      ASSIGN_OR_RETURN(piece, store.get_range(name, fetched, size));
      fetched += size;
      used = 0;
    }
    const std::size_t size = std::min(kFeedBytes, piece.size() - used);
    RETURN_IF_ERROR(reader->feed(ByteView(piece).substr(used, size)));
    used += size;
    return {};
  }

  Status finish() {
    finished = true;
    RETURN_IF_ERROR(reader->finish());
    if (next_sequence != pack.last_sequence + 1) return damaged("holds fewer entries than the checkpoint says");
    if (last_hash != pack.last_hash) return damaged("ends in another entry than the checkpoint says");
    return {};
  }
};

PackStream::PackStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
PackStream::PackStream(PackStream&&) noexcept = default;
PackStream& PackStream::operator=(PackStream&&) noexcept = default;
PackStream::~PackStream() = default;

Result<PackStream> PackStream::open(ReadStore& store, const Repository& repository, std::string_view source,
                                    const PackInfo& pack) {
  const std::string name = layout::pack(source, pack.timeline, pack.first_sequence, pack.last_sequence);
  auto state = std::unique_ptr<State>(new State{store, name, pack});
  state->next_sequence = pack.first_sequence;
  state->last_hash = pack.predecessor;
  state->last = pack.first;
  if (pack.stored_bytes < kPackTrailerBytes) return state->damaged("is shorter than a pack can be");
  ASSIGN_OR_RETURN(const Bytes trailer,
                   store.get_range(name, pack.stored_bytes - kPackTrailerBytes, kPackTrailerBytes));
  Result<PackTrailer> decoded = decode_pack_trailer(trailer, pack.stored_bytes);
  if (!decoded) return decoded.error().with_context(name);
  state->end = decoded->index_offset;
  State* raw = state.get();
  state->reader = std::make_unique<PackReader>(
      repository.key(), name, [raw](ByteView content, const Hash256& hash) { return raw->take(content, hash); });
  return PackStream(std::move(state));
}

Result<std::optional<StoredEntry>> PackStream::next() {
  State& state = *state_;
  while (state.ready.empty()) {
    if (state.finished) return std::optional<StoredEntry>();
    if (state.fetched == state.end && state.used == state.piece.size()) {
      RETURN_IF_ERROR(state.finish());
    } else {
      RETURN_IF_ERROR(state.feed_more());
    }
  }
  std::optional<StoredEntry> entry(std::move(state.ready.front()));
  state.ready.pop_front();
  return entry;
}

Result<StoredEntry> read_last_of_pack(ReadStore& store, const Repository& repository, std::string_view source,
                                      const PackInfo& pack) {
  ASSIGN_OR_RETURN(PackStream stream, PackStream::open(store, repository, source, pack));
  std::optional<StoredEntry> last;
  while (true) {
    ASSIGN_OR_RETURN(std::optional<StoredEntry> entry, stream.next());
    if (!entry) break;
    last = std::move(entry);
  }
  if (!last) return Error(ErrorKind::kDataLoss, "an empty pack of " + std::string(source));
  return std::move(*last);
}

Result<StoredEntry> read_first_of_pack(ReadStore& store, const Repository& repository, std::string_view source,
                                       const PackInfo& pack) {
  ASSIGN_OR_RETURN(PackStream stream, PackStream::open(store, repository, source, pack));
  stream.state_->any_predecessor = true;
  ASSIGN_OR_RETURN(std::optional<StoredEntry> first, stream.next());
  if (!first) return Error(ErrorKind::kDataLoss, "an empty pack of " + std::string(source));
  return std::move(*first);
}

Result<StreamIndex> read_pack_index(ReadStore& store, const Repository& repository, std::string_view source,
                                    const PackInfo& pack) {
  const std::string name = layout::pack(source, pack.timeline, pack.first_sequence, pack.last_sequence);
  if (pack.stored_bytes < kPackTrailerBytes)
    return Error(ErrorKind::kDataLoss, name + " is shorter than a pack can be");
  const std::uint64_t tail_size = std::min(kTailBytes, pack.stored_bytes);
  const std::uint64_t tail_offset = pack.stored_bytes - tail_size;
  ASSIGN_OR_RETURN(const Bytes tail, store.get_range(name, tail_offset, tail_size));
  Result<PackTrailer> trailer =
      decode_pack_trailer(ByteView(tail).substr(tail.size() - kPackTrailerBytes), pack.stored_bytes);
  if (!trailer) return trailer.error().with_context(name);
  if (trailer->index_offset >= tail_offset) {
    const ByteView index = ByteView(tail).substr(trailer->index_offset - tail_offset, trailer->index_bytes);
    return open_pack_index(repository.key(), name, index);
  }
  ASSIGN_OR_RETURN(const Bytes index, store.get_range(name, trailer->index_offset, trailer->index_bytes));
  return open_pack_index(repository.key(), name, index);
}

}  // namespace anclora::storage
