// An incident's timeline: its own journal and those of its runs, by time. Pure.
#pragma once

#include <string>
#include <vector>

#include "respond/incident/incident_log.h"
#include "respond/report/report_facts.h"
#include "respond/runbook/run_journal.h"

namespace anclora::respond {

struct RunOfIncident {
  std::string run;
  JournalContent journal;
};

// What the record says, in one text for people.
std::string describe(const IncidentRecord& record);
std::string describe(const RunRecord& record);

// By time; what happened at the same time keeps the order of its journal, the incident's first. `source` is the
// incident's or the run's id.
std::vector<ReportEvent> incident_timeline(const IncidentContent& incident, const std::vector<RunOfIncident>& runs);

}  // namespace anclora::respond
