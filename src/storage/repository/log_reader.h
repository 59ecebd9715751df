// Reading a source's stream back: from packs where a checkpoint names them, else from log entries; across forks.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/journal/stream_index.h"
#include "storage/repository/source_state.h"

namespace anclora::storage {

inline constexpr std::uint64_t kPackFetchBytes = 4 * kMiB;  // a pack is read from its beginning, in pieces of this

// Hands out entries one after the other, verifying each against the hash of its predecessor. Memory stays flat.
// Usage: open at a position; next() until nothing comes. One thread.
class LogReader {
 public:
  // Starts with the entry that holds the byte after `from` (its `first` <= from), or the first entry of the timeline;
  // ends after the entry that reaches `to` (none: the head). Follows kFork origins: reading a forked timeline from
  // before its fork reads the parent's entries up to the fork, then its own.
  // kDataLoss: a hole, a wrong hash, an object that does not open (named); kNotFound with a hint when expire took it.
  static Result<LogReader> open(ReadStore& store, const Repository& repository, const SourceState& state, Position from,
                                std::optional<Position> to);
  LogReader(LogReader&&) noexcept;
  LogReader& operator=(LogReader&&) noexcept;
  ~LogReader();
  // The next entry with its bytes; nothing at the end.
  Result<std::optional<LogEntry>> next();

 private:
  struct State;
  explicit LogReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Only the indexes of a stretch: packs' stored ones, and for entries not yet packed one built on the fly by `on_entry`.
// Any order inside is by offset. For `find` and for resolving times.
struct IndexedStretch {
  TimelineId timeline;
  std::string pack_object;  // empty: an unpacked entry
  StreamIndex index;
};
// Makes the index of one unpacked entry (with its bytes). None given: entries and marks only, all_keys_known false.
using EntryIndexer = std::function<Result<StreamIndex>(const LogEntry& entry, const Hash256& hash)>;
// A pack or an entry that is damaged or lost (kDataLoss).
using OnUnreadable = std::function<void(const std::string& object, const Error& why)>;
// Visits every timeline from `from` to `to`, also where a gap or a fork lies between. Stored indexes are fetched up to
// eight at a time and visited in order, on the caller's thread. What is damaged or lost ends it; with `on_unreadable`
// it is told there and passed over.
Status for_each_index(ReadStore& store, const Repository& repository, const SourceState& state, Position from,
                      Position to, const std::function<Status(const IndexedStretch&)>& visit,
                      const EntryIndexer& index_entry = nullptr, const OnUnreadable& on_unreadable = nullptr);

// Streams the RDB of a base, part after part, verified; memory stays flat (one part's frames at a time).
class BaseReader {
 public:
  // What shows at the end that the whole is as it was written; each frame, place and length is checked in any case.
  // kChecksum: the RDB's own CRC-64 and what the manifest says of it, at a tenth of the time, where a restore is waited
  // for; the hash where the server wrote no checksum.
  enum class Proof : std::uint8_t { kHash, kChecksum };
  static Result<BaseReader> open(ReadStore& store, const Repository& repository, std::string_view source,
                                 const BaseInfo& base, Proof proof = Proof::kHash);
  BaseReader(BaseReader&&) noexcept;
  BaseReader& operator=(BaseReader&&) noexcept;
  ~BaseReader();
  // Appends up to about a frame (1 MiB) to `out`; 0 at the end, after the whole was checked (see Proof).
  Result<std::size_t> read(Bytes& out);

 private:
  struct State;
  explicit BaseReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace anclora::storage
