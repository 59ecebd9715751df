// Reads a folder store's tree into a Listing, without following links.
#pragma once

#include <string>
#include <string_view>

#include "storage/store/store.h"

namespace anclora::storage {

// Entries that vanish while it walks are left out. A missing root is an empty listing. Where `delimited`, a directory
// without an object in it is foreign, "a/b/".
Result<Listing> walk_folder(FileSystem& files, const std::string& root, std::string_view prefix, bool delimited);

}  // namespace anclora::storage
