// A probe as a step of a run (probe.redis, probe.http, ...), and wait.until: a probe of the plan until it says so.
#pragma once

#include <memory>

#include "respond/actions/plan_probe.h"
#include "respond/runbook/action.h"

namespace anclora::respond {

// Looks until the state that the step expects (`is`, default up) was seen `in_a_row` times, or its time is over.
// Outputs: "state", and the probe's facts.
std::unique_ptr<Action> make_probe_action(ProbeMeans means);

}  // namespace anclora::respond
