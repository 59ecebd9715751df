#include "plan/schema/json_schema.h"

#include <nlohmann/json.hpp>

#include "plan/schema/plan_schema.h"
#include "plan/schema/target_schema.h"

namespace anclora::plan {
namespace {

using Json = nlohmann::ordered_json;

Json schema_of(const Parameter& parameter);

std::vector<const Parameter*> pointers_to(const std::vector<Parameter>& parameters) {
  std::vector<const Parameter*> pointers;
  pointers.reserve(parameters.size());
  for (const Parameter& parameter : parameters) pointers.push_back(&parameter);
  return pointers;
}

Json object_of(const std::vector<const Parameter*>& keys) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const Parameter* key : keys) {
    properties[key->name] = schema_of(*key);
    if (key->required) required.push_back(key->name);
  }
  Json object = {{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (!required.empty()) object["required"] = std::move(required);
  return object;
}

// One alternative for each kind and driver.
Json variants_of(const Parameter& parameter) {
  Json alternatives = Json::array();
  const auto add = [&](const std::string& kind, const std::string& driver) {
    Json object = object_of(keys_of(parameter, kind, driver));
    object["properties"]["kind"] = {{"const", kind}};
    if (!driver.empty()) object["properties"]["driver"] = {{"const", driver}};
    alternatives.push_back(std::move(object));
  };
  for (const TargetSchema& schema : parameter.variant == Variant::kTarget ? target_schemas() : channel_schemas()) {
    if (schema.drivers.empty()) add(schema.kind, "");
    for (const DriverSchema& driver : schema.drivers) add(schema.kind, driver.name);
  }
  return {{"oneOf", std::move(alternatives)}};
}

// What `with` takes follows from `uses` beside it.
Json with_action(Json object, const Parameter& uses) {
  Json rules = Json::array();
  const std::string prefix = uses.choices.empty() ? "" : uses.choices.front();
  for (const ActionSchema& action : action_catalogue()) {
    if (!action.name.starts_with(prefix)) continue;
    rules.push_back({{"if", {{"properties", {{"uses", {{"const", action.name}}}}}}},
                     {"then", {{"properties", {{"with", object_of(pointers_to(action.parameters))}}}}}});
  }
  object["allOf"] = std::move(rules);
  return object;
}

Json item_of(const Parameter& parameter) {
  if (parameter.variant != Variant::kNone) return variants_of(parameter);
  Json object = object_of(keys_of(parameter, "", ""));
  for (const Parameter& field : parameter.fields)
    if (field.type == ParameterType::kAction) return with_action(std::move(object), field);
  return object;
}

Json actions_named(const std::string& prefix) {
  Json names = Json::array();
  for (const ActionSchema& action : action_catalogue())
    if (action.name.starts_with(prefix)) names.push_back(action.name);
  return {{"enum", std::move(names)}};
}

Json type_of(const Parameter& parameter) {
  switch (parameter.type) {
    case ParameterType::kObject:
    case ParameterType::kWith:
      return parameter.type == ParameterType::kWith ? Json{{"type", "object"}} : object_of(keys_of(parameter, "", ""));
    case ParameterType::kMap:
    case ParameterType::kObjectList:
      return {{"type", "array"}, {"items", item_of(parameter)}};
    case ParameterType::kTextList:
    case ParameterType::kTargetList:
    case ParameterType::kContactList:
    case ParameterType::kArguments:
    case ParameterType::kIdList:
    case ParameterType::kStepList:
      return {{"type", "array"}, {"items", {{"type", {"string", "number", "boolean"}}}}};
    case ParameterType::kInteger:
      return {{"type", "integer"}, {"minimum", 0}};
    case ParameterType::kNumber:
      return {{"type", "number"}};
    case ParameterType::kBoolean:
      return {{"type", "boolean"}};
    case ParameterType::kChoice:
      return {{"enum", parameter.choices}};
    case ParameterType::kAction:
      return actions_named(parameter.choices.empty() ? "" : parameter.choices.front());
    default:
      return {{"type", {"string", "number", "boolean"}}};
  }
}

Json schema_of(const Parameter& parameter) {
  Json schema = type_of(parameter);
  if (!parameter.help.empty()) schema["description"] = parameter.help;
  return schema;
}

}  // namespace

std::string json_schema() {
  Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", "Anclora DR recovery plan"}};
  schema.update(object_of(pointers_to(plan_schema())));
  return schema.dump(1) + "\n";
}

}  // namespace anclora::plan
