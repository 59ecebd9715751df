// Mode and owner of a real file, for whoever replaces a file that belongs to another program.
#pragma once

#include <string>

#include "base/result.h"

namespace anclora {

// Gives `to` the mode, owner and group of `from`. Where this process may not change the owner it is enough that
// everybody may read the file; otherwise the error names the owner. No such file: nothing is done. Any thread.
Status copy_permissions(const std::string& from, const std::string& to);

// For what was just made as `path` and is open as `fd`: made by root in a folder that is private to another user (mode
// 0700), it becomes that user's. So the service that owns the folder can read what root adds to it. A file with
// several names is not given away. Anywhere else, for anybody else, and where the system refuses it, nothing changes.
// Any thread.
void give_to_owner_of_folder(int fd, const std::string& path);

}  // namespace anclora
