// What `drill` says of a drill, and of all of them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "respond/drill/drill_folder.h"
#include "respond/drill/drill_schedule.h"

namespace anclora::app {

// Checks, steps, figures beside objectives and before; `records` are all there are.
std::string to_text(const respond::DrillRecord& record, const std::vector<respond::DrillRecord>& records);
nlohmann::ordered_json to_json(const respond::DrillRecord& record, const std::vector<respond::DrillRecord>& records);

struct DrillOverview {
  const respond::DrillLedger& ledger;
  std::vector<std::string> running;
  std::vector<std::string> abandoned;             // to be cleaned
  std::vector<respond::ScheduledDrill> schedule;  // empty without a plan
  WallTime now;
};
std::string to_text(const DrillOverview& overview);
nlohmann::ordered_json to_json(const DrillOverview& overview);
std::string schedule_text(const std::vector<respond::ScheduledDrill>& schedule, WallTime now);
nlohmann::ordered_json schedule_json(const std::vector<respond::ScheduledDrill>& schedule);

}  // namespace anclora::app
