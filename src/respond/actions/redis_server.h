// A plan's Redis target as something to talk to.
#pragma once

#include <memory>
#include <string>

#include "base/socket.h"
#include "redis/client/client.h"
#include "respond/detect/probe_maker.h"
#include "respond/runbook/action.h"

namespace anclora::respond {

// What a step's words refer to; valid as long as the context.
PlanLookup lookup_of(StepContext& context);

// The target's address with user and password, references resolved. Errors name the target, never a secret.
Result<redis::RedisUrl> redis_url_of(StepContext& context, const plan::Target& target);

// A connection whose every wait ends before the step's deadline.
Result<std::unique_ptr<redis::Client>> connect_to(StepContext& context, Dialer& dialer, const redis::RedisUrl& url);

// The server a step means: its `target` (or `key`), or what the first step in `from` that ran left as "target".
Result<std::string> server_named_by(StepContext& context, std::string_view key);

}  // namespace anclora::respond
