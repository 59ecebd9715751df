// The catalogue is written in parts, one a group of actions.
#pragma once

#include "plan/schema/parameters.h"

namespace anclora::plan {

void add_probe_actions(std::vector<ActionSchema>& actions);
void add_redis_actions(std::vector<ActionSchema>& actions);
void add_service_actions(std::vector<ActionSchema>& actions);
void add_people_actions(std::vector<ActionSchema>& actions);
void add_future_actions(std::vector<ActionSchema>& actions);

// The common kinds, to be changed where one differs.
inline ActionSchema observing(std::string name, std::string help, Parameters parameters) {
  ActionSchema made;
  made.name = std::move(name);
  made.help = std::move(help);
  made.parameters = std::move(parameters);
  made.mutates = false;
  made.verifies = true;
  return made;
}
inline ActionSchema changing(std::string name, std::string help, Parameters parameters) {
  ActionSchema made;
  made.name = std::move(name);
  made.help = std::move(help);
  made.parameters = std::move(parameters);
  return made;
}
inline ActionSchema undoable(ActionSchema made) {
  made.undoable = true;
  return made;
}
inline ActionSchema destructive(ActionSchema made) {
  made.destructive = true;
  return made;
}
inline ActionSchema unproven(ActionSchema made) {
  made.self_verifying = false;
  return made;
}

}  // namespace anclora::plan
