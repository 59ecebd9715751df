// The copies of settings files that a run kept beside them for its undo. They hold old passwords: once no undo can ask
// for them, they are removed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "respond/runbook/run_plan.h"
#include "respond/runbook/run_state.h"

namespace anclora::respond {

// "<path>.before-<run>-<step>".
std::string kept_copy_path(std::string_view path, std::string_view run, std::string_view step);

enum class CopyPolicy : std::uint8_t {
  // Of a run that is over: of each step that was undone, and once the run is finished and its undo window is over, of
  // all. An aborted run may be undone at any time.
  kNotNeeded,
  // Of a run that is over, of every step: it cannot be undone afterwards.
  kAll,
};
// Paths, in the order of the steps; none while the run goes on or something of it is being undone. Pure.
std::vector<std::string> removable_copies(const RunPlan& plan, const RunState& state, WallTime now, CopyPolicy policy);

// Durable. False: it was not there.
Result<bool> remove_kept_copy(FileSystem& files, const std::string& path);

}  // namespace anclora::respond
