#include "app/cli/plan_repository.h"

#include <fmt/format.h>

#include <ostream>

#include "app/daemon/state_folder.h"
#include "plan/model/value_access.h"
#include "respond/runbook/step_context.h"

namespace anclora::app {

bool repository_is_typed(const CommandContext& context) {
  const std::string& given = context.options.repo;
  return !given.empty() && context.environment("ANCLORA_REPO").value_or("") != given;
}

const plan::Target* repository_target(const plan::Plan& plan, const std::string& environment) {
  for (const plan::Target& known : plan.targets)
    if (known.kind == "repository")
      if (const plan::Target* target = respond::find_target(plan, environment, known.id)) return target;
  return nullptr;
}

std::string choose_repository(const CommandContext& context, const std::string& of_plan) {
  const std::string& given = context.options.repo;
  if (given.empty() || of_plan.empty()) return given.empty() ? of_plan : given;
  if (place_of(given) == place_of(of_plan)) return of_plan;
  if (repository_is_typed(context)) {
    context.err << "note: --repo " << given << " is used, not the plan's repository\n";
    return given;
  }
  context.err << "note: the plan's repository is used, not ANCLORA_REPO's " << given
              << "; if that one is meant: env -u ANCLORA_REPO anclora ... --repo " << given << "\n";
  return of_plan;
}

Status refuse_another_repository(const CommandContext& context, const plan::Plan& plan) {
  const plan::Target* target = repository_target(plan, "");
  if (target == nullptr || repository_is_typed(context)) return {};
  ASSIGN_OR_RETURN(const Secret url, respond::resolve_reference(context.files, context.environment,
                                                                plan::text_of(target->settings, "url")));
  if (place_of(context.options.repo) == place_of(url.reveal())) return {};
  return Error(ErrorKind::kInvalidArgument,
               fmt::format("ANCLORA_REPO names {}, and the run's plan another repository ({})", context.options.repo,
                           target->id),
               "say in which one the run is to be taken over: env -u ANCLORA_REPO anclora run resume --take-over "
               "--repo REPO --run RUN");
}

}  // namespace anclora::app
