// What a watch of a plan's probes says: their states, the rules' verdicts. For `detect`, `serve` and its API.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "respond/detect/watcher.h"

namespace anclora::app {

nlohmann::ordered_json to_json(const respond::ProbeView& probe);
nlohmann::ordered_json to_json(const respond::RuleVerdict& verdict);
// "redis-answers at here: down since 12:00:01, connection refused"
std::string to_text(const respond::ProbeView& probe);
// "redis-gone: confirmed, out since 12:00:01; redis-answers at here: down ..."
std::string to_text(const respond::RuleVerdict& verdict);

}  // namespace anclora::app
