// What a run's journal says: the state of each step, of each approval and of the clocks. A pure fold over the records;
// a transition that the engine never makes is refused, so that a changed or foreign journal does not drive a recovery.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "respond/runbook/action.h"
#include "respond/runbook/run_plan.h"
#include "respond/runbook/run_record.h"

namespace anclora::respond {

enum class StepState : std::uint8_t {
  kPending,  // also while it is ready: what it needs says so
  kAwaitingApproval,
  kRunning,
  kVerifying,
  kDone,
  kFailedPaused,
  kUnknown,
  kSkipped,
  kManualDone,
  kUndone,
};
// "pending", "awaiting_approval", ...: stable, used in --json ("ready" is a pending step that may start).
std::string_view to_string(StepState state);

struct Grant {
  std::string contact;
  WallTime time;
};

struct ApprovalState {
  std::uint32_t round = 0;   // 0: not asked yet; each escalation asks again
  WallTime asked;            // of this round
  std::vector<Grant> given;  // each person once, over all rounds
  bool granted = false;
  std::string refused_by;
};

struct StepStatus {
  StepState state = StepState::kPending;
  std::uint32_t attempt = 0;   // of the latest intent
  std::uint32_t failures = 0;  // since a person last decided
  bool changed = false;        // the latest attempt may have changed something
  bool timed_out = false;      // the latest attempt was given up and is to be probed
  bool uncertain = false;      // another machine may have begun it: its end of the journal was not readable
  bool undo_requested = false;
  bool undoing = false;
  bool undo_changed = false;
  std::optional<WallTime> not_before;  // the next attempt
  std::optional<WallTime> first_started, started, finished;
  std::uint64_t finished_number = 0;  // of the record: the order to undo in
  Outputs outputs;
  Outputs kept;
  std::string summary;
  std::string problem;  // why it failed or is unknown
  std::string note;     // the latest
  std::string settled_by, evidence;
  ApprovalState approval;
};

struct RunState {
  std::string run, environment, starter, runner, plan_hash;
  bool drill = false;
  std::uint64_t generation = 0;
  std::vector<StepStatus> steps;  // as in RunPlan
  ApprovalState declare;
  std::map<std::string, WallTime> marks;
  std::set<std::string> requests;  // of persons, answered
  bool aborted = false, finished = false;
  bool pause_told = false;  // run.paused was written for the present pause
  std::string end_reason, ended_by;
  std::optional<WallTime> started, ended;
  std::uint64_t last_number = 0;
  WallTime last_time;

  bool settled(std::size_t step) const;         // done, skipped, done by hand
  bool needs_decision(std::size_t step) const;  // failed, unknown, undone
  // May it start, as far as others are concerned?
  bool ready(const RunPlan& plan, std::size_t step) const;
  bool paused() const;  // a step needs a person's decision
  bool over() const { return aborted || finished; }
};

RunState initial_state(const RunPlan& plan);

// The state after one more record. kDataLoss naming the record when it does not fit.
Status apply(const RunPlan& plan, RunState& state, const RunRecord& record);

// The pause before the next attempt after so many failures: 1 s, doubled, at most 30 s and a quarter of the budget.
Duration back_off(const plan::Step& step, std::uint32_t failures);

}  // namespace anclora::respond
