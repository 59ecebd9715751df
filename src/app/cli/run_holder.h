// Who this process is to the claims of runs.
#pragma once

#include "app/cli/command_context.h"
#include "respond/runbook/run_claim.h"

namespace anclora::app {

// The place is the id of the state folder ("<state folder>/place-id", random, made by the first who asks): whoever
// shares it shares the journals and their locks, whoever does not is somebody else, also under the same host name.
Result<respond::RunHolder> run_holder(const CommandContext& context);

}  // namespace anclora::app
