#include "app/cli/run_site.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <ostream>

#include "app/cli/plan_repository.h"
#include "app/daemon/state_folder.h"
#include "base/secret_file.h"
#include "plan/read_plan.h"
#include "respond/runbook/run_folder.h"
#include "respond/runbook/step_context.h"

namespace anclora::app {
namespace {

constexpr Duration kRepositoryPatience = std::chrono::seconds(1);

std::string setting(const plan::Target& target, const char* name) {
  const plan::Value* value = target.settings.find(name);
  return value == nullptr ? std::string() : value->text;
}

bool is_away(const Error& error) {
  return error.kind() == ErrorKind::kUnavailable || error.kind() == ErrorKind::kDeadlineExceeded;
}

}  // namespace

Result<storage::Unlock> unlock_target(const CommandContext& context, const plan::Target& target,
                                      const std::function<Result<Secret>(std::string_view)>& resolve) {
  const std::string passphrase = setting(target, "passphrase");
  const std::string file = setting(target, "passphrase_file");
  if (passphrase.empty() && file.empty()) return context.unlock(false);
  storage::Unlock unlock;
  ASSIGN_OR_RETURN(unlock.passphrase, resolve(passphrase.empty() ? file : passphrase));
  if (!passphrase.empty() || file.starts_with("file:")) return unlock;
  ASSIGN_OR_RETURN(unlock.passphrase, read_secret_file(context.files, unlock.passphrase->reveal()));
  return unlock;
}

std::string runs_folder(const CommandContext& context) { return state_root(context.environment) + "/runs"; }

Result<std::string> choose_run(const CommandContext& context, const std::string& run) {
  if (!run.empty()) {
    RETURN_IF_ERROR(respond::check_run_id(run));
    return run;
  }
  ASSIGN_OR_RETURN(const auto runs, respond::list_runs(context.files, runs_folder(context)));
  if (!runs.empty()) return runs.back();
  return Error(ErrorKind::kNotFound, runs_folder(context) + " holds no run",
               "start one: anclora run start SCENARIO --plan FILE");
}

std::string runner_name() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  return fmt::format("{}:{}", host.data(), ::getpid());
}

Result<StoredRun> read_run(const CommandContext& context, const std::string& run) {
  StoredRun stored;
  stored.folder = runs_folder(context) + "/" + run;
  auto journal = respond::read_journal(context.files, stored.folder);
  if (!journal && journal.error().kind() == ErrorKind::kNotFound) {
    ASSIGN_OR_RETURN(const auto runs, respond::list_runs(context.files, runs_folder(context)));
    return Error(ErrorKind::kNotFound, fmt::format("there is no run {} on this machine", run),
                 runs.empty() ? "take over another machine's: anclora run resume --run RUN --take-over --repo REPO"
                              : fmt::format("there are: {}", fmt::join(runs, ", ")));
  }
  if (!journal) return journal.error();
  stored.journal = std::move(*journal);
  if (stored.journal.records.empty())
    return Error(ErrorKind::kNotFound, "the journal of " + run + " is empty: it has not begun, or its records are lost",
                 fmt::format("see whether the repository has a copy of it: anclora run resume --take-over --run {} "
                             "--repo REPO; it had not begun: start a new run",
                             run));
  const respond::RunRecord& first = stored.journal.records.front();
  ASSIGN_OR_RETURN(const Bytes bytes, respond::read_frozen_plan(context.files, stored.folder));
  ASSIGN_OR_RETURN(stored.plan, plan::read_kept_plan(first.field("plan_file"), bytes));
  if (stored.plan.hash_hex != first.field("plan_hash"))
    return Error(
        ErrorKind::kDataLoss, stored.folder + "/plan.yaml was changed since the run began",
        "its objectives and rules would be another plan's: put the file back from a copy, or take the run over "
        "from the repository's: anclora run resume --take-over --run " +
            run);
  const auto part = respond::part_named(first.field("part"));
  ASSIGN_OR_RETURN(stored.run, respond::prepare_run(stored.plan, first.field("scenario"), part, plan::find_action));
  ASSIGN_OR_RETURN(stored.state, respond::replay(stored.run, stored.journal));
  stored.has_runner = !respond::lock_run(context.files, stored.folder).has_value();
  return stored;
}

Result<std::unique_ptr<RunRepository>> open_run_repository(const CommandContext& context, const plan::Plan& plan,
                                                           const std::string& environment, bool begun) {
  const plan::Target* target = repository_target(plan, environment);
  std::string of_plan;
  if (target != nullptr) {
    const auto resolved = respond::resolve_reference(context.files, context.environment, setting(*target, "url"));
    if (!resolved && !repository_is_typed(context)) return resolved.error();
    if (resolved) of_plan = resolved->reveal();
  }
  const std::string url = choose_repository(context, of_plan);
  if (url.empty()) return std::unique_ptr<RunRepository>();
  ASSIGN_OR_RETURN(auto store, context.open_store(url, kRepositoryPatience));
  const auto resolve = [&](std::string_view reference) {
    return respond::resolve_reference(context.files, context.environment, reference);
  };
  ASSIGN_OR_RETURN(const storage::Unlock unlock,
                   target == nullptr ? context.unlock(false) : unlock_target(context, *target, resolve));
  auto repository = storage::Repository::open_with_cache(*store, context.files,
                                                         state_folder(context.environment, url, "cache"), unlock);
  if (repository) return std::make_unique<RunRepository>(RunRepository{std::move(store), std::move(*repository)});
  const bool gone = begun && repository.error().kind() == ErrorKind::kNotFound;
  if (!is_away(repository.error()) && !gone) return repository.error().with_context("the plan's repository");
  context.err << "warning: the repository is away: this run has no claim in it, and no copy\n";
  return std::unique_ptr<RunRepository>();
}

}  // namespace anclora::app
