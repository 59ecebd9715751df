// The command line: parses it, runs one command, prints its error. Exit codes: docs/exit-codes.md.
#pragma once

namespace anclora::app {

int run_command_line(int argc, char** argv);

}  // namespace anclora::app
