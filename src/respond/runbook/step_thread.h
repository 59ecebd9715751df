// What one attempt at a step does: make the action, probe, execute, verify, or undo; each answer is journaled. Runs in
// a thread of its own, for an action may hang; the engine then gives the attempt up, and nothing that comes later
// counts.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "respond/runbook/live_run.h"

namespace anclora::respond {

enum class AttemptMode : std::uint8_t {
  kFresh,
  kRecover,    // it was cut short
  kUncertain,  // the machine that had the run before may have begun it
  kVerifyOnly,
  kUndo,
};

// The same for every attempt of a step in a run: 32 hex digits.
std::string idempotency_token(const std::string& run, const std::string& step);

// The step.intent of the step's next attempt.
RunRecord intent_of(const LiveRun& run, const RunState& state, std::size_t step, bool recover);

void run_attempt(LiveRun& run, const std::shared_ptr<StepAttempt>& attempt, AttemptMode mode);

// A value of the plan in one line, as JSON.
std::string one_line(const plan::Value& value);

}  // namespace anclora::respond
