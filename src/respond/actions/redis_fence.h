// redis.fence and redis.unfence: no client writes to a server any more; its replicas, readers and our own reading go
// on.
//
// By min-replicas-to-write set beyond any number of replicas: it stops every client at once, also those connected, and
// it is written to the server's configuration file where there is one, so that a server that comes back stays fenced.
// `pause` (CLIENT PAUSE WRITE) is for servers that refuse CONFIG; it ends by itself after a day.
#pragma once

#include <memory>

#include "base/socket.h"
#include "respond/runbook/action.h"

namespace anclora::respond {

// Outputs: "target", "fenced" (yes | unreachable), "method". With `if_unreachable: record` a server that does not
// answer is recorded as such: it must be fenced when it comes back.
std::unique_ptr<Action> make_redis_fence(Dialer& dialer);
std::unique_ptr<Action> make_redis_unfence(Dialer& dialer);

}  // namespace anclora::respond
