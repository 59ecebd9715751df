// Finding things in a plan by id, and asking a step what it is; nullptr where there is nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/action_schema.h"
#include "plan/plan.h"

namespace anclora::plan {

const Target* find_target(const Plan& plan, std::string_view id);
const Probe* find_probe(const Plan& plan, std::string_view id);
const Site* find_site(const Plan& plan, std::string_view id);
const Scenario* find_scenario(const Plan& plan, std::string_view id);
const SeverityObjective* find_severity(const Plan& plan, std::string_view id);
const Contact* find_contact(const Plan& plan, std::string_view id);
// Of contacts, scenarios, steps ...: in their order, for a message that says which there are.
template <class Item>
std::vector<std::string> ids_in(const std::vector<Item>& items) {
  std::vector<std::string> ids;
  ids.reserve(items.size());
  for (const Item& item : items) ids.push_back(item.id);
  return ids;
}
// Those named: a contact's id or a role.
std::vector<const Contact*> people_of(const Plan& plan, const std::vector<std::string>& names);

// The targets that a step or probe names in its `with`, with the parameter's name.
struct NamedTarget {
  std::string parameter;
  const Target* target = nullptr;
  Place place;
};
std::vector<NamedTarget> targets_of(const Plan& plan, std::string_view uses, const Value& with);

bool mutates(const Step& step);
bool verifies(const Step& step);  // an exec with check: true verifies as well
// "redis.promote" begins with "redis.", and so on.
bool is_one_of(const Step& step, std::initializer_list<std::string_view> actions);
// The site that normally serves; "" when none is marked.
std::string primary_site(const Plan& plan);

}  // namespace anclora::plan
