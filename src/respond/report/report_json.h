// A report as data, the same in every language. docs/json.md.
#pragma once

#include <string>

#include "respond/report/report_facts.h"

namespace anclora::respond {

// Only ASCII: what is not stands as \uXXXX.
std::string facts_to_json(const ReportFacts& facts);

}  // namespace anclora::respond
