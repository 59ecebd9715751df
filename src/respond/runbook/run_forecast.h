// The RTO clock: how long a run has taken, how long it will take, and where the time went. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "respond/runbook/run_plan.h"
#include "respond/runbook/run_state.h"

namespace anclora::respond {

// What a step took in past drills (its median); a step that is missing counts its budget.
using PastDurations = std::map<std::string, Duration>;

struct Forecast {
  Duration elapsed{};    // since the outage began (t_out), else since the run began
  Duration remaining{};  // of the critical path; approvals count the rest of their timeout
  Duration total{};
  bool over_rto = false;      // `total` misses the objective
  bool over_rto_max = false;  // likewise the maximum
};

Forecast forecast(const RunPlan& plan, const RunState& state, WallTime now, const PastDurations& past = {});

// Detect, decide, act and verify add up to the achieved RTO. Each is missing while its marks are.
struct RtoSplit {
  std::optional<Duration> detect;  // t_out to t_det
  std::optional<Duration> decide;  // t_det (else t_out, else the start) to t_decl
  std::optional<Duration> act;     // t_decl to the end of the last step that changes something, at most to t_serv
  std::optional<Duration> verify;  // from there to t_serv
  std::optional<Duration> achieved;
  bool met = false;  // achieved, and within the objective (true without one)
};

RtoSplit split_rto(const RunPlan& plan, const RunState& state);

// As the steps measured it: their outputs `rpo_seconds` and `rpo_writes`, the largest of each; empty: not measured.
struct MeasuredRpo {
  std::string seconds;
  std::string writes;
};
MeasuredRpo measured_rpo(const RunState& state);

}  // namespace anclora::respond
