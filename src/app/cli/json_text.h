// JSON as every command prints it. Paths, names and notes come from outside: a byte that is no UTF-8 is replaced, as
// nothing that was done may go untold because of it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace anclora::app {

inline std::string json_text(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace anclora::app
