// What `incident show` and `incident list` say.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "respond/incident/incident_log.h"
#include "respond/report/report_facts.h"

namespace anclora::app {

// A linked run as it stands now.
struct RunLine {
  std::string run, state, next_command;
};

struct IncidentView {
  const respond::IncidentContent& content;
  std::vector<RunLine> runs;
  std::vector<respond::ReportEvent> timeline;
  std::vector<std::string> problems;
  WallTime now;
};

// What a person does next; empty when there is nothing.
std::string next_command(const IncidentView& view);
nlohmann::ordered_json to_json(const IncidentView& view);
std::string to_text(const IncidentView& view);

// One line of `incident list`.
nlohmann::ordered_json to_json(const respond::IncidentState& state);
std::string to_line(const respond::IncidentState& state, WallTime now);

}  // namespace anclora::app
