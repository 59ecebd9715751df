#include "plan/schema/value_checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "plan/schema/id_index.h"
#include "plan/schema/parameters.h"
#include "plan/schema/plan_schema.h"
#include "plan/schema/scalar_checker.h"
#include "plan/schema/suggestion.h"
#include "plan/schema/target_schema.h"

namespace anclora::plan {
namespace {

std::string text_at(const Value& map, std::string_view key) {
  const Value* value = map.find(key);
  return value == nullptr ? std::string() : value->text;
}

class ValueChecker {
 public:
  ValueChecker(const Value& root, Findings& findings) : index_(root), scalars_(index_, findings), findings_(findings) {}

  void check_root(const Value& root) {
    Parameters fields = plan_schema();
    const Parameter plan = parameter("plan", ParameterType::kObject, {}, {}, std::move(fields));
    check(root, plan, "the plan");
    if (const Value* version = root.find("version"); version != nullptr && version->text != kPlanVersion)
      add_error(findings_, "plan.version", version->place,
                fmt::format("plan version \"{}\" is not known", version->text),
                "this version of anclora reads version: 1");
  }

 private:
  void check(const Value& value, const Parameter& by, const std::string& where) {
    switch (by.type) {
      case ParameterType::kObject:
        return check_map(value, by, where);
      case ParameterType::kMap:
      case ParameterType::kObjectList:
        return check_items(value, by, where);
      case ParameterType::kWith:
        return;  // with the action beside it
      default:
        scalars_.check(value, by, where);
    }
  }

  void check_items(const Value& list, const Parameter& by, const std::string& where) {
    if (list.kind != ValueKind::kList) {
      add_error(findings_, "type.list", list.place, fmt::format("\"{}\" must be a list", by.name),
                "begin each item with a dash: - ...");
      return;
    }
    const bool steps =
        by.name == "steps" || by.name == "inject" || by.name == "after" || by.name == "prepare" || by.name == "cleanup";
    if (steps) scalars_.enter_steps(list);
    std::map<std::string, Place> seen;
    for (const Value& item : list.items) {
      const std::string id = text_at(item, "id");
      const std::string word(item_word(by.name));
      check_map(item, by, id.empty() ? fmt::format("{} of {}", word, where) : fmt::format("{} \"{}\"", word, id));
      if (by.type == ParameterType::kMap && !id.empty()) check_id(*item.find("id"), seen);
      if (by.name == "scenarios" && id == "restore")
        add_error(findings_, "id.reserved", item.find("id")->place, "a scenario cannot be called \"restore\"",
                  "drills call the restore of a repository so: choose another id");
    }
    if (steps) scalars_.leave_steps();
  }

  void check_id(const Value& id, std::map<std::string, Place>& seen) {
    const auto allowed = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    // A command line would take one that begins with - for an option.
    if (id.text.size() > 64 || id.text.starts_with('-') || !std::ranges::all_of(id.text, allowed))
      add_error(findings_, "id.malformed", id.place, fmt::format("\"{}\" is no id", id.text.substr(0, 80)),
                "letters, digits, - and _, at most 64, not a - in front");
    const auto [first, is_new] = seen.try_emplace(id.text, id.place);
    if (!is_new)
      add_error(findings_, "id.duplicate", id.place,
                fmt::format("the id \"{}\" is already taken in line {}", id.text, first->second.line),
                "give each item of a list an id of its own");
  }

  void check_map(const Value& map, const Parameter& by, const std::string& where) {
    if (map.kind != ValueKind::kMap) {
      add_error(findings_, "type.map", map.place, fmt::format("{} must be a map of keys and values", where),
                "write key: value");
      return;
    }
    const std::string kind = text_at(map, "kind");
    const std::string driver = text_at(map, "driver");
    check_keys(map, keys_of(by, kind, driver), where, driver_is_certain(map, by));
    if (by.variant == Variant::kTarget) check_driver(map, kind, where);
    if (const Value* uses = map.find("uses")) check_with(map, *uses, where);
  }

  // Without a known kind and driver the allowed keys are not known either: no unknown key is reported then.
  static bool driver_is_certain(const Value& map, const Parameter& by) {
    if (by.variant == Variant::kNone) return true;
    const std::string kind = text_at(map, "kind");
    const TargetSchema* schema = by.variant == Variant::kTarget ? find_target_schema(kind) : find_channel_schema(kind);
    return schema != nullptr && (schema->drivers.empty() || find_driver(*schema, text_at(map, "driver")) != nullptr);
  }

  void check_keys(const Value& map, const std::vector<const Parameter*>& keys, const std::string& where, bool closed) {
    for (const Entry& entry : map.entries) {
      const auto key = std::ranges::find(keys, entry.key, [](const Parameter* p) { return p->name; });
      if (key != keys.end()) {
        check(entry.value, **key, where);
      } else if (closed) {
        std::vector<std::string> names;
        for (const Parameter* allowed : keys)
          if (map.find(allowed->name) == nullptr) names.push_back(allowed->name);
        add_error(findings_, "key.unknown", entry.place, fmt::format("{} has no key \"{}\"", where, entry.key),
                  names.empty() ? "remove it" : suggestion(entry.key, names));
      }
    }
    for (const Parameter* key : keys) {
      const Value* value = map.find(key->name);
      if (key->required && (value == nullptr || value->kind == ValueKind::kNull))
        add_error(findings_, "key.missing", value == nullptr ? map.place : value->place,
                  fmt::format("{} lacks \"{}\"", where, key->name), fmt::format("add {}: {}", key->name, key->help));
    }
  }

  void check_driver(const Value& map, const std::string& kind, const std::string& where) {
    const TargetSchema* schema = find_target_schema(kind);
    const Value* driver = map.find("driver");
    if (schema == nullptr || schema->drivers.empty() || driver == nullptr || driver->text.empty()) return;
    const DriverSchema* found = find_driver(*schema, driver->text);
    if (found != nullptr) return;
    std::vector<std::string> names;
    names.reserve(schema->drivers.size());
    for (const DriverSchema& known : schema->drivers) names.push_back(known.name);
    add_error(findings_, "driver.unknown", driver->place,
              fmt::format("{} of kind {} has no driver \"{}\"", where, kind, driver->text),
              suggestion(driver->text, names));
  }

  void check_with(const Value& map, const Value& uses, const std::string& where) {
    const ActionSchema* action = find_action(uses.text);
    if (action == nullptr) return;  // already reported
    const Value* with = map.find("with");
    static const Value kNone = {.kind = ValueKind::kMap, .text = {}, .items = {}, .entries = {}, .place = {}};
    Value empty = kNone;
    empty.place = with == nullptr ? uses.place : with->place;
    const Value& judged = with == nullptr || with->kind == ValueKind::kNull ? empty : *with;
    const Parameter by = parameter("with", ParameterType::kObject, {}, {}, action->parameters);
    check_map(judged, by, fmt::format("{} of {}", action->name, where));
  }

  IdIndex index_;
  ScalarChecker scalars_;
  Findings& findings_;
};

}  // namespace

void check_by_schema(const Value& root, Findings& findings) {
  if (root.kind != ValueKind::kMap) {
    add_error(findings, "type.map", root.place, "a plan is a map of keys and values", "begin with: version: 1");
    return;
  }
  ValueChecker(root, findings).check_root(root);
}

}  // namespace anclora::plan
