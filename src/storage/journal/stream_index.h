// What is worth finding in a stretch of stream without reading it: dangerous commands, mass deletions, keys touched,
// time marks. Built once by capture, stored at the end of each pack. Pure. Format: docs/formats/pack.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "redis/offset.h"
#include "storage/journal/log_entry.h"

namespace anclora::storage {

enum class DangerKind : std::uint8_t { kFlushAll = 1, kFlushDb = 2, kSwapDb = 3, kMassDeletion = 4 };

// A mass deletion that goes on from pack to pack is in each of them with the same `before`, prefix and database: the
// last one is whole, the others are its beginnings.
struct Danger {
  DangerKind kind;
  redis::Offset before;  // the point just before its first command: what to restore to
  redis::Offset last;    // after its last command (mass deletion: of the window)
  WallTime time;
  std::uint32_t database = 0;  // kSwapDb: the first; the second is in `detail`
  std::uint64_t keys = 0;      // kMassDeletion: how many DEL/UNLINK'd keys
  std::string detail;          // kMassDeletion: the common prefix; kSwapDb: "1"
};

// Which entry holds which bytes: one for each entry of the pack, ascending.
struct IndexedEntry {
  std::uint64_t sequence = 0;
  redis::Offset first, last, boundary;
  WallTime time;   // of its first mark
  Hash256 hash{};  // of its content
};

struct StreamIndex {
  std::vector<IndexedEntry> entries;
  std::vector<TimeMark> marks;  // thinned to one a 100 ms
  std::vector<Danger> dangers;
  std::map<std::string, std::uint64_t> commands;  // name -> count
  Bytes key_filter;  // Bloom filter of the keys and of their prefixes that end in ':' (empty: no keys)
  // False when a command's keys could not be told (unknown command): the filter says nothing.
  bool all_keys_known = true;
  // False when there were more than kMaxIndexDangers: whoever needs all reads the bytes.
  bool all_dangers_kept = true;
};

inline constexpr std::size_t kMaxIndexEntries = 1 << 20;
inline constexpr std::size_t kMaxIndexMarks = 1 << 20;
inline constexpr std::size_t kMaxIndexDangers = 1 << 14;
inline constexpr std::size_t kMaxIndexCommands = 2048;
inline constexpr std::size_t kMaxIndexTextBytes = 512;  // a command's name, a danger's detail
inline constexpr std::size_t kMaxIndexBytes = 128 * kMiB;

Bytes encode_stream_index(const StreamIndex& index);
// kDataLoss naming the field; kUnsupported for a newer version. Round-trips exactly what is within the limits above.
Result<StreamIndex> decode_stream_index(ByteView bytes);
// True when `key` (or, for a prefix ending in ':', some key under it) may have been touched; false is certain.
bool may_contain_key(const StreamIndex& index, std::string_view key_or_prefix);

}  // namespace anclora::storage
