// The whole plan file as one schema: what judges it, what the JSON Schema and the document are made from.
#pragma once

#include <string>
#include <vector>

#include "plan/action_schema.h"

namespace anclora::plan {

inline constexpr std::string_view kPlanVersion = "1";

// The top-level keys. Thread rule: constant.
const std::vector<Parameter>& plan_schema();

// The keys that a map takes: `parameter.fields`, and those its own kind and driver add. `kind` and `driver` may be ""
// or unknown: then only what is certain.
std::vector<const Parameter*> keys_of(const Parameter& parameter, std::string_view kind, std::string_view driver);

}  // namespace anclora::plan
