// `anclora drill report`: the DR test report, from the drill's record and the journals of its runs.
#pragma once

#include "app/cli/command_context.h"

namespace anclora::app {

void add_drill_report_command(CLI::App& drill, CommandContext& context);

}  // namespace anclora::app
