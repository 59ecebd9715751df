// The plan's schema as JSON Schema (draft 7), for editors: made from what check judges by, so that the two agree.
#pragma once

#include <string>

namespace anclora::plan {

std::string json_schema();

}  // namespace anclora::plan
