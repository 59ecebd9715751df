// recovery_point.bisect: the last good moment, by restores into scratch servers.
#pragma once

#include <memory>

#include "respond/actions/redis_restore.h"

namespace anclora::respond {

// `check` names a probe.keyspace of the plan whose invariants hold in good moments; `good` and `bad` bound the search.
// Outputs as of recovery_point.select, and "restores", "suspect" (the first command after the good moment).
std::unique_ptr<Action> make_recovery_point_bisect(RestoreMeans means);

}  // namespace anclora::respond
