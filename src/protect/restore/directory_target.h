// dir:PATH: a data directory that redis-server 7 and later starts from with `appendonly yes`: the base as the RDB base
// of a multi-part AOF, the stream as its increment. Nothing of it expires while it is loaded.
#pragma once

#include <string>

#include "base/file_system.h"
#include "base/random.h"
#include "protect/restore/restore_progress.h"
#include "protect/restore/restore_stream.h"

namespace anclora::protect {

struct DirectoryOutcome {
  std::string path;
  std::uint64_t base_bytes = 0;
  std::uint64_t increment_bytes = 0;
  std::uint64_t commands = 0;
  std::vector<std::string> notes;  // on what interrupted restores left beside it
};

// kFailedPrecondition unless `path` is absent or an empty directory.
Status require_free_directory(FileSystem& files, const std::string& path);

// Writes beside `path` first, synced, and gives it that name when whole. kFailedPrecondition unless `path` is absent or
// an empty directory: checked first and again at the end. What was begun is removed on failure,
// what a restore that was killed left beside `path` at the beginning.
Result<DirectoryOutcome> restore_to_directory(RestoreInput input, FileSystem& files, Random& random,
                                              const std::string& path, const OnRestoreProgress& on_progress);

}  // namespace anclora::protect
