// Recognises mass deletions: at least kMassDeletionKeys keys DEL'd or UNLINK'd within kMassDeletionWindow in a database
// under one prefix (key_prefix.h), beyond the keys written under it meanwhile: a queue that lets its finished jobs and
// their locks go deletes as many as it makes, and is none. Windows that follow on each other are one deletion. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "redis/offset.h"
#include "storage/journal/command_view.h"
#include "storage/journal/stream_index.h"

namespace anclora::storage {

inline constexpr std::uint64_t kMassDeletionKeys = 1000;
inline constexpr std::chrono::seconds kMassDeletionWindow{10};

// One thread. Time is taken from the commands; a step backwards counts as no time.
class MassDeletionDetector {
 public:
  static constexpr std::size_t kMaxGroups = 4096;  // more prefixes at once are counted together, under ""

  // A DEL or UNLINK. Keys whose names are not there count as the last one that is.
  void on_deletion(const CommandView& command);
  // A key that another command wrote: it makes up for one that was deleted under its prefix.
  void on_write(std::uint32_t database, std::string_view key);
  // Deletions that began or went on since the last call. One that goes on is given again, with the same `before`.
  std::vector<Danger> take();

 private:
  static constexpr std::size_t kBuckets = static_cast<std::size_t>(kMassDeletionWindow.count()) + 1;
  struct Bucket {
    std::int64_t second = 0;
    std::uint64_t keys = 0;
    redis::Offset before;
    WallTime time;
  };
  struct Group {
    std::array<Bucket, kBuckets> buckets{};
    std::int64_t second = 0;         // of the newest deletion
    std::int64_t active_second = 0;  // of the newest deletion that `danger` counts
    std::uint64_t in_window = 0;
    std::uint64_t uncounted = 0;  // since `danger` paused
    bool active = false;
    bool changed = false;  // `danger` was not given out as it is now
    Danger danger{DangerKind::kMassDeletion, {}, {}, {}, 0, 0, {}};
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  static void make_up(Group& group);
  void count(std::string_view prefix, std::uint64_t keys, const CommandView& command);
  Group& group(std::string_view prefix, const CommandView& command);
  void make_room(std::int64_t second);
  void activate(Group& group, const std::string& name, const CommandView& command);
  static void drop_old(Group& group, std::int64_t second);

  std::unordered_map<std::string, Group, Hash, std::equal_to<>> groups_;  // 4 bytes of database, then the prefix
  std::vector<Danger> done_;
  std::string written_;  // name of the group that a write belongs to: one buffer for all
  std::string name_;     // of the group that was used last
  Group* newest_group_ = nullptr;
  std::int64_t now_ = 0;   // seconds that never go backwards
  std::int64_t skew_ = 0;  // what is added to the commands' time for that
  std::int64_t swept_ = 0;
};

}  // namespace anclora::storage
