#include "respond/runbook/kept_copies.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/write_file.h"

namespace anclora::respond {

std::string kept_copy_path(std::string_view path, std::string_view run, std::string_view step) {
  return fmt::format("{}.before-{}-{}", path, run, step);
}

std::vector<std::string> removable_copies(const RunPlan& plan, const RunState& state, WallTime now, CopyPolicy policy) {
  if (!state.over() || !state.ended) return {};
  if (std::ranges::any_of(state.steps, [](const StepStatus& step) { return step.undo_requested || step.undoing; }))
    return {};
  const bool window_is_over = state.finished && !state.aborted && now > *state.ended + plan.undo_window;
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < state.steps.size(); ++i) {
    const StepStatus& step = state.steps[i];
    const auto copy = step.kept.find("copy");
    if (copy == step.kept.end()) continue;
    // Whatever a journal says, nothing but such a copy is ever removed.
    if (!copy->second.ends_with(kept_copy_path("", state.run, plan.steps[i].step.id))) continue;
    if (policy == CopyPolicy::kAll || window_is_over || step.state == StepState::kUndone) paths.push_back(copy->second);
  }
  return paths;
}

Result<bool> remove_kept_copy(FileSystem& files, const std::string& path) {
  if (const Status removed = files.remove(path); !removed) {
    if (removed.error().kind() == ErrorKind::kNotFound) return false;
    return removed.error();
  }
  RETURN_IF_ERROR(files.sync_directory(parent_folder(path)));
  return true;
}

}  // namespace anclora::respond
