// What must be so before anything can run: no circles, results used only after they are there, environments that fit.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "plan/lint/address_form.h"
#include "plan/lint/lint.h"
#include "plan/lint/plan_lookup.h"
#include "plan/lint/step_graph.h"
#include "plan/model/value_access.h"

namespace anclora::plan {
namespace {

void check_used_step(const StepGraph& graph, const std::vector<Step>& steps, const Step& step, const Value& name,
                     Findings& findings) {
  const bool exists = std::ranges::any_of(steps, [&](const Step& other) { return other.id == name.text; });
  if (!exists || graph.is_before(name.text, step)) return;
  add_error(findings, "step.not_before", name.place,
            fmt::format("step \"{}\" uses what \"{}\" leaves, but does not need it", step.id, name.text),
            fmt::format("add it: needs: [..., {}]", name.text));
}

void check_results(const StepGraph& graph, const std::vector<Step>& steps, const Step& step, Findings& findings) {
  const ActionSchema* action = find_action(step.uses);
  if (action == nullptr) return;
  for (const Parameter& parameter : action->parameters) {
    const Value* value = step.with.find(parameter.name);
    if (value == nullptr) continue;
    if (parameter.type == ParameterType::kStep) check_used_step(graph, steps, step, *value, findings);
    if (parameter.type == ParameterType::kStepList)
      for (const Value& item : value->items) check_used_step(graph, steps, step, item, findings);
  }
  const Value* point = step.with.find("point");
  if (point == nullptr) return;
  const auto chooser = std::ranges::find(steps, point->text, &Step::id);
  if (chooser != steps.end() && !is_one_of(*chooser, {"recovery_point.select", "recovery_point.bisect"}))
    add_error(findings, "step.no_point", point->place,
              fmt::format("step \"{}\" chooses no recovery point", chooser->id),
              "name a step that uses recovery_point.select or recovery_point.bisect");
}

void check_steps(const Scenario& scenario, const std::vector<Step>& steps, Findings& findings) {
  const StepGraph graph(steps);
  if (!graph.circle().empty()) {
    const auto first = std::ranges::find(steps, graph.circle().front(), &Step::id);
    add_error(findings, "step.circle", first->place,
              fmt::format("the steps of \"{}\" need each other in a circle: {} needs {}", scenario.id,
                          fmt::join(graph.circle(), " needs "), graph.circle().front()),
              "remove one of these needs");
    return;
  }
  for (const Step& step : steps) check_results(graph, steps, step, findings);
}

void check_names(const Scenario& scenario, Findings& findings) {
  std::map<std::string_view, Place> seen;
  for (const auto* steps : {&scenario.steps, &scenario.inject, &scenario.after, &scenario.prepare, &scenario.cleanup}) {
    std::vector<std::string_view> here;
    for (const Step& step : *steps) {
      const auto first = seen.find(step.id);
      if (first != seen.end() && !step.id.empty())
        add_error(findings, "id.duplicate", step.place,
                  fmt::format("the id \"{}\" is already taken in line {}", step.id, first->second.line),
                  "the steps of one scenario share their ids, also those of inject, after, prepare and cleanup");
    }
    for (const Step& step : *steps) seen.try_emplace(step.id, step.place);
  }
}

std::string address_of(const Target& target) {
  for (const char* key : {"url", "path", "project", "config"})
    if (const std::string text = text_of(target.settings, key); !text.empty()) return canonical_address(text);
  return {};
}

// A unit has no address: its name on this machine is all that tells it from another.
void check_units(const Plan& plan, const Target& target, Findings& findings) {
  for (const std::string& unit : texts_of(target.settings, "units"))
    for (const Target& production : plan.targets) {
      const auto theirs = texts_of(production.settings, "units");
      if (std::ranges::find(theirs, unit) != theirs.end())
        add_error(
            findings, "environment.shares_address", target.place,
            fmt::format("sandbox target \"{}\" is the unit {} of \"{}\" in production", target.id, unit, production.id),
            "give it a unit of its own: a drill would act on production");
    }
}

void check_environment(const Plan& plan, const Environment& environment, Findings& findings) {
  if (environment.everything && !environment.targets.empty())
    add_error(findings, "environment.contradiction", environment.place,
              fmt::format("environment \"{}\" is everything, and gives other addresses too", environment.id),
              "remove everything: true, or its targets");
  for (const Target& target : environment.targets) {
    const Target* replaced = find_target(plan, target.id);
    if (replaced == nullptr) {
      add_error(findings, "environment.no_target", target.place,
                fmt::format("environment \"{}\" replaces \"{}\", which is no target", environment.id, target.id),
                "an environment gives other addresses to targets of the plan");
      continue;
    }
    if (target.kind != replaced->kind)
      add_error(findings, "environment.kind", target.place,
                fmt::format("\"{}\" is of kind {} in the plan and {} here", target.id, replaced->kind, target.kind),
                "keep the kind; the driver may differ");
    if (!environment.sandbox) continue;
    check_units(plan, target, findings);
    for (const Target& production : plan.targets)
      if (const std::string address = address_of(target); !address.empty() && address == address_of(production))
        add_error(
            findings, "environment.shares_address", target.place,
            fmt::format("sandbox target \"{}\" has the address of \"{}\" in production", target.id, production.id),
            "give it an address of its own: a drill would act on production");
  }
}

}  // namespace

void lint_structure(const Plan& plan, Findings& findings) {
  for (const Scenario& scenario : plan.scenarios) {
    check_names(scenario, findings);
    for (const auto* steps : {&scenario.steps, &scenario.inject, &scenario.after, &scenario.prepare, &scenario.cleanup})
      check_steps(scenario, *steps, findings);
    if (scenario.steps.empty())
      add_error(findings, "scenario.empty", scenario.place, fmt::format("scenario \"{}\" has no steps", scenario.id),
                "write at least one step");
  }
  for (const Environment& environment : plan.environments) check_environment(plan, environment, findings);
}

}  // namespace anclora::plan
