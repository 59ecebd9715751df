#include "plan/model/value_access.h"

#include <cstdlib>

#include "base/whole_number.h"
#include "plan/schema/span.h"

namespace anclora::plan {

std::string text_of(const Value& map, std::string_view key, std::string otherwise) {
  const Value* value = map.find(key);
  return value == nullptr || value->kind != ValueKind::kScalar ? std::move(otherwise) : value->text;
}

std::vector<std::string> texts_of(const Value& map, std::string_view key) {
  std::vector<std::string> texts;
  if (const Value* list = map.find(key))
    for (const Value& item : list->items)
      if (item.kind == ValueKind::kScalar) texts.push_back(item.text);
  return texts;
}

Duration duration_of(const Value& map, std::string_view key) {
  return parse_span(text_of(map, key)).value_or(Duration::zero());
}

std::uint32_t integer_of(const Value& map, std::string_view key, std::uint32_t otherwise) {
  return whole_number<std::uint32_t>(text_of(map, key)).value_or(otherwise);
}

double percent_of(const Value& map, std::string_view key) { return std::strtod(text_of(map, key).c_str(), nullptr); }

bool boolean_of(const Value& map, std::string_view key, bool otherwise) {
  const std::string text = text_of(map, key);
  return text == "true" ? true : text == "false" ? false : otherwise;
}

std::vector<const Value*> maps_of(const Value& map, std::string_view key) {
  std::vector<const Value*> maps;
  if (const Value* list = map.find(key))
    for (const Value& item : list->items)
      if (item.kind == ValueKind::kMap) maps.push_back(&item);
  return maps;
}

Place place_of(const Value& map, std::string_view key) {
  const Value* value = map.find(key);
  return value == nullptr ? map.place : value->place;
}

}  // namespace anclora::plan
