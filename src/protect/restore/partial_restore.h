// What a restore to dir: or rdb: writes before it is whole: "<path>.partial-<8 hex digits>", a file, or a directory
// with the data directory inside. Its writer holds a lock on it (the file itself; kPartialLock in the directory), which
// the operating system frees when the process dies.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/random.h"

namespace anclora::protect {

inline constexpr std::string_view kPartialLock = "restoring.lock";

std::string partial_name(const std::string& path, Random& random);

// Removes those of `path` that no living process holds. Never fails: one note on each, also on what could not be
// removed.
std::vector<std::string> remove_dead_partials(FileSystem& files, const std::string& path);

}  // namespace anclora::protect
