// The name of an object of a source, taken apart. For the .cc files of this folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace anclora::storage {

// "sources/<name>/<timeline>/<kind>/<rest>"; kind is empty when the name is of another shape.
struct SourceObjectName {
  std::uint32_t timeline = 0;
  std::string kind;
  std::string rest;
};
SourceObjectName take_apart(std::string_view name, std::string_view source_prefix);

}  // namespace anclora::storage
