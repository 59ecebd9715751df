#include "base/testing/temporary_directory.h"

#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace anclora {

TemporaryDirectory::TemporaryDirectory() : path_((std::filesystem::temp_directory_path() / "anclora-XXXXXX").string()) {
  if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot create " + path_);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;  // a directory that stays behind must not hide the test's own failure
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace anclora
