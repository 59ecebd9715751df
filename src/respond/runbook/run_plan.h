// One scenario made ready to run: its steps in order, who waits for whom, what their actions promise. Immutable.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "plan/action_schema.h"
#include "plan/plan.h"

namespace anclora::respond {

struct RunStep {
  plan::Step step;
  bool after = false;  // post-recovery work: not in the RTO, begins when all others are settled
  bool gate = false;   // a condition of the scenario's `restored`, made a wait.until behind all steps
  bool mutates = true;
  bool idempotent = true;
  bool undoable = false;
  bool lacks_action = false;       // this version cannot execute it: kShown only
  bool by_person = false;          // it waits for a person, who may settle it while it runs
  std::vector<std::size_t> needs;  // indices
  Duration timeout{};              // never zero
};

// "restored:<probe>": no step of a user has such an id.
inline constexpr std::string_view kGatePrefix = "restored:";

// A scenario's steps and after; of a drill its preparation, its disaster, its cleanup.
enum class RunPart : std::uint8_t { kRecovery, kInject, kPrepare, kCleanup };
// "recovery", "inject", "prepare", "cleanup": as in the journal; anything else reads as recovery.
std::string_view to_string(RunPart part);
RunPart part_named(std::string_view name);

struct RunPlan {
  std::string scenario;
  std::string title;
  RunPart part = RunPart::kRecovery;
  std::vector<RunStep> steps;
  std::optional<plan::Approval> declare;
  Duration rto{};      // zero: no objective
  Duration rto_max{};  // likewise
  Duration undo_window{};

  // The index of a step, or nullopt.
  std::optional<std::size_t> index_of(std::string_view id) const;
};

// plan::find_action, or a test's own.
using ActionLookup = std::function<const plan::ActionSchema*(std::string_view)>;

// What becomes of a step whose action this version lacks: a run must not begin with one, a dry run shows it.
enum class LackedActions : std::uint8_t { kRefused, kShown };

// kNotFound naming the scenarios there are; kInvalidArgument for needs that lead nowhere or round in a circle,
// kUnsupported for an action that this version lacks: all with the place in the file.
Result<RunPlan> prepare_run(const plan::Plan& plan, std::string_view scenario, RunPart part, const ActionLookup& lookup,
                            LackedActions lacked = LackedActions::kRefused);

}  // namespace anclora::respond
