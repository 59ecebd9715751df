// No repository inside another: refused before anything is written.
#pragma once

#include <string>

#include "app/cli/command_context.h"

namespace anclora::app {

// kFailedPrecondition, naming the other one, where `repo` lies inside a repository or a repository lies inside it.
// Where there was more below than is looked through, a note on standard error says so.
Status refuse_nested_place(const CommandContext& context, const std::string& repo);

}  // namespace anclora::app
