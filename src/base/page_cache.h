// Hints about files to the system. They change nothing but time.
#pragma once

#include <string>

#include "base/file_system.h"

namespace anclora {

// What is synced of this file is hardly read soon: the system need not keep it in memory. A page that goes back at once
// is the next one written to, while it is warm; written to cold ones, files take several times the time of the
// processor. Only of the real file system; without it, and on failure, nothing happens.
void let_go_of_pages(const FileSystem& files, const std::string& path);

}  // namespace anclora
