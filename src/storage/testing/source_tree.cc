#include "storage/testing/source_tree.h"

#include <cstdlib>

namespace anclora::storage {

std::string source_path(const std::string& relative) {
  const char* given = std::getenv("ANCLORA_SOURCE_DIR");
  return std::string(given != nullptr ? given : ANCLORA_COMPILED_SOURCE_DIR) + "/" + relative;
}

}  // namespace anclora::storage
