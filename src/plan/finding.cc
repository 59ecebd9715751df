#include "plan/finding.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

namespace anclora::plan {
namespace {

nlohmann::ordered_json to_json(std::string_view file, const Finding& finding) {
  return {{"file", file},
          {"line", finding.place.line},
          {"column", finding.place.column},
          {"code", finding.code},
          {"severity", to_string(finding.severity)},
          {"message", finding.message},
          {"hint", finding.hint}};
}

// A value with a line break in it must not look like a second finding.
std::string on_one_line(std::string text) {
  std::ranges::replace_if(text, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return text;
}

constexpr auto kReplace = nlohmann::json::error_handler_t::replace;

}  // namespace

std::string_view to_string(Severity severity) { return severity == Severity::kError ? "error" : "warning"; }

bool has_errors(const Findings& findings) {
  return std::ranges::any_of(findings, [](const Finding& finding) { return finding.severity == Severity::kError; });
}

bool clean_but_unavailable(const Findings& findings) {
  return std::ranges::all_of(findings, [](const Finding& finding) { return finding.code == "action.unavailable"; });
}

void sort_by_place(Findings& findings) {
  std::ranges::stable_sort(findings, {}, [](const Finding& finding) { return finding.place; });
  const auto same = [](const Finding& a, const Finding& b) {
    return std::tie(a.place, a.code, a.message) == std::tie(b.place, b.code, b.message);
  };
  findings.erase(std::unique(findings.begin(), findings.end(), same), findings.end());
}

std::string to_text(std::string_view file, const Finding& finding) {
  std::string text = fmt::format("{}:{}:{}: {}: {} [{}]", file, finding.place.line, finding.place.column,
                                 to_string(finding.severity), on_one_line(finding.message), finding.code);
  if (!finding.hint.empty()) text += "\n    hint: " + finding.hint;
  return text;
}

std::string to_json_line(std::string_view file, const Finding& finding) {
  return to_json(file, finding).dump(-1, ' ', false, kReplace);
}

std::string to_json_array(std::string_view file, const Findings& findings) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) array.push_back(to_json(file, finding));
  return array.dump(2, ' ', false, kReplace);
}

}  // namespace anclora::plan
