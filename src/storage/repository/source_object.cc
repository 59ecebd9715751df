#include "storage/repository/source_object.h"

#include <charconv>

namespace anclora::storage {

std::optional<std::uint64_t> number(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

SourceObjectName take_apart(std::string_view name, std::string_view source_prefix) {
  SourceObjectName parts;
  if (!name.starts_with(source_prefix)) return parts;
  name.remove_prefix(source_prefix.size());
  const std::size_t first = name.find('/');
  if (first == std::string_view::npos) return parts;
  const auto timeline = number(name.substr(0, first));
  if (!timeline || *timeline > UINT32_MAX) return parts;
  const std::size_t second = name.find('/', first + 1);
  if (second == std::string_view::npos) return parts;
  parts.timeline = static_cast<std::uint32_t>(*timeline);
  parts.kind = name.substr(first + 1, second - first - 1);
  parts.rest = name.substr(second + 1);
  return parts;
}

}  // namespace anclora::storage
