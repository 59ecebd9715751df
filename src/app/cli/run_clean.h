// `run clean`: what runs kept for an undo that nobody can ask for any more is removed.
#pragma once

#include <string>
#include <vector>

#include "app/cli/command_context.h"

namespace anclora::app {

struct CleanedRuns {
  std::vector<std::string> removed;  // paths
  std::vector<Error> problems;       // of a run that cannot be read, of a copy that cannot be removed
};
// Of every run of this machine. Called whenever a run has ended, too.
CleanedRuns remove_unneeded_copies(const CommandContext& context);

void add_run_clean(CLI::App& run, CommandContext& context);

}  // namespace anclora::app
