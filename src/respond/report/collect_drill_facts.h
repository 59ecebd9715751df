// From a drill's record to what a report says of it. Pure.
#pragma once

#include "respond/drill/drill_record.h"
#include "respond/report/report_facts.h"

namespace anclora::respond {

// `facts`: those of the recovery's run (collect_run_facts, with other runs added), or empty for a drill without one, as
// a restore is. What the record says stands above what the run says: result, times, clocks, loss, checks.
ReportFacts collect_drill_facts(const DrillRecord& record, ReportFacts facts, WallTime now);

}  // namespace anclora::respond
