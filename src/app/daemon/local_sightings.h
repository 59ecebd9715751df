// What this machine knows of a repository besides the repository: capture's own state and the notes of mirrors.
#pragma once

#include <string>
#include <vector>

#include "app/cli/command_context.h"
#include "protect/verify/sighting.h"

namespace anclora::app {

// How far each of `sources` had come in the repository at context.options.repo, which is `store`. What cannot be read,
// or is older than this repository (another stood at its place), says nothing.
std::vector<protect::Sighting> local_sightings(const CommandContext& context, storage::ReadStore& store,
                                               const std::vector<std::string>& sources);

}  // namespace anclora::app
