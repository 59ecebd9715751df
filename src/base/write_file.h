// Small files written whole and durably, each step of it through the FileSystem that is given. Any thread.
#pragma once

#include <string>

#include "base/file_system.h"

namespace anclora {

// The folder of `path`; "." where it names none.
std::string parent_folder(const std::string& path);

// Creates `path` with these bytes and syncs it, not its folder. kAlreadyExists when it is there; what an error leaves
// may be a part.
Status write_file(FileSystem& files, const std::string& path, ByteView bytes);

// `path` holds either what it held or these bytes, also after a power cut: written as "<path>.new" (what a killed
// process left under that name is removed) and renamed. One writer at a time.
Status replace_file(FileSystem& files, const std::string& path, ByteView bytes);

}  // namespace anclora
