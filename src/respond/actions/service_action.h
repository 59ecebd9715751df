// The steps that stop, start, restart and scale a service.
#pragma once

#include <memory>
#include <string_view>

#include "base/file_system.h"
#include "base/random.h"
#include "respond/runbook/action.h"

namespace anclora::respond {

// service.stop, service.start, service.restart and service.scale. Outputs: "running".
std::unique_ptr<Action> make_service_action(std::string_view name, FileSystem& files, Random& random);

}  // namespace anclora::respond
