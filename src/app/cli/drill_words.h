// What people wrote about a drill: a journal like an incident's, in the drill's folder. The record itself is never
// changed.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/cli/command_context.h"
#include "respond/incident/incident_log.h"

namespace anclora::app {

// Of this drill, or of the newest one where `drill` is empty; begun where nobody has written yet. kFailedPrecondition:
// it is not over, or had no plan that says who people are.
Result<std::unique_ptr<respond::IncidentLog>> open_drill_words(const CommandContext& context, const std::string& drill);
// Nothing: nobody has written.
Result<std::optional<respond::IncidentState>> read_drill_words(const CommandContext& context, const std::string& drill);

}  // namespace anclora::app
