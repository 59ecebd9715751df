// Judges a plan's Value by the plan schema: unknown, missing and misspelt keys, types, names that do not exist. All
// findings in one pass.
#pragma once

#include "plan/finding.h"
#include "plan/value.h"

namespace anclora::plan {

void check_by_schema(const Value& root, Findings& findings);

}  // namespace anclora::plan
