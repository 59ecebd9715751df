// Before a target's data is replaced: a full copy of it in the repository, under a name of its own, kept for 30 days.
#pragma once

#include <string>

#include "base/socket.h"
#include "protect/restore/scratch_base.h"
#include "redis/client/redis_url.h"

namespace anclora::protect {

inline constexpr std::chrono::hours kSafetyCopyKept{30 * 24};

struct SafetyCopy {
  std::string source;  // "safety/<host>-<port>-<time>": what --name takes
  storage::BaseInfo base;
  std::string restore_command;  // brings it back
};

// Follows the target as a replica for the length of one full resynchronisation. `dialer` reaches it.
// Nothing counts, and the name is not listed, unless all of it arrived and its checksum is right.
Result<SafetyCopy> take_safety_copy(storage::AppendStore& store, const storage::Repository& repository,
                                    const redis::RedisUrl& target, Dialer& dialer, const std::string& work_directory,
                                    const RestoreTools& tools, const OnRestoreProgress& on_progress);

// "safety/10-0-0-7-6379-20261124t130501123z" from parts that may hold anything.
std::string safety_name(const Endpoint& endpoint, WallTime now);

}  // namespace anclora::protect
