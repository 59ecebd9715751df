// What `run status` says: a run's steps, clocks and forecast, whom it waits for, and the exact next command.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "respond/runbook/run_forecast.h"
#include "respond/runbook/run_plan.h"
#include "respond/runbook/run_state.h"

namespace anclora::app {

// One thing that a person must do.
struct WaitsFor {
  std::string step;                   // empty: the declaration
  std::string what;                   // "approval", "decision", "work by hand"
  std::string who;                    // roles
  std::vector<std::string> commands;  // any one of them
};

struct RunReport {
  const plan::Plan& plan;
  const respond::RunPlan& run;
  const respond::RunState& state;
  bool has_runner = false;
  WallTime now;
  respond::PastDurations past = {};  // of drills: what the forecast counts instead of budgets
};

// "running", "waiting" (for a person), "interrupted" (no process runs it), "finished", "aborted".
std::string run_state_text(const RunReport& report);
std::vector<WaitsFor> waits_for(const RunReport& report);
// "waits for approval of flip by oncall:", and below it each command.
std::string to_text(const WaitsFor& waits);
// The first line of what a step said, and where it is an error with a hint, "hint: ..." below it, indented by so much.
std::string said_with_hint(const std::string& text, std::size_t indent);
std::string next_command(const RunReport& report);  // empty when there is nothing to do
nlohmann::ordered_json to_json(const RunReport& report);
std::string to_text(const RunReport& report);

}  // namespace anclora::app
