// The door of this room: a plan file's bytes to the typed plan with everything that is wrong about it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/finding.h"
#include "plan/measurement.h"
#include "plan/plan.h"

namespace anclora::plan {

struct CheckedPlan {
  std::optional<Plan> plan;  // nothing when the file is no YAML that a plan can be read from
  Findings findings;         // sorted by place

  bool usable() const { return plan.has_value() && !has_errors(findings); }
};

struct CheckOptions {
  std::optional<WallTime> now;  // without it no drill is overdue
  // What the drill records say; nothing: they are not known, and no finding is made of them.
  std::optional<std::vector<DrillResult>> drills;
};

// Reads, judges and proves. `file` is the name for messages. Thread rule: any thread.
CheckedPlan check_plan(std::string_view file, std::string_view bytes, const CheckOptions& options = {});

// The plan when it has no errors, else kInvalidArgument with the first errors as text (file:line:column) and the hint
// to run `anclora plan check`. For whoever executes a plan. The hash is in Plan::hash_hex.
Result<Plan> read_plan(std::string_view file, std::string_view bytes);

// The plan that a run, an incident or a drill was begun with, from its own copy: it was judged then. What a later
// version would refuse keeps nobody from going on with it. kInvalidArgument only where the bytes are no plan at all;
// whether they are still those of then, the caller sees by Plan::hash_hex.
Result<Plan> read_kept_plan(std::string_view file, std::string_view bytes);

}  // namespace anclora::plan
