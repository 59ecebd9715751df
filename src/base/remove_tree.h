// A folder with all that is in it.
#pragma once

#include <string>

#include "base/file_system.h"

namespace anclora {

// Links are removed, never followed. Ok when there is nothing of that name; else the first error, after all that could
// be removed was.
Status remove_tree(FileSystem& files, const std::string& path);

}  // namespace anclora
