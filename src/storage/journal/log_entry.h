// A log entry: one sealed segment of a source's replication stream, or an event in the life of the log. Pure.
// Format: docs/formats/log-entry.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "redis/offset.h"
#include "storage/journal/position.h"

namespace anclora::storage {

using Incarnation = std::array<std::uint8_t, 16>;  // random at each start of a writer
using HolderId = std::array<std::uint8_t, 16>;     // kept with the outbox: the same machine and state folder

enum class EntryKind : std::uint8_t {
  kOpened = 1,        // the first entry of a timeline; says where it came from (see Origin); is a claim too
  kClaim = 2,         // a writer took the log
  kStream = 3,        // bytes (none: a sign of life)
  kBaseComplete = 4,  // the base named here is whole in the repository: the timeline can be restored from here on
  kRename = 5,        // the source's replication id changed by +CONTINUE at this offset; the bytes go on
  kClosed = 6,        // the last entry of a timeline: closed, next is timeline + 1
};

// offset <-> time of receipt.
struct TimeMark {
  redis::Offset offset;
  WallTime wall;
  MonoTime mono;
};

// Why a timeline began (kOpened).
enum class OriginKind : std::uint8_t {
  kFirst = 1,  // the first of its source
  kGap = 2,    // bytes between the previous timeline and this one's first base are unknown
  kFork = 3,   // shares the parent's history up to `offset`, then differs (a promoted replica that was behind us)
};
struct Origin {
  OriginKind kind = OriginKind::kFirst;
  Position previous;       // kGap: the last known position; kFork: parent and offset of the fork
  WallTime previous_time;  // when that was
  std::string reason;      // in a sentence, for people
};

// How many keys each database of the source held right after `offset`, by its own INFO.
struct KeyCounts {
  struct Database {
    std::uint32_t database = 0;
    std::uint64_t keys = 0;
    friend bool operator==(const Database&, const Database&) = default;
  };
  redis::Offset offset;
  std::vector<Database> databases;  // ascending; those without keys are left out
  friend bool operator==(const KeyCounts&, const KeyCounts&) = default;
};

struct LogEntry {
  EntryKind kind = EntryKind::kStream;
  Hash256 predecessor{};  // hash of the predecessor's content; all zero only for the very first entry
  TimelineId timeline;
  std::uint64_t sequence = 0;  // counts from 0 in each timeline; the object's name
  Incarnation incarnation{};
  HolderId holder{};
  std::uint64_t epoch = 0;     // ordinal of the claim (kOpened or kClaim) this writer works under: grows by one a claim
  std::string replication_id;  // 40 hex digits, in force at `first`
  redis::Offset first;         // the entry's bytes are those after `first` ...
  redis::Offset last;          // ... up to and with `last`; equal when there are none
  // State of the stream at `first`, so that reading can start at any entry:
  std::uint32_t database = 0;                  // in force for the first command that starts in the entry
  std::optional<redis::Offset> open_multi;     // first byte of the MULTI that is open at `first`
  std::uint64_t pending_bytes = 0;             // of a command that started before `first` and goes on
  std::optional<redis::Offset> first_command;  // the point just before the first command that starts in the entry
  // The last command boundary outside MULTI at or before `last` (recovery points end there).
  redis::Offset boundary;
  std::vector<TimeMark> marks;  // ascending; the first at or after `first`; at least every 100 ms of receipt
  redis::Offset source_offset;  // the source's own offset as last heard (INFO or received), for the lag
  bool catching_up = false;     // behind what the source has (no link, resume, base loading)
  // By kind:
  std::optional<Origin> origin;         // kOpened
  std::optional<KeyCounts> key_counts;  // kStream: now and then; its offset is at or before `last`
  std::optional<Hash256> closed_hash;   // kOpened, timeline > 1: hash of the previous timeline's kClosed
  std::string base;                     // kBaseComplete: the base's name, "<offset>-<attempt>"
  std::string new_replication_id;       // kRename
  std::string note;                     // for people: kClosed, kClaim: why; kStream: what is wrong with the source

  Bytes bytes;  // kStream
};

inline constexpr std::size_t kMaxEntryBytes = 16 * kMiB;  // of stream in one entry; a decoder refuses more
inline constexpr std::size_t kMaxEntryMarks = 1 << 16;
inline constexpr std::size_t kMaxEntryKeyCounts = 1 << 14;   // databases; an encoder leaves the counts of more out
inline constexpr std::size_t kMaxEntryTextBytes = 4 * kKiB;  // note, reason, base: longer ones are cut when written
// No content is longer: the stream, the marks at their longest, and room for every other field.
inline constexpr std::size_t kMaxEntryContentBytes = kMaxEntryBytes + 4 * kMiB;

// The content that is hashed, chained, packed and (framed) stored.
Bytes encode_log_entry(const LogEntry& entry);
// All of it but the stream's bytes, of which there are `stream_bytes`: what is left is to append them.
Bytes encode_log_entry_head(const LogEntry& entry, std::uint64_t stream_bytes);
// kDataLoss naming the field that is wrong; kUnsupported for a newer version. Round-trips exactly. Checked as well:
// last - first is the number of bytes; marks ascend within first..last; boundary <= last; open_multi <= first;
// first <= first_command <= last; key_counts ascend and are at or before last; replication_id is empty or 40 lower-case
// hexadecimal digits; the fields that belong to one kind are there for it and for no other (closed_hash may be
// missing).
Result<LogEntry> decode_log_entry(ByteView content);

}  // namespace anclora::storage
