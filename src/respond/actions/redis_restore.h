// redis.restore: a server is brought to a recovery point, checked while it is a replica of ours, and promoted last.
#pragma once

#include <memory>

#include "base/file_system.h"
#include "base/random.h"
#include "base/socket.h"
#include "respond/actions/opened_repository.h"

namespace anclora::respond {

// What the actions that restore are lent; all outlive them.
struct RestoreMeans {
  OpenRepository open;
  FileSystem& files;
  Random& random;
  Dialer& dialer;
  std::string work_directory = "/tmp";
  std::string record_folder;  // where a killed restore's leftovers are noted; empty: nowhere
};

// Outputs: "target", "url" (without secrets), "position", "time", "rpo_seconds", "rpo_writes", "restored" (yes | no:
// the step in `unless` found a server already). The target must have allow_restore: true in the plan, and must hold
// nothing without `replace`.
std::unique_ptr<Action> make_redis_restore(RestoreMeans means);

}  // namespace anclora::respond
