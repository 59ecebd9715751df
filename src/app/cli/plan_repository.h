// Which repository a command takes that has a plan. The plan wins over ANCLORA_REPO, which may be of another day:
// claims and copies must be where every other machine with this plan looks for them.
#pragma once

#include <string>

#include "app/cli/command_context.h"
#include "plan/plan.h"

namespace anclora::app {

// --repo names the repository; not only ANCLORA_REPO. (Where both say the same, the variable counts.)
bool repository_is_typed(const CommandContext& context);
// The plan's first target of kind repository, as it is in that environment; nullptr: it has none.
const plan::Target* repository_target(const plan::Plan& plan, const std::string& environment);
// The one that --repo names, else `of_plan` where that is not empty, else ANCLORA_REPO's. What is passed over is told
// on standard error, before anything is done.
std::string choose_repository(const CommandContext& context, const std::string& of_plan);
// kInvalidArgument when only ANCLORA_REPO says where a run's copy is, and its plan names another repository: who else
// has the run would not see a claim there.
Status refuse_another_repository(const CommandContext& context, const plan::Plan& plan);

}  // namespace anclora::app
