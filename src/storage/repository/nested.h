// Repositories inside other repositories, found before one is made: the inner one would be foreign to the outer one,
// and go with it. Reads only; needs no key.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "storage/store/store.h"

namespace anclora::storage {

// Whether these bytes are a repository's configuration, of whatever version.
bool is_repository_config(ByteView text);

// Whether the store's root holds a repository. Also "no" where this user may not look.
Result<bool> holds_repository(ReadStore& store);
bool holds_repository(FileSystem& files, const std::string& folder);

struct BelowSearch {
  std::optional<std::string> found;  // relative to the root: "a/b"
  bool cut_short = false;            // there was more below than `limit` folders
};
// The nearest repository below the root, the root itself left out; at most `limit` folders (prefixes) are looked into,
// the nearest first, what may not be read is skipped. A root that is missing, or is itself a repository, has none.
Result<BelowSearch> repository_below(ReadStore& store, std::size_t limit);
BelowSearch repository_below(FileSystem& files, const std::string& folder, std::size_t limit);

}  // namespace anclora::storage
