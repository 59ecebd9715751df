// queue.metrics: a queue's counts, from the service's own interface where it has one, else from Redis's lists and sets.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/socket.h"
#include "respond/runbook/action.h"

namespace anclora::respond {

struct QueueCounts {
  std::uint64_t waiting = 0, active = 0, delayed = 0, failed = 0, completed = 0;
  std::string to_string() const;
};

// The service's answer: {"waiting": 1, "active": 0, ...}; what it does not name is 0. kFailedPrecondition when it is no
// object, names none of them, or one is no count.
Result<QueueCounts> read_queue_counts(std::string_view json);

// Waits within the step's time until the counts are within `max_waiting` and `max_failed` and, with `moving`, jobs
// finish: the completed ones grow or the waiting ones fewer, or there is nothing to do. Outputs: the counts.
std::unique_ptr<Action> make_queue_metrics(Dialer& dialer);

}  // namespace anclora::respond
