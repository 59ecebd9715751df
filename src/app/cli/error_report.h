// How a command's failure reaches the person and the script that ran it.
#pragma once

#include "app/cli/command_context.h"

namespace anclora::app {

// On standard error: the message and the next step (the error's own hint, else what its kind allows). Returns the
// process exit code.
int print_error(const CommandContext& context, const Error& error);
// The same, and with --json on standard output too: for a command that printed nothing there.
int print_failure(const CommandContext& context, const Error& error);

}  // namespace anclora::app
