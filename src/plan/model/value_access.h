// Typed, lenient reading of a map's values; the default where it is missing or malformed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "plan/value.h"

namespace anclora::plan {

std::string text_of(const Value& map, std::string_view key, std::string otherwise = {});
std::vector<std::string> texts_of(const Value& map, std::string_view key);
Duration duration_of(const Value& map, std::string_view key);
std::uint32_t integer_of(const Value& map, std::string_view key, std::uint32_t otherwise);
// "2.5%" -> 2.5; zero where it is missing.
double percent_of(const Value& map, std::string_view key);
bool boolean_of(const Value& map, std::string_view key, bool otherwise);
// The items of the list under `key` that are maps; empty when it is no list.
std::vector<const Value*> maps_of(const Value& map, std::string_view key);
// The place of the value under `key`, or the map's own.
Place place_of(const Value& map, std::string_view key);

}  // namespace anclora::plan
