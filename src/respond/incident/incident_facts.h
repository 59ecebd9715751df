// From an incident and its runs to what a report says of it. Pure.
#pragma once

#include <vector>

#include "plan/plan.h"
#include "respond/incident/incident_log.h"
#include "respond/report/report_facts.h"

namespace anclora::respond {

// `runs`: what collect_run_facts() made of the linked runs, in the order of their linking. The clocks are those of the
// newest run that came to its end, else of the newest.
ReportFacts collect_incident_facts(const plan::Plan& plan, const IncidentContent& incident,
                                   const std::vector<ReportFacts>& runs, WallTime now);

// Only what persons wrote into it: the texts of the report, the action items.
void add_what_people_wrote(ReportFacts& facts, const IncidentState& state);

}  // namespace anclora::respond
