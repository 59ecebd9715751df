// Every name that a plan gives, by section, so that references are judged wherever they stand.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plan/value.h"

namespace anclora::plan {

struct NamedItem {
  Place place;
  std::string kind;  // of a target
};

class IdIndex {
 public:
  explicit IdIndex(const Value& root);

  // Sections: the top-level lists, "severity", "data", "roles", and "drillable" (scenarios and restore).
  const NamedItem* find(std::string_view section, std::string_view id) const;
  std::vector<std::string> ids(std::string_view section) const;
  // Those of the given kinds; all when `kinds` is empty.
  std::vector<std::string> targets(const std::vector<std::string>& kinds) const;

 private:
  void add_list(const std::string& section, const Value* list);

  std::map<std::string, std::map<std::string, NamedItem, std::less<>>, std::less<>> sections_;
};

// "scenario", "target", ...: one item of a section.
std::string_view item_word(std::string_view section);

}  // namespace anclora::plan
