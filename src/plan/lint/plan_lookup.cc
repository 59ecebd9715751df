#include "plan/lint/plan_lookup.h"

#include <algorithm>

#include "plan/model/value_access.h"

namespace anclora::plan {
namespace {

template <class T>
const T* find_by_id(const std::vector<T>& items, std::string_view id) {
  const auto found = std::ranges::find(items, id, [](const T& item) { return std::string_view(item.id); });
  return found == items.end() ? nullptr : &*found;
}

}  // namespace

const Target* find_target(const Plan& plan, std::string_view id) { return find_by_id(plan.targets, id); }
const Probe* find_probe(const Plan& plan, std::string_view id) { return find_by_id(plan.probes, id); }
const Site* find_site(const Plan& plan, std::string_view id) { return find_by_id(plan.sites, id); }
const Scenario* find_scenario(const Plan& plan, std::string_view id) { return find_by_id(plan.scenarios, id); }
const SeverityObjective* find_severity(const Plan& plan, std::string_view id) {
  return find_by_id(plan.severities, id);
}
const Contact* find_contact(const Plan& plan, std::string_view id) { return find_by_id(plan.contacts, id); }

std::vector<const Contact*> people_of(const Plan& plan, const std::vector<std::string>& names) {
  std::vector<const Contact*> people;
  for (const Contact& contact : plan.contacts) {
    const auto is_named = [&](const std::string& name) {
      return name == contact.id || std::ranges::find(contact.roles, name) != contact.roles.end();
    };
    if (std::ranges::any_of(names, is_named)) people.push_back(&contact);
  }
  return people;
}

std::vector<NamedTarget> targets_of(const Plan& plan, std::string_view uses, const Value& with) {
  std::vector<NamedTarget> named;
  const ActionSchema* action = find_action(uses);
  if (action == nullptr) return named;
  for (const Parameter& parameter : action->parameters) {
    const Value* value = with.find(parameter.name);
    if (value == nullptr) continue;
    if (parameter.type == ParameterType::kTarget)
      named.push_back({parameter.name, find_target(plan, value->text), value->place});
    if (parameter.type == ParameterType::kTargetList)
      for (const Value& item : value->items)
        named.push_back({parameter.name, find_target(plan, item.text), item.place});
  }
  std::erase_if(named, [](const NamedTarget& target) { return target.target == nullptr; });
  return named;
}

bool mutates(const Step& step) {
  const ActionSchema* action = find_action(step.uses);
  return action != nullptr && action->mutates && !boolean_of(step.with, "check", false);
}

bool verifies(const Step& step) {
  const ActionSchema* action = find_action(step.uses);
  return action != nullptr && (action->verifies || (step.uses == "exec" && boolean_of(step.with, "check", false)));
}

bool is_one_of(const Step& step, std::initializer_list<std::string_view> actions) {
  return std::ranges::find(actions, step.uses) != actions.end();
}

std::string primary_site(const Plan& plan) {
  for (const Site& site : plan.sites)
    if (site.primary) return site.id;
  return {};
}

}  // namespace anclora::plan
