#include "plan/document/plan_document.h"

#include <nlohmann/json.hpp>

#include "plan/lint/recovery_time.h"

namespace anclora::plan {
namespace {

std::string for_markdown(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '<' || c == '\\' || c == '`' || c == '*' || c == '[') out.push_back('\\');
    out.push_back(c == '\n' || c == '\r' ? ' ' : c);
  }
  return out;
}

std::string for_html(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out.push_back(c);
  }
  return out;
}

nlohmann::ordered_json seconds(Duration duration) { return static_cast<double>(duration.count()) / 1e6; }
nlohmann::ordered_json seconds(std::optional<Duration> duration) {
  return duration ? seconds(*duration) : nlohmann::ordered_json(nullptr);
}

nlohmann::ordered_json scenario_json(const Plan& plan, const Scenario& scenario,
                                     const std::vector<DrillResult>& drills) {
  nlohmann::ordered_json steps = nlohmann::ordered_json::array();
  for (const Step& step : scenario.steps)
    steps.push_back({{"id", step.id},
                     {"uses", step.uses},
                     {"needs", step.needs},
                     {"budget_seconds", seconds(step.budget)},
                     {"timeout_seconds", seconds(step.timeout)}});
  const RecoveryTime time = recovery_time(plan, scenario);
  const DrillResult* drill = newest_passed(drills, scenario.id);
  return {{"id", scenario.id},
          {"title", scenario.title},
          {"severity", scenario.severity},
          {"impact", scenario.impact},
          {"verified", is_verified(plan, scenario.id, drills)},
          {"paper_rto_seconds", seconds(time.total())},
          {"measured_rto_seconds", seconds(drill == nullptr ? std::nullopt : drill->rto)},
          {"measured_rpo_seconds", seconds(drill == nullptr ? std::nullopt : drill->rpo)},
          {"last_passed",
           drill == nullptr ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(format_rfc3339(drill->ended))},
          {"steps", std::move(steps)}};
}

}  // namespace

std::string to_markdown(const Plan& plan, const std::vector<DrillResult>& drills) {
  std::string out;
  for (const Block& block : plan_blocks(plan, drills)) {
    if (block.heading > 0) out += std::string(static_cast<std::size_t>(block.heading), '#') + " ";
    if (block.table.empty()) out += for_markdown(block.text) + "\n";
    for (std::size_t row = 0; row < block.table.size(); ++row) {
      for (const std::string& cell : block.table[row]) out += "| " + for_markdown(cell) + " ";
      out += "|\n";
      if (row != 0) continue;
      for (std::size_t i = 0; i < block.table[row].size(); ++i) out += "|---";
      out += "|\n";
    }
    out += "\n";
  }
  return out;
}

std::string to_html(const Plan& plan, const std::vector<DrillResult>& drills) {
  std::string out = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" +
                    for_html(plan.service) +
                    "</title>\n<style>body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
                    "table{border-collapse:collapse}td,th{border:1px solid #999;padding:.2rem "
                    ".6rem;text-align:left}</style></head><body>\n";
  for (const Block& block : plan_blocks(plan, drills)) {
    const std::string tag = block.heading > 0 ? "h" + std::to_string(block.heading) : "p";
    if (block.table.empty()) out += "<" + tag + ">" + for_html(block.text) + "</" + tag + ">\n";
    if (!block.table.empty()) out += "<table>\n";
    for (std::size_t row = 0; row < block.table.size(); ++row) {
      const std::string cell_tag = row == 0 ? "th" : "td";
      out += "<tr>";
      for (const std::string& cell : block.table[row])
        out += "<" + cell_tag + ">" + for_html(cell) + "</" + cell_tag + ">";
      out += "</tr>\n";
    }
    if (!block.table.empty()) out += "</table>\n";
  }
  return out + "</body></html>\n";
}

std::string to_json(const Plan& plan, const std::vector<DrillResult>& drills) {
  nlohmann::ordered_json scenarios = nlohmann::ordered_json::array();
  for (const Scenario& scenario : plan.scenarios) scenarios.push_back(scenario_json(plan, scenario, drills));
  nlohmann::ordered_json severities = nlohmann::ordered_json::array();
  for (const SeverityObjective& objective : plan.severities)
    severities.push_back({{"id", objective.id},
                          {"rto_seconds", seconds(objective.rto)},
                          {"rto_max_seconds", seconds(objective.rto_max)}});
  nlohmann::ordered_json data = nlohmann::ordered_json::array();
  for (const DataObjective& objective : plan.data)
    data.push_back({{"id", objective.id}, {"rpo_seconds", seconds(objective.rpo)}, {"proof", objective.proof}});
  const nlohmann::ordered_json json = {{"file", plan.file},
                                       {"hash", plan.hash_hex},
                                       {"service", plan.service},
                                       {"objectives", {{"severity", std::move(severities)}, {"data", std::move(data)}}},
                                       {"scenarios", std::move(scenarios)}};
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace anclora::plan
