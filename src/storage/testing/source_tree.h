// Where the sources are, for tests that start scripts of ours.
#pragma once

#include <string>

namespace anclora::storage {

// The path of a file of the source tree ("tests/s3/rgw.sh"): below ANCLORA_SOURCE_DIR when that is set, else below the
// tree that this was compiled from.
std::string source_path(const std::string& relative);

}  // namespace anclora::storage
