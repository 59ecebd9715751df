#include "storage/repository/source_object.h"

#include "base/whole_number.h"

namespace anclora::storage {

SourceObjectName take_apart(std::string_view name, std::string_view source_prefix) {
  SourceObjectName parts;
  if (!name.starts_with(source_prefix)) return parts;
  name.remove_prefix(source_prefix.size());
  const std::size_t first = name.find('/');
  if (first == std::string_view::npos) return parts;
  const auto timeline = whole_number<std::uint32_t>(name.substr(0, first));
  if (!timeline) return parts;
  const std::size_t second = name.find('/', first + 1);
  if (second == std::string_view::npos) return parts;
  parts.timeline = *timeline;
  parts.kind = name.substr(first + 1, second - first - 1);
  parts.rest = name.substr(second + 1);
  return parts;
}

}  // namespace anclora::storage
