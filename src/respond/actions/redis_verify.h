// redis.verify: a server is what the run needs: primary, whole, taking writes, keys and rules as expected, beacon's
// age.
#pragma once

#include <memory>

#include "base/socket.h"
#include "respond/runbook/action.h"

namespace anclora::respond {

// Outputs: "target", "keys"; where the target (or what it stands by for) has a beacon: "beacon_at", "beacon_beat" and
// "rpo_seconds", from the beacon to the begin of the outage. With `point`: a restored server must hold exactly it; a
// promoted one is compared by its offset: "rpo_writes" 0, or "rpo_bytes" and a note. "holds_until": the point's time,
// when it holds the point; a beacon 30 s older than that was not being written, and "rpo_seconds" counts from the
// point.
std::unique_ptr<Action> make_redis_verify(Dialer& dialer);

}  // namespace anclora::respond
