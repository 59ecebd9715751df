// The alphabet of object names (the rule stands in store.h), and how a name that breaks it is shown.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace anclora::storage {

inline constexpr std::size_t kMaxObjectNameBytes = 512;
inline constexpr std::size_t kMaxComponentBytes = 128;

bool is_object_name(std::string_view name);
bool is_object_name_component(std::string_view component);
// kInvalidArgument unless some legal name could begin with `prefix` ("" included).
Status check_list_prefix(std::string_view prefix);
// `name` with every byte outside printable ASCII (and the backslash) as \xNN: safe for a terminal and a log.
std::string printable_name(std::string_view name);

}  // namespace anclora::storage
