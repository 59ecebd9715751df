// What people put into a repository's folder by mistake is foreign to it, lies there unencrypted, and goes with it.
#pragma once

#include <string>

#include "base/file_system.h"
#include "base/result.h"

namespace anclora::app {

// kFailedPrecondition with `hint` when `path` (or file:///path) lies inside the folder of a repository; a repository
// itself does not, and nothing in S3 does.
Status refuse_inside_repository(FileSystem& files, const std::string& path, const std::string& hint);

}  // namespace anclora::app
