// What is known of one source: its timelines, bases, packs, gaps, the head of its log. Derived from the checkpoint
// chain plus the log entries behind it; the log is never listed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "storage/journal/log_entry.h"
#include "storage/journal/position.h"
#include "storage/repository/repository.h"
#include "storage/store/store.h"

namespace anclora::storage {

struct BaseInfo {
  std::string name;  // "<offset>-<attempt>"
  TimelineId timeline;
  redis::Offset offset;            // the state after this byte
  std::uint32_t database = 0;      // in force for the stream that follows (repl-stream-db)
  std::uint64_t rdb_bytes = 0;     // of the RDB
  std::uint64_t stored_bytes = 0;  // in the repository
  std::uint32_t parts = 0;
  std::uint64_t rdb_crc64 = 0;
  std::uint32_t rdb_version = 0;
  std::string redis_version;
  WallTime time;                        // of the state it holds
  std::string origin;                   // "source", "scratch", "safety"
  std::uint64_t used_memory_bytes = 0;  // of the server that saved it, 0 when unknown
};

struct PackInfo {
  TimelineId timeline;
  std::uint64_t first_sequence = 0, last_sequence = 0;
  redis::Offset first, last;
  WallTime first_time, last_time;
  std::uint64_t stored_bytes = 0;
  Hash256 predecessor{};  // of its first entry
  Hash256 last_hash{};    // content hash of its last entry
};

// How a closed timeline ended: what its kClosed entry says.
struct TimelineEnd {
  TimelineId timeline;
  std::uint64_t sequence = 0;  // of the kClosed
  Hash256 hash{};              // of its content
  redis::Offset last, boundary;
  WallTime time;
  std::string replication_id;
  std::string reason;
};

struct TimelineState {
  TimelineId id;
  Origin origin;
  std::string replication_id;  // the newest
  redis::Offset start;         // where its stream begins
  WallTime opened;
  std::vector<BaseInfo> bases;            // ascending by offset
  std::vector<PackInfo> packs;            // ascending, not overlapping
  std::uint64_t first_kept_sequence = 0;  // entries before it may be gone
  redis::Offset first_kept;               // stream before it is gone (a restore needs a base at or after it)
  bool closed = false;
  std::string close_reason;
  std::optional<TimelineEnd> end;  // set when closed and its kClosed entry was seen
};

// The newest entry of the newest timeline.
struct Head {
  TimelineId timeline;
  std::uint64_t sequence = 0;
  Hash256 hash{};
  LogEntry entry;   // without its bytes
  WallTime stored;  // by the store's own clock
};

// What expire is about to let go (retire.h), under a random mark.
struct Retirement {
  std::string mark;  // empty: nothing is about to go
  std::vector<BaseInfo> bases;
  std::vector<PackInfo> packs;
  std::vector<TimelineId> timelines;
  std::map<std::uint32_t, std::pair<std::uint64_t, redis::Offset>> first_kept;  // timeline -> sequence, offset
};

// An object that is damaged or gone, and what it suffers from.
struct DamagedObject {
  std::string object;
  std::string problem;
};

struct SourceState {
  std::string source;
  std::string url;                       // as given to capture, without secrets: another URL under the name is refused
  std::vector<TimelineState> timelines;  // ascending
  std::optional<Head> head;              // none: nothing was ever written
  std::uint64_t checkpoint_ordinal = 0;  // of the newest checkpoint; 0: none
  Retirement retiring;                   // still counts, but must not be relied on any more
  // Checkpoints that could not be read although nothing newer makes up for them: what they named was found again among
  // the objects that stand. Writers write a full checkpoint then (write_checkpoint()); expire deletes nothing.
  std::vector<DamagedObject> damaged_checkpoints;
  // When that last happened: what does not count and is older may be what nobody could read. It is never deleted.
  std::optional<WallTime> rebuilt;
  std::vector<DamagedObject> damaged_entries;  // kStepBack only
  std::string damaged_tail;  // kStepBack only: what the newest entries suffer from; the head is before them
};

// When the newest entries do not decode: whoever writes must not go on, whoever restores may want an older point.
enum class DamagedTail : std::uint8_t { kRefuse, kStepBack };

// Everything, up to the head. kNotFound when the source has nothing (names those that are there).
Result<SourceState> load_source_state(ReadStore& store, const Repository& repository, std::string_view source,
                                      DamagedTail damaged = DamagedTail::kRefuse);

// One change to what counts. A checkpoint is a list of these; a full checkpoint starts from nothing. Whoever names a
// timeline for the first time names every older one that no checkpoint names yet: the log is followed forwards only.
struct CheckpointDelta {
  std::optional<std::string> url;
  std::vector<TimelineState> opened;  // timelines that began (their bases/packs lists are ignored here); one that
                                      // is known gets its replication_id replaced
  std::vector<BaseInfo> bases;        // complete ones
  std::vector<PackInfo> packs;
  std::vector<TimelineId> closed;
  std::vector<TimelineEnd> ends;        // the same with what the kClosed says (timeline_end())
  std::vector<BaseInfo> retired_bases;  // no longer count: to be deleted after the grace
  std::vector<PackInfo> retired_packs;
  std::map<std::uint32_t, std::pair<std::uint64_t, redis::Offset>> first_kept;  // timeline -> sequence, offset
  std::vector<TimelineId> retired_timelines;
  std::optional<Retirement> retiring;  // what is marked from now on; an empty mark: nothing
  std::string retires_mark;  // retired_*, retired_timelines and first_kept apply only while this is what is marked;
                             // empty: always
  std::vector<std::string> deleted;  // retired objects (by RetiredObject's prefix) that are gone: no longer listed
  bool empty() const;
};

// The longest checkpoint that is read or written, plain.
inline constexpr std::uint64_t kMaxCheckpointBytes = 256 * kMiB;

// Appends a delta to the chain (a full checkpoint each 60th, when `full`, or when checkpoints before it are damaged:
// from then on nobody needs those). kResourceExhausted, and nothing is put, when the full one would be too long to be
// read. Whoever loses the race for the next name re-reads and tries again. Any writer may call it; it does not touch
// the log. Returns the new ordinal.
Result<std::uint64_t> write_checkpoint(AppendStore& store, const Repository& repository, std::string_view source,
                                       const CheckpointDelta& delta, Clock& clock, Random& random, bool full = false,
                                       std::uint64_t max_bytes = kMaxCheckpointBytes);

// What `closed`, a kClosed entry, says of its timeline.
TimelineEnd timeline_end(const LogEntry& closed, const Hash256& hash);

// The state as it will be once what is marked has gone.
SourceState without_retiring(const SourceState& state);

// A complete base by its name: its manifest (kNotFound when there is none yet).
Result<BaseInfo> read_base_info(ReadStore& store, const Repository& repository, std::string_view source,
                                TimelineId timeline, std::string_view base);

// Retired objects that stand in the chain with the time they were retired at (for expire's grace).
struct RetiredObject {
  std::string object_prefix;  // a pack's name, or a base's prefix "…/base/<name>/", or a timeline's prefix
  WallTime retired;
};
Result<std::vector<RetiredObject>> list_retired(ReadStore& store, const Repository& repository,
                                                std::string_view source);

// A stretch of time and stream in which every recovery point can be restored.
struct RecoveryWindow {
  Position from, to;  // `to` is a boundary outside MULTI
  WallTime from_time, to_time;
};
// One for each stretch without a point: timelines whose first base was never completed lie inside it.
struct GapRecord {
  Position before, after;  // last point before, first point after (where there is none yet: where it is to begin)
  WallTime before_time, after_time;
  std::string reason;
};
// A window before a gap ends at the last moment that was seen, not when its log was closed.
std::vector<RecoveryWindow> recovery_windows(const SourceState& state);
std::vector<GapRecord> gaps(const SourceState& state);
// True when a base and the stream from it to `position` (of what was ever there) are kept.
bool is_kept(const SourceState& state, const Position& position);

}  // namespace anclora::storage
