// How a command's failure reaches the person and the script that ran it.
#pragma once

#include "app/cli/command_context.h"

namespace anclora::app {

// On standard error: the message and the next step (the error's own hint, else what its kind allows). Returns the
// process exit code.
int print_error(const CommandContext& context, const Error& error);
// The same, and with --json on standard output too: for a command that printed nothing there.
int print_failure(const CommandContext& context, const Error& error);
// The last thing of every command: its exit code, or, where that is 0 and standard output could not be written, that
// error's; told on standard error in any case.
int end_of_output(const CommandContext& context, int code);

}  // namespace anclora::app
