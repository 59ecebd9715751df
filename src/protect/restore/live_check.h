// What a restored target is asked before it is promoted, while it is still a replica.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "protect/restore/restore_outcome.h"
#include "redis/client/client.h"

namespace anclora::protect {

struct LiveCheck {
  std::string name;  // of the target
  storage::Position point;
  redis::Offset end;                // by the target's own counting
  std::uint64_t errors_before = 0;  // that it had answered to its primary before the restore
  bool made_read_only = false;
  std::string compared_at;  // where its keys were compared with the source's; empty: nowhere
};

// Notes each check in `outcome`, and the keys. kDataLoss: it stands elsewhere, or answered an error; kUnavailable: its
// link to us is down; kFailedPrecondition: see check_untouched().
Status check_restored(redis::Client& client, const LiveCheck& expected, RestoreOutcome& outcome);

}  // namespace anclora::protect
