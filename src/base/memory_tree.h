// The tree behind MemoryFileSystem: what is there now, and what of it would survive a crash.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"

namespace anclora {

// What a crash leaves of what was not synced. Everything synced survives in every mode: bytes by WritableFile::sync(),
// names by sync_directory() of the directory that holds them.
enum class CrashMode : std::uint8_t {
  kDropUnsynced,    // nothing: the strictest reading of POSIX
  kTornAppends,     // all names, and of each file a random prefix of its unsynced bytes
  kScrambledTails,  // all names and sizes, but unsynced bytes from a random place on are garbage or zeros
  kRemovedReturn,   // as kDropUnsynced, but new and renamed names survive; removed ones are back
  kRenamesLost,     // as kDropUnsynced, but new and removed names survive; renamed files have their old names
  kEachForItself,   // every unsynced name change survives or not by chance, every file as in one of the first three
};
inline constexpr CrashMode kAllCrashModes[] = {CrashMode::kDropUnsynced,   CrashMode::kTornAppends,
                                               CrashMode::kScrambledTails, CrashMode::kRemovedReturn,
                                               CrashMode::kRenamesLost,    CrashMode::kEachForItself};

// "drop-unsynced", ...: for the message of a failing test.
std::string_view to_string(CrashMode mode);

struct MemoryNode;
using MemoryNodePtr = std::shared_ptr<MemoryNode>;

// A change of one name in a directory, not yet synced. The two ends of a rename share an id.
struct NameChange {
  enum class Kind : std::uint8_t { kAdd, kRemove, kRename };
  Kind kind;
  std::uint64_t id;
  std::string name;
  MemoryNodePtr node;  // what the name now means; null: it is gone
};

using MemoryNames = std::map<std::string, MemoryNodePtr, std::less<>>;

// A file or a directory. Not safe for concurrent use: MemoryFileSystem locks.
struct MemoryNode {
  MemoryNode(bool directory, WallTime now, std::shared_ptr<std::atomic<std::uint64_t>> used);
  ~MemoryNode();
  MemoryNode(const MemoryNode&) = delete;
  MemoryNode& operator=(const MemoryNode&) = delete;

  void append(ByteView more, WallTime now);
  void cut(std::size_t size);
  void change_name(NameChange change);
  void sync_names();

  const bool is_directory;
  WallTime modified;
  Bytes data;  // of a file
  std::size_t synced_bytes = 0;
  MemoryNames live;  // of a directory
  MemoryNames durable;
  std::vector<NameChange> unsynced;
  bool locked = false;

 private:
  std::shared_ptr<std::atomic<std::uint64_t>> used_bytes_;
};

// Leaves in the tree under `root` what survives; all of that is then synced.
void crash_tree(MemoryNode& root, CrashMode mode, Random& random);

}  // namespace anclora
