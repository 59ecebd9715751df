// Short words to write schemas with: text("key", "help"), required(target("to", {"redis"}, "...")).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "plan/action_schema.h"

namespace anclora::plan {

using Parameters = std::vector<Parameter>;

inline Parameter parameter(std::string name, ParameterType type, std::string help,
                           std::vector<std::string> choices = {}, Parameters fields = {}) {
  Parameter made;
  made.name = std::move(name);
  made.type = type;
  made.help = std::move(help);
  made.choices = std::move(choices);
  made.fields = std::move(fields);
  return made;
}

inline Parameter required(Parameter made) {
  made.required = true;
  return made;
}
inline Parameter text(std::string name, std::string help) {
  return parameter(std::move(name), ParameterType::kText, std::move(help));
}
inline Parameter texts(std::string name, std::string help) {
  return parameter(std::move(name), ParameterType::kTextList, std::move(help));
}
inline Parameter integer(std::string name, std::string help) {
  return parameter(std::move(name), ParameterType::kInteger, std::move(help));
}
inline Parameter number(std::string name, std::string help) {
  return parameter(std::move(name), ParameterType::kNumber, std::move(help));
}
inline Parameter boolean(std::string name, std::string help) {
  return parameter(std::move(name), ParameterType::kBoolean, std::move(help));
}
inline Parameter duration(std::string name, std::string help) {
  return parameter(std::move(name), ParameterType::kDuration, std::move(help));
}
inline Parameter percent(std::string name, std::string help) {
  return parameter(std::move(name), ParameterType::kPercent, std::move(help));
}
inline Parameter choice(std::string name, std::vector<std::string> choices, std::string help) {
  return parameter(std::move(name), ParameterType::kChoice, std::move(help), std::move(choices));
}
inline Parameter target(std::string name, std::vector<std::string> kinds, std::string help) {
  return parameter(std::move(name), ParameterType::kTarget, std::move(help), std::move(kinds));
}
inline Parameter targets(std::string name, std::vector<std::string> kinds, std::string help) {
  return parameter(std::move(name), ParameterType::kTargetList, std::move(help), std::move(kinds));
}
inline Parameter step(std::string name, std::string help) {
  return parameter(std::move(name), ParameterType::kStep, std::move(help));
}
inline Parameter steps_used(std::string name, std::string help) {
  return parameter(std::move(name), ParameterType::kStepList, std::move(help));
}
inline Parameter probe(std::string name, std::string help) {
  return parameter(std::move(name), ParameterType::kProbe, std::move(help));
}
inline Parameter contacts(std::string name, std::string help) {
  return parameter(std::move(name), ParameterType::kContactList, std::move(help));
}
inline Parameter reference(std::string name, std::string help) {
  return parameter(std::move(name), ParameterType::kReference, std::move(help));
}
inline Parameter secret(std::string name, std::string help) {
  Parameter made = reference(std::move(name), std::move(help));
  made.secret = true;
  return made;
}
inline Parameter arguments(std::string name, std::string help) {
  return parameter(std::move(name), ParameterType::kArguments, std::move(help));
}
inline Parameter object(std::string name, Parameters fields, std::string help) {
  return parameter(std::move(name), ParameterType::kObject, std::move(help), {}, std::move(fields));
}
// A list of items, each with an id.
inline Parameter items(std::string name, Parameters fields, std::string help) {
  return parameter(std::move(name), ParameterType::kMap, std::move(help), {}, std::move(fields));
}
inline Parameter objects(std::string name, Parameters fields, std::string help) {
  return parameter(std::move(name), ParameterType::kObjectList, std::move(help), {}, std::move(fields));
}
inline Parameter id_of(std::string name, std::string section, std::string help) {
  return parameter(std::move(name), ParameterType::kId, std::move(help), {std::move(section)});
}
inline Parameter ids_of(std::string name, std::string section, std::string help) {
  return parameter(std::move(name), ParameterType::kIdList, std::move(help), {std::move(section)});
}

}  // namespace anclora::plan
