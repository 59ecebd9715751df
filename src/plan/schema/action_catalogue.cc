#include <algorithm>
#include <string_view>

#include "plan/schema/catalogue_parts.h"

namespace anclora::plan {
namespace {

std::vector<ActionSchema> make_catalogue() {
  std::vector<ActionSchema> actions;
  add_probe_actions(actions);
  add_redis_actions(actions);
  add_service_actions(actions);
  add_people_actions(actions);
  add_future_actions(actions);
  std::ranges::sort(actions, {}, &ActionSchema::name);
  return actions;
}

}  // namespace

const std::vector<ActionSchema>& action_catalogue() {
  static const std::vector<ActionSchema> actions = make_catalogue();
  return actions;
}

const ActionSchema* find_action(std::string_view name) {
  const auto& actions = action_catalogue();
  const auto found =
      std::ranges::lower_bound(actions, name, {}, [](const ActionSchema& a) { return std::string_view(a.name); });
  return found != actions.end() && found->name == name ? &*found : nullptr;
}

}  // namespace anclora::plan
