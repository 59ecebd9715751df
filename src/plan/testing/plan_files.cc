#include "plan/testing/plan_files.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace anclora::plan {

std::string source_file(const std::string& relative) {
  const char* given = std::getenv("ANCLORA_SOURCE_DIR");
  const std::string path = std::string(given != nullptr ? given : ANCLORA_COMPILED_SOURCE_DIR) + "/" + relative;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    std::abort();
  }
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

}  // namespace anclora::plan
