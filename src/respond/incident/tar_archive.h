// A tar archive (POSIX ustar) of plain files, the same bytes for the same files: what differs from them was changed.
#pragma once

#include <map>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace anclora::respond {

// By path ("runs/r1/plan.yaml"), which is relative and has no "..".
using ArchiveFiles = std::map<std::string, Bytes>;

// Sorted by path, mode 0644, owner 0, every file of `time` (whole seconds). kInvalidArgument for a path that ustar
// cannot hold (a name beyond 100 bytes, a folder beyond 155).
Result<Bytes> write_tar(const ArchiveFiles& files, WallTime time);

// kDataLoss naming the place when it is no such archive; other kinds of entries than plain files are refused.
Result<ArchiveFiles> read_tar(ByteView archive);

}  // namespace anclora::respond
