// From a Value that the schema has judged to the typed plan. Lenient: what is missing or of a wrong type has already
// been reported and takes its default, so that the rest can be judged in the same pass.
#pragma once

#include "plan/plan.h"
#include "plan/value.h"

namespace anclora::plan {

// `file` and `hash_hex` stay empty.
Plan build_plan(const Value& root);

}  // namespace anclora::plan
