#include "respond/testing/lone_step.h"

#include <cstdlib>
#include <stdexcept>

#include "base/secret_file.h"
#include "plan/reader/yaml_reader.h"

namespace anclora::respond::testing {
namespace {

plan::Value read_value(const std::string& text) {
  plan::Findings findings;
  auto value = plan::read_yaml(text, findings);
  if (!value || !findings.empty()) throw std::runtime_error("the test's YAML is malformed: " + text);
  return *value;
}

}  // namespace

LoneStep::LoneStep(std::string uses, const std::string& with) {
  step_.id = "step";
  step_.uses = std::move(uses);
  step_.with = read_value(with);
}

LoneStep& LoneStep::add_target(const std::string& id, const std::string& kind, const std::string& settings) {
  plan::Target target;
  target.id = id;
  target.kind = kind;
  target.settings = read_value(settings);
  plan_.targets.push_back(std::move(target));
  return *this;
}

const plan::Target& LoneStep::target(std::string_view id) const {
  for (const plan::Target& target : plan_.targets)
    if (target.id == id) return target;
  throw std::runtime_error("the test has no target " + std::string(id));
}

Result<Secret> LoneStep::resolve(std::string_view reference) const {
  if (reference.starts_with("env:")) {
    const char* value = std::getenv(std::string(reference.substr(4)).c_str());
    if (value == nullptr) return Error(ErrorKind::kNotFound, std::string(reference) + " is not set");
    return Secret(value);
  }
  if (reference.starts_with("file:")) return read_secret_file(posix_file_system(), std::string(reference.substr(5)));
  return Secret(std::string(reference));
}

Result<Outputs> LoneStep::outputs_of(std::string_view step_id) const {
  const auto found = outputs.find(std::string(step_id));
  if (found != outputs.end()) return found->second;
  return Error(ErrorKind::kFailedPrecondition, "the step " + std::string(step_id) + " has not been done");
}

Status LoneStep::before_change(std::string_view what) {
  if (fenced) return Error(ErrorKind::kFenced, "another runner has the run");
  changes.emplace_back(what);
  return {};
}

Status LoneStep::keep(std::string_view name, std::string_view value) {
  kept_[std::string(name)] = value;
  return {};
}

}  // namespace anclora::respond::testing
