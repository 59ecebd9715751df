// Mode and owner of a real file, for whoever replaces a file that belongs to another program.
#pragma once

#include <string>

#include "base/result.h"

namespace anclora {

// Gives `to` the mode, owner and group of `from`. Where this process may not change the owner it is enough that
// everybody may read the file; otherwise the error names the owner. No such file: nothing is done. Any thread.
Status copy_permissions(const std::string& from, const std::string& to);

}  // namespace anclora
