// recovery_point.select and recovery_point.pin.
#pragma once

#include <memory>

#include "base/random.h"
#include "respond/actions/opened_repository.h"

namespace anclora::respond {

// Resolves `at` and proves that a route leads there. Outputs: "source", "position", "time", "rpo_seconds" (from the
// point to the newest protected one), "base". kFailedPrecondition when it is older than `max_age`.
std::unique_ptr<Action> make_recovery_point_select(OpenRepository open);
// Tags the point that the step `point` chose as "<name>-<run id>". Outputs: "tag", "position".
std::unique_ptr<Action> make_recovery_point_pin(OpenRepository open, Random& random);

// The position that an earlier step chose.
Result<storage::Position> point_chosen_by(StepContext& context, std::string_view step);

}  // namespace anclora::respond
