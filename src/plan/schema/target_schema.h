// Which settings a target takes, by its kind and, where it has drivers, by its driver; the same for channels.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/action_schema.h"

namespace anclora::plan {

struct DriverSchema {
  std::string name;  // "supervisor"
  std::vector<Parameter> parameters;
  bool available = true;
  Plane plane = Plane::kData;  // of a change through it
};

struct TargetSchema {
  std::string kind;  // "service"
  std::string help;
  std::vector<Parameter> parameters;  // whatever the driver
  std::vector<DriverSchema> drivers;  // empty: the kind has none
};

// Sorted by kind. Thread rule: constant.
const std::vector<TargetSchema>& target_schemas();
const TargetSchema* find_target_schema(std::string_view kind);
const DriverSchema* find_driver(const TargetSchema& schema, std::string_view driver);

// Kinds of notification channels: smtp, webhook, pagerduty, evolution, command.
const std::vector<TargetSchema>& channel_schemas();
const TargetSchema* find_channel_schema(std::string_view kind);

}  // namespace anclora::plan
