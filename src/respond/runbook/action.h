// The contract between the runbook engine and what acts. The engine calls, in this order and together within the step's
// timeout: probe (is it done already? only where the catalogue says that the action changes something), execute (not
// after kYes), verify; undo on request. After a crash between intent and outcome the engine calls probe first: kYes
// goes on to verify; an attempt that journaled no change, or kNo from an idempotent action, is repeated; everything
// else is a person's question, never a blind repeat. An action that only looks (mutates false) is repeated without a
// probe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "plan/plan.h"

namespace anclora::respond {

using Outputs = std::map<std::string, std::string>;  // "position", "url", "version": never a secret

enum class Done : std::uint8_t { kNo, kYes, kUnknown };

struct Observation {
  Done done = Done::kUnknown;
  std::string current;  // what is, in the user's words
  std::string desired;  // what the step wants
  std::string call;     // the call that execute would make, for --dry-run; secrets masked
  Outputs outputs;      // with kYes: what execute would have given, for the steps that use it
};

struct Outcome {
  std::string summary;  // a line for the timeline
  Outputs outputs;
};

// What the engine lends to an action for one step. Valid during the call only.
// Thread rule: used by the thread that runs the step; cancelled() may flip at any time.
class StepContext {
 public:
  virtual ~StepContext() = default;
  virtual const plan::Plan& plan() const = 0;
  virtual const plan::Step& step() const = 0;
  // The target under this id in the run's environment; the plan was checked, so that it is there.
  virtual const plan::Target& target(std::string_view id) const = 0;
  // Reads env: and file: references; a literal is returned as it is. kNotFound names the reference, never its value.
  virtual Result<Secret> resolve(std::string_view reference) const = 0;
  // What an earlier step left; kFailedPrecondition when it has not been done (skipped or done by hand without it).
  virtual Result<Outputs> outputs_of(std::string_view step_id) const = 0;
  // When the outage began (t_out), where that is known, else when the run began; nothing in a dry run.
  virtual std::optional<WallTime> outage_began() const { return {}; }
  virtual bool drill() const = 0;
  virtual const std::string& run_id() const = 0;
  // The same for every attempt of this step in this run: for services that take one.
  virtual const std::string& idempotency_token() const = 0;
  virtual Clock& clock() = 0;
  virtual MonoTime deadline() const = 0;
  // True when the engine gave up on this attempt (timeout, abort, fenced): stop at once, change nothing more.
  virtual bool cancelled() const = 0;
  // Must be called immediately before every change to the outside: re-checks that this runner still holds the run
  // (kFenced otherwise) and makes `what` durable in the run's journal.
  virtual Status before_change(std::string_view what) = 0;
  // Keeps something that undo or a resumed run needs, durably, before the change that needs it (the old value of a
  // parameter, the process that was stopped). Read back by kept().
  virtual Status keep(std::string_view name, std::string_view value) = 0;
  virtual Outputs kept() const = 0;
  // A line for the timeline and the progress display.
  virtual void note(std::string_view text) = 0;
};

// Thread rule: one step at a time per object; the registry makes a fresh one for each attempt.
class Action {
 public:
  virtual ~Action() = default;
  // Changes nothing. An error is an answer too: the engine treats it as kUnknown and shows the message.
  virtual Result<Observation> probe(StepContext& context) = 0;
  virtual Result<Outcome> execute(StepContext& context) = 0;
  // Proof by looking, not by exit code. Ok only when the aim is reached.
  virtual Status verify(StepContext& context) = 0;
  // Brings back what was before execute, as far as kept() tells. kUnsupported where the catalogue says not undoable.
  virtual Result<Outcome> undo(StepContext& context) = 0;
  // What the steps after it find where a person did this one by hand; nothing where the plan does not tell.
  virtual Outputs left_by_hand(const plan::Step& /*step*/) const { return {}; }
};

// Makes actions by the name in `uses`. Filled by app/, which knows drivers and addresses.
class ActionRegistry {
 public:
  virtual ~ActionRegistry() = default;
  // kUnsupported names an action that this version lacks.
  virtual Result<std::unique_ptr<Action>> make(std::string_view uses) = 0;
};

}  // namespace anclora::respond
