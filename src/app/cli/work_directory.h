// --work-dir of the commands that a person gives.
#pragma once

#include <string>

#include "base/file_system.h"

namespace anclora::app {

// kInvalidArgument unless it is a folder that is there: a missing one would be made, filled and left behind.
Status require_work_directory(FileSystem& files, const std::string& path);

}  // namespace anclora::app
