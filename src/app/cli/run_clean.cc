#include "app/cli/run_clean.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/json_text.h"
#include "app/cli/run_site.h"
#include "respond/runbook/kept_copies.h"
#include "respond/runbook/run_folder.h"

namespace anclora::app {
namespace {

void remove_copies_of(const CommandContext& context, const StoredRun& stored, respond::CopyPolicy policy,
                      CleanedRuns& cleaned) {
  for (const std::string& path :
       respond::removable_copies(stored.run, stored.state, context.clock.wall_now(), policy)) {
    const auto removed = respond::remove_kept_copy(context.files, path);
    if (!removed)
      cleaned.problems.push_back(removed.error());
    else if (*removed)
      cleaned.removed.push_back(path);
  }
}

// Of one run all of them, whether or not it could still be undone.
Result<CleanedRuns> clean_one(const CommandContext& context, const std::string& run) {
  RETURN_IF_ERROR(respond::check_run_id(run));
  ASSIGN_OR_RETURN(const StoredRun stored, read_run(context, run));
  if (!stored.state.over())
    return Error(ErrorKind::kFailedPrecondition, run + " is not over: an undo may need what it kept",
                 "see what it waits for: anclora run status --run " + run);
  CleanedRuns cleaned;
  remove_copies_of(context, stored, respond::CopyPolicy::kAll, cleaned);
  return cleaned;
}

Result<int> clean(CommandContext& context, const std::string& run) {
  CleanedRuns cleaned;
  if (run.empty()) {
    cleaned = remove_unneeded_copies(context);
  } else {
    ASSIGN_OR_RETURN(cleaned, clean_one(context, run));
  }
  if (context.options.json) {
    context.out << json_text({{"removed", cleaned.removed}});
  } else {
    for (const std::string& path : cleaned.removed) context.out << "removed " << path << "\n";
    if (cleaned.removed.empty()) context.out << "nothing to remove\n";
  }
  if (cleaned.problems.empty()) return 0;
  // The last is the command's own error.
  for (std::size_t i = 0; i + 1 < cleaned.problems.size(); ++i)
    context.err << "problem: " << cleaned.problems[i].to_string() << "\n";
  return cleaned.problems.back();
}

}  // namespace

CleanedRuns remove_unneeded_copies(const CommandContext& context) {
  CleanedRuns cleaned;
  const auto runs = respond::list_runs(context.files, runs_folder(context));
  if (!runs) {
    cleaned.problems.push_back(runs.error());
    return cleaned;
  }
  for (const std::string& run : *runs) {
    const auto stored = read_run(context, run);
    if (stored)
      remove_copies_of(context, *stored, respond::CopyPolicy::kNotNeeded, cleaned);
    else
      cleaned.problems.push_back(stored.error());
  }
  return cleaned;
}

void add_run_clean(CLI::App& run, CommandContext& context) {
  const auto named = std::make_shared<std::string>();
  CLI::App* command = run.add_subcommand("clean", "remove copies of settings that no undo can ask for any more");
  command->add_option("--run", *named, "of this run, which is over, all of them: it cannot be undone afterwards");
  command->footer("Example: anclora run clean");
  command->callback([&context, named] { context.action = [&context, named] { return clean(context, *named); }; });
}

}  // namespace anclora::app
