// rdb:PATH and rdb:s3://...: one plain RDB as of a recovery point, readable by everything. The base alone where the
// point is a base's; else saved by a scratch server.
#pragma once

#include <functional>
#include <string>

#include "protect/restore/scratch_restore.h"

namespace anclora::protect {

// Where it goes: a path, or (when given) an upload of the finished file.
struct RdbDestination {
  std::string path;  // for the upload: a name for messages
  std::function<Status(const std::string& file)> upload;
};

struct RdbOutcome {
  std::uint64_t rdb_bytes = 0;
  std::uint32_t rdb_version = 0;
  std::uint64_t commands = 0;
  bool scratch_server = false;
  std::vector<RestoreCheck> checks;
  std::vector<std::string> notes;  // on what interrupted restores left beside it
};

// True when a scratch server is needed: the plan says so.
bool rdb_needs_scratch(const RestorePlan& plan);

// kAlreadyExists when something stands there, a link included.
Status require_free_file(FileSystem& files, const std::string& path);

// The file appears under `path` whole and synced, or not at all. kAlreadyExists when the name is taken.
Result<RdbOutcome> restore_to_rdb(RestoreInput input, const RestorePlan& plan, const RdbDestination& destination,
                                  const ScratchSettings& settings, const RestoreTools& tools,
                                  const OnRestoreProgress& on_progress);

}  // namespace anclora::protect
