// queue.canary: a job of no effect goes in by the service's own interface and is seen consumed: the whole path works.
#pragma once

#include <memory>

#include "respond/runbook/action.h"

namespace anclora::respond {

// POSTs `payload` (default {"test":"message"}) to the queue's API with its key, then asks the address that the answer
// names (probeUrl) until its state is "consumed". Outputs: "message_id", "latency_ms". Any job that it adds is a probe
// to the service: it never reaches a customer, so that a repeat does no harm.
std::unique_ptr<Action> make_queue_canary();

}  // namespace anclora::respond
