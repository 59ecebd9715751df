// Writing a source's log: sealing entries into a chain, and publishing them one after the other. The protocol and its
// rules are in docs/formats/repository.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "storage/journal/entry_hash.h"
#include "storage/journal/frame_codec.h"
#include "storage/journal/log_entry.h"
#include "storage/repository/repository.h"
#include "storage/repository/source_state.h"
#include "storage/store/store.h"

namespace anclora::storage {

// An entry ready for its put: its place in the chain is fixed.
struct SealedEntry {
  std::string object_name;
  Bytes object;    // what is stored: header and sealed frames; was opened and compared
  Bytes content;   // encode_log_entry() of it; empty when it has kLargeEntryBytes or more
  Hash256 hash{};  // entry_hash()
  LogEntry entry;  // without its bytes
};

// An entry to be sealed of which the first part was compressed as it came: `frames` hold the first bytes of the stream
// in it, `entry.bytes` the rest.
struct UnsealedEntry {
  LogEntry entry;
  std::vector<CompressedFrame> frames;
};

// Entries are compressed in frames of at least this much: what is read, written, unpacked and compared then stays in
// the cache.
inline constexpr std::size_t kEntryFrameBytes = 512 * kKiB;

// The end of the chain as its writer knows it (published or still queued).
struct ChainTip {
  TimelineId timeline;
  std::uint64_t next_sequence = 0;
  Hash256 hash{};  // of the entry before it
  redis::Offset last;
  std::string replication_id;
  std::uint64_t epoch = 0;
  redis::Offset boundary;  // of the entry before it
  bool closed = false;     // the entry before it is a kClosed: only open_timeline() may follow
};

// The note of a kClaim by which a writer lets go of the log: another may take over at once.
inline constexpr std::string_view kReleasedNote = "released";

// One thread. Seals in order; touches no store.
class EntrySealer {
 public:
  EntrySealer(const Repository& repository, std::string source, ChainTip tip, Incarnation incarnation, HolderId holder,
              Random& random);
  ~EntrySealer();
  // Takes kind, offsets, stream state, marks, bytes, note, base, new_replication_id from `entry`; sets predecessor,
  // timeline, sequence, incarnation, holder, epoch. A kClaim raises the epoch. kInternal when `entry.first` is not the
  // tip's `last` (a hole or an overlap in the chain is impossible by construction).
  Result<SealedEntry> seal(UnsealedEntry unsealed);
  Result<SealedEntry> seal(LogEntry entry) { return seal(UnsealedEntry{std::move(entry), {}}); }
  // kClosed on the present timeline and kOpened on the next, which starts at `start` under `replication_id`.
  // For the first timeline (tip.timeline 0) only the kOpened.
  Result<std::vector<SealedEntry>> open_timeline(const Origin& origin, redis::Offset start, std::string replication_id,
                                                 std::string close_note, TimeMark now);
  const ChainTip& tip() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The chain tip after `head` (nothing written: timeline 0).
ChainTip tip_after(const std::optional<Head>& head);

// One thread: one put in flight.
class LogPublisher {
 public:
  LogPublisher(AppendStore& store, const Repository& repository);
  // Puts it and settles an unknown or taken name by reading back: my bytes -> ok; foreign bytes -> kFenced, naming the
  // other holder, incarnation and time. kUnavailable / kDeadlineExceeded: not settled; call again with the same entry.
  // Refuses (kFailedPrecondition) when the predecessor is gone and the entry is not there from before (rule 5), and
  // when the store holds another repository by now. One that holds none is kUnavailable.
  Status publish(const SealedEntry& entry);
  // The same for an entry that comes from the outbox as bytes.
  Status publish(const std::string& object_name, ByteView object, TimelineId timeline, std::uint64_t sequence);

 private:
  Status check_repository();
  Status settle(const std::string& object_name, ByteView object);
  Status settle_without_predecessor(const std::string& object_name, ByteView object, const Error& refusal);
  Status check_predecessor(const std::string& object_name, TimelineId timeline, std::uint64_t sequence);

  AppendStore& store_;
  const Repository& repository_;
  std::string last_name_;              // of the entry last published here
  std::optional<WallTime> head_seen_;  // by the store's clock: when the predecessor was last seen to be there
};

// May this holder write now? Reads the newest entry: younger than 30 s by the store's own clock and of another holder
// -> kFenced naming it and how long to wait; else ok. Closed (kClosed) or released (kClaim with kReleasedNote)
// by its writer -> ok at once.
Status may_take_over(ReadStore& store, const std::optional<Head>& head, const HolderId& self);

}  // namespace anclora::storage
