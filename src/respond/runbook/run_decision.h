// What a run does next: pure, given its plan, what its journal says, what is in flight, and the time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "respond/runbook/run_plan.h"
#include "respond/runbook/run_state.h"

namespace anclora::respond {

struct RunCommand {
  enum class Kind : std::uint8_t {
    kRequestApproval,
    kExpireApproval,
    kStart,    // a new attempt
    kRecover,  // an attempt that was cut short: probe first
    kVerify,   // its outcome is known, its verification is not
    kAbandon,  // its time is over, or the run was aborted
    kUndo,
    kMark,
    kPause,
    kFinish,
  };
  Kind kind;
  std::size_t step = kDeclaration;
  std::string name;  // kMark
  WallTime time;     // kMark

  static constexpr std::size_t kDeclaration = SIZE_MAX;  // the run itself
};

using InFlight = std::map<std::size_t, MonoTime>;  // step -> when its attempt is given up

struct Now {
  WallTime wall;
  MonoTime mono;
};

// In the order to carry out. Empty: nothing to do until something happens or time passes.
std::vector<RunCommand> decide(const RunPlan& plan, const RunState& state, const InFlight& in_flight, Now now);

// Is there anything that the engine itself will still do? False while only persons can move the run.
bool waits_for_persons_only(const RunPlan& plan, const RunState& state, const InFlight& in_flight);

}  // namespace anclora::respond
