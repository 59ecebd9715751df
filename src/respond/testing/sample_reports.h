// Facts of reports for tests: a drill that passed, one that failed, an incident; and texts that mean harm.
#pragma once

#include <string>
#include <vector>

#include "respond/report/report_facts.h"

namespace anclora::respond::testing {

ReportFacts passed_drill();
ReportFacts failed_drill();
ReportFacts closed_incident();

// Markup, Markdown, control and direction characters, broken UTF-8, and 8 KiB without an end.
const std::vector<std::string>& hostile_texts();
// `facts` with each text that comes from outside in place of its own.
ReportFacts with_text_everywhere(ReportFacts facts, const std::string& text);

}  // namespace anclora::respond::testing
