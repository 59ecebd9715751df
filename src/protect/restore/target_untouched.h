// Before a restored target is promoted: that no other client changed what it holds, nor its own settings will at once.
#pragma once

#include <string>

#include "protect/restore/scratch_restore.h"
#include "redis/client/client.h"
#include "redis/client/info.h"

namespace anclora::protect {

// kFailedPrecondition where the target `name` was made writable again (`made_read_only`: it had been made, or was,
// read-only), or holds more than its maxmemory under a policy that evicts: a replica waits with that until it is a
// primary. `info`: the target's present one.
Status check_untouched(redis::Client& client, const redis::Info& info, bool made_read_only, const std::string& name);

// Waits while the target holds more than such a maxmemory, but still frees old data in the background (lazyfree); for
// `at_most`: whether it fits then is check_untouched()'s to say. kCancelled; an error of the connection.
Status wait_until_freed(redis::Client& client, Duration at_most, const RestoreTools& tools);

}  // namespace anclora::protect
