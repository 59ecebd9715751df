// redis.promote: of some replicas the fittest becomes the primary; redis.switch: others follow a server.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/socket.h"
#include "redis/client/info.h"
#include "respond/runbook/action.h"

namespace anclora::respond {

// What one candidate said of itself.
struct Candidate {
  std::string target;
  std::optional<redis::Info> info;  // nothing: it did not answer
  std::string trouble;              // why it did not
};
// Fit: a replica that holds a whole dataset (not loading, not in the middle of a synchronisation, never unsynced) and
// has heard from its primary within `max_lag` before the link went down (zero: not judged). Of those the one with the
// most of the stream; among equals the first. The reasons of the unfit are added to `why`. Pure.
std::optional<std::size_t> fittest(const std::vector<Candidate>& candidates, Duration max_lag,
                                   std::vector<std::string>& why);

// Outputs: "target", "url" (without secrets), "offset" and "replication_id" (of the stream it has followed), "found"
// (yes | no: `if_none: continue`, no replica was fit).
std::unique_ptr<Action> make_redis_promote(Dialer& dialer);
// Outputs: "target", "url", "followers".
std::unique_ptr<Action> make_redis_switch(Dialer& dialer);

}  // namespace anclora::respond
