#include "plan/schema/id_index.h"

#include <algorithm>
#include <array>

namespace anclora::plan {

IdIndex::IdIndex(const Value& root) {
  for (const char* section : {"sites", "targets", "environments", "backups", "probes", "detection", "scenarios",
                              "drills", "contacts", "escalation"})
    add_list(section, root.find(section));
  if (const Value* objectives = root.find("objectives")) {
    add_list("severity", objectives->find("severity"));
    add_list("data", objectives->find("data"));
  }
  if (const Value* contacts = root.find("contacts"))
    for (const Value& contact : contacts->items)
      if (const Value* roles = contact.find("roles"))
        for (const Value& role : roles->items)
          if (!role.text.empty()) sections_["roles"].try_emplace(role.text, NamedItem{role.place, {}});
  sections_["drillable"] = sections_["scenarios"];
  sections_["drillable"].try_emplace("restore", NamedItem{});
}

void IdIndex::add_list(const std::string& section, const Value* list) {
  auto& named = sections_[section];
  if (list == nullptr) return;
  for (const Value& item : list->items) {
    const Value* id = item.find("id");
    if (id == nullptr || id->text.empty()) continue;
    const Value* kind = item.find(section == "probes" ? "uses" : "kind");
    named.try_emplace(id->text, NamedItem{id->place, kind == nullptr ? std::string() : kind->text});
  }
}

const NamedItem* IdIndex::find(std::string_view section, std::string_view id) const {
  const auto named = sections_.find(section);
  if (named == sections_.end()) return nullptr;
  const auto item = named->second.find(id);
  return item == named->second.end() ? nullptr : &item->second;
}

std::vector<std::string> IdIndex::ids(std::string_view section) const {
  std::vector<std::string> names;
  const auto named = sections_.find(section);
  if (named == sections_.end()) return names;
  for (const auto& [id, item] : named->second) names.push_back(id);
  return names;
}

std::vector<std::string> IdIndex::targets(const std::vector<std::string>& kinds) const {
  std::vector<std::string> names;
  for (const auto& [id, item] : sections_.find("targets")->second)
    if (kinds.empty() || std::ranges::find(kinds, item.kind) != kinds.end()) names.push_back(id);
  return names;
}

std::string_view item_word(std::string_view section) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kWords = {{{"sites", "site"},
                                                                                     {"targets", "target"},
                                                                                     {"environments", "environment"},
                                                                                     {"backups", "backup"},
                                                                                     {"probes", "probe"},
                                                                                     {"detection", "detection"},
                                                                                     {"scenarios", "scenario"},
                                                                                     {"drillable", "scenario"},
                                                                                     {"drills", "drill"},
                                                                                     {"contacts", "contact"},
                                                                                     {"roles", "role"},
                                                                                     {"steps", "step"},
                                                                                     {"inject", "step"},
                                                                                     {"prepare", "step"},
                                                                                     {"cleanup", "step"},
                                                                                     {"after", "step"}}};
  for (const auto& [name, word] : kWords)
    if (name == section) return word;
  return section;
}

}  // namespace anclora::plan
