// How far a mirror has come, kept on the machine where `anclora mirror` runs: `status` tells it of both repositories.
#pragma once

#include <string>
#include <vector>

#include "base/file_system.h"
#include "storage/repository/mirror.h"

namespace anclora::app {

struct MirrorNote {
  std::string from, to;  // places, as place_of() names them
  WallTime as_of;        // the copy is complete as of this
  std::map<std::string, storage::MirroredEntry> newest;
};

// Replaces the note of the same two places. It is only told, so it need not survive a crash of the machine.
Status write_mirror_note(FileSystem& files, const std::string& folder, const MirrorNote& note);
// Those that are about `place`, as origin or as mirror. One that cannot be read says nothing.
Result<std::vector<MirrorNote>> mirror_notes_about(FileSystem& files, const std::string& folder,
                                                   const std::string& place);

}  // namespace anclora::app
