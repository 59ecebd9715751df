// exec: a program of the target's allow-list, from an argv, without a shell. What it did cannot be looked at, so it is
// never repeated by the engine once it may have begun; with `check: true` it changes nothing and may be.
#pragma once

#include <memory>

#include "base/file_system.h"
#include "base/random.h"
#include "respond/runbook/action.h"

namespace anclora::respond {

// `files` holds the program's output until it ends, in $TMPDIR or /tmp. Both outlive the action.
std::unique_ptr<Action> make_exec_action(FileSystem& files, Random& random);

}  // namespace anclora::respond
