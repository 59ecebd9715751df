#include "plan/schema/scalar_checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/whole_number.h"
#include "plan/schema/span.h"
#include "plan/schema/suggestion.h"

namespace anclora::plan {
namespace {

bool is_list(ParameterType type) {
  return type == ParameterType::kTextList || type == ParameterType::kTargetList ||
         type == ParameterType::kContactList || type == ParameterType::kArguments || type == ParameterType::kIdList ||
         type == ParameterType::kStepList;
}

// Taken literally they would mean "never" or "at once", and the readers of the plan take 0 for "not given".
bool must_not_be_zero(std::string_view name) {
  constexpr std::array<std::string_view, 20> kNames = {
      "every",  "timeout",         "rto",           "rto_max",    "rpo",
      "within", "max_restores",    "max_age",       "max_lag",    "max_replica_lag",
      "grace",  "verified_within", "beacon_within", "rdb_within", "in_a_row",
      "hourly", "daily",           "weekly",        "monthly",    "every_moment"};
  return std::ranges::find(kNames, name) != kNames.end();
}

// More attempts than these are a loop: a person should have been asked.
constexpr std::uint32_t kMostRetries = 100;

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

bool is_number(const std::string& text) {
  if (text.empty() || text.size() > 32 || text.find_first_not_of("+-.0123456789eE") != std::string::npos) return false;
  char* end = nullptr;
  std::strtod(text.c_str(), &end);
  return end == text.c_str() + text.size();
}

}  // namespace

void ScalarChecker::enter_steps(const Value& steps) {
  steps_.clear();
  for (const Value& step : steps.items)
    if (const Value* id = step.find("id"); id != nullptr && !id->text.empty()) steps_.push_back(id->text);
}

void ScalarChecker::wrong(const Value& value, std::string code, const Parameter& by, const std::string& where,
                          std::string_view must, std::string hint) {
  std::string shown = value.kind == ValueKind::kScalar ? fmt::format(", not \"{}\"", value.text.substr(0, 60)) : "";
  if (by.secret) shown.clear();
  add_error(findings_, std::move(code), value.place,
            fmt::format("\"{}\" of {} must be {}{}", by.name, where, must, shown), std::move(hint));
}

void ScalarChecker::check(const Value& value, const Parameter& by, const std::string& where) {
  if (value.kind == ValueKind::kNull) {
    // A required one is reported as missing.
    if (!by.required)
      wrong(value, "value.empty", by, where, "given a value", "write one, or leave the key out: " + by.help);
    return;
  }
  if (is_list(by.type)) return check_list(value, by, where);
  if (value.kind != ValueKind::kScalar)
    return wrong(value, "type.text", by, where, "one value, not a list or map", by.help);
  check_text(value, by, where);
}

void ScalarChecker::check_list(const Value& value, const Parameter& by, const std::string& where) {
  if (value.kind != ValueKind::kList) {
    const char* hint = by.type == ParameterType::kArguments
                           ? "one item for each argument: [program, argument]; there is no shell"
                           : "write [a, b]";
    return wrong(value, "type.list", by, where, "a list", hint);
  }
  if (value.items.empty() && by.required)
    wrong(value, "value.empty", by, where, "a list with at least one item", by.help);
  for (const Value& item : value.items) {
    if (item.kind != ValueKind::kScalar || (item.text.empty() && by.type != ParameterType::kArguments)) {
      wrong(item, "type.text", by, where, "a list of texts", by.help);
      continue;
    }
    check_name(item, by, where);
  }
}

void ScalarChecker::check_text(const Value& value, const Parameter& by, const std::string& where) {
  switch (by.type) {
    case ParameterType::kText:
      if (is_blank(value.text)) wrong(value, "value.empty", by, where, "given a value", by.help);
      return;
    case ParameterType::kBoolean:
      if (value.text != "true" && value.text != "false")
        wrong(value, "value.boolean", by, where, "true or false", "write true or false");
      return;
    case ParameterType::kDuration:
      if (const auto span = parse_span(value.text); !span)
        wrong(value, "value.duration", by, where, "a duration",
              "write 90s, 5m, 1h30m, 7d, or day, week, month, quarter, year");
      else if (*span == Duration::zero() && must_not_be_zero(by.name))
        wrong(value, "value.duration", by, where, "longer than 0", by.help);
      return;
    case ParameterType::kSize:
      if (!parse_size(value.text)) wrong(value, "value.size", by, where, "a size", "write 64MiB, 4GiB");
      return;
    case ParameterType::kInteger:
    case ParameterType::kNumber:
    case ParameterType::kPercent:
      return check_number(value, by, where);
    case ParameterType::kChoice:
      if (std::ranges::find(by.choices, value.text) == by.choices.end())
        add_error(findings_, "value.choice", value.place,
                  fmt::format("\"{}\" of {} cannot be \"{}\"", by.name, where, value.text.substr(0, 60)),
                  suggestion(value.text, by.choices, 20));
      return;
    case ParameterType::kReference:
      return check_reference(value, by, where);
    default:
      check_name(value, by, where);
  }
}

void ScalarChecker::check_number(const Value& value, const Parameter& by, const std::string& where) {
  if (by.type == ParameterType::kInteger && !whole_number<std::uint32_t>(value.text))
    wrong(value, "value.integer", by, where, "a whole number of 0 to 4294967295", "write it in digits");
  else if (by.type == ParameterType::kInteger && must_not_be_zero(by.name) &&
           value.text.find_first_not_of('0') == std::string::npos)
    wrong(value, "value.integer", by, where, "at least 1", by.help);
  else if (by.type == ParameterType::kInteger && by.name == "retry" && std::stoul(value.text) > kMostRetries)
    wrong(value, "value.integer", by, where, fmt::format("at most {}", kMostRetries), by.help);
  if (by.type == ParameterType::kNumber && !is_number(value.text))
    wrong(value, "value.number", by, where, "a number", "write it as 12.5");
  if (by.type == ParameterType::kPercent) {
    const std::string digits = value.text.ends_with('%') ? value.text.substr(0, value.text.size() - 1) : "";
    if (!is_number(digits) || std::strtod(digits.c_str(), nullptr) < 0 || std::strtod(digits.c_str(), nullptr) > 100)
      wrong(value, "value.percent", by, where, "a percentage", "write 0% to 100%");
  }
}

void ScalarChecker::check_name(const Value& value, const Parameter& by, const std::string&) {
  switch (by.type) {
    case ParameterType::kTarget:
    case ParameterType::kTargetList:
      return check_target(value, by);
    case ParameterType::kProbe:
      return check_probe(value, by);
    case ParameterType::kContact:
    case ParameterType::kContactList: {
      if (index_.find("contacts", value.text) != nullptr || index_.find("roles", value.text) != nullptr) return;
      std::vector<std::string> known = index_.ids("contacts");
      for (std::string& role : index_.ids("roles")) known.push_back(std::move(role));
      return unknown_name(value, "contact or role", known);
    }
    case ParameterType::kId:
    case ParameterType::kIdList:
      if (index_.find(by.choices.front(), value.text) == nullptr)
        unknown_name(value, item_word(by.choices.front()), index_.ids(by.choices.front()));
      return;
    case ParameterType::kStep:
    case ParameterType::kStepList:
      if (std::ranges::find(steps_, value.text) == steps_.end()) unknown_name(value, "step", steps_);
      return;
    case ParameterType::kAction:
      return check_action(value, by);
    default:
      return;
  }
}

void ScalarChecker::unknown_name(const Value& value, std::string_view word, const std::vector<std::string>& known) {
  add_error(findings_, fmt::format("{}.unknown", word == "contact or role" ? "contact" : word), value.place,
            fmt::format("there is no {} \"{}\"", word, value.text.substr(0, 60)), suggestion(value.text, known));
}

void ScalarChecker::check_target(const Value& value, const Parameter& by) {
  const NamedItem* found = index_.find("targets", value.text);
  if (found == nullptr) return unknown_name(value, "target", index_.targets(by.choices));
  if (by.choices.empty() || std::ranges::find(by.choices, found->kind) != by.choices.end()) return;
  add_error(findings_, "target.kind", value.place,
            fmt::format("\"{}\" must name a target of kind {}; \"{}\" is of kind {}", by.name,
                        fmt::join(by.choices, " or "), value.text, found->kind),
            suggestion(value.text, index_.targets(by.choices)));
}

void ScalarChecker::check_probe(const Value& value, const Parameter& by) {
  const NamedItem* found = index_.find("probes", value.text);
  if (found == nullptr) return unknown_name(value, "probe", index_.ids("probes"));
  if (by.choices.empty() || std::ranges::find(by.choices, found->kind) != by.choices.end()) return;
  add_error(findings_, "probe.kind", value.place,
            fmt::format("\"{}\" must name a probe that uses {}; \"{}\" uses {}", by.name, fmt::join(by.choices, " or "),
                        value.text, found->kind),
            by.help);
}

void ScalarChecker::check_action(const Value& value, const Parameter& by) {
  const std::string prefix = by.choices.empty() ? std::string() : by.choices.front();
  if (find_action(value.text) != nullptr && value.text.starts_with(prefix)) return;
  std::vector<std::string> known;
  for (const ActionSchema& action : action_catalogue())
    if (action.name.starts_with(prefix)) known.push_back(action.name);
  add_error(findings_, "action.unknown", value.place,
            fmt::format("there is no action \"{}\"", value.text.substr(0, 60)), suggestion(value.text, known, 60));
}

void ScalarChecker::check_reference(const Value& value, const Parameter& by, const std::string& where) {
  const std::string& text = value.text;
  if (text.empty()) return wrong(value, "value.empty", by, where, "given a value", by.help);
  const bool environment = text.starts_with("env:");
  const bool file = text.starts_with("file:/");
  if (environment) {
    const std::string name = text.substr(4);
    if (name.empty() || name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != std::string::npos)
      wrong(value, "value.reference", by, where, "env:NAME", "the name has capital letters, digits and _ only");
  }
  if (!by.secret || environment || file) return;
  // A Redis url without a password is no secret.
  if (by.name == "url" && text.find('@') == std::string::npos &&
      (text.starts_with("redis") || text.starts_with("unix:")))
    return;
  add_error(findings_, "secret.literal", value.place,
            fmt::format("\"{}\" of {} is a secret and stands in the plan", by.name, where),
            "write env:NAME or file:/path, and change the secret: it is in this file's history");
}

}  // namespace anclora::plan
