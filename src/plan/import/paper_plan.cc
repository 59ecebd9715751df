#include "plan/import/paper_plan.h"

#include <algorithm>
#include <cctype>

namespace anclora::plan {
namespace {

std::size_t column_of(const PaperTable& table, std::initializer_list<std::string_view> names) {
  for (std::size_t i = 0; i < table.header.size(); ++i)
    if (has_word(table.header[i], names)) return i;
  return std::string::npos;
}

std::string cell(const PaperRow& row, std::size_t column) {
  return column < row.cells.size() ? row.cells[column] : std::string();
}

void read_objectives(const PaperTable& table, PaperPlan& plan) {
  const std::size_t rto = column_of(table, {"rto"});
  const std::size_t max = column_of(table, {"max", "accept"});
  const std::size_t rpo = column_of(table, {"rpo"});
  const std::size_t how = column_of(table, {"frequency", "backup", "frecuencia"});
  for (const PaperRow& row : table.rows) {
    if (rto != std::string::npos)
      plan.recovery_times.push_back(
          {row.line, cell(row, 0), minutes_in(cell(row, rto)).value_or(0), minutes_in(cell(row, max)).value_or(0), {}});
    else if (rpo != std::string::npos)
      plan.recovery_points.push_back(
          {row.line, cell(row, 0), minutes_in(cell(row, rpo)).value_or(0), 0, cell(row, how)});
  }
}

void read_contacts(const PaperTable& table, PaperPlan& plan) {
  const std::size_t phone = column_of(table, {"phone", "tel"});
  if (phone == std::string::npos) return;
  const std::size_t name = column_of(table, {"name", "contact", "nombre"});
  const std::size_t email = column_of(table, {"mail", "correo"});
  const std::size_t portal = column_of(table, {"portal", "url", "web"});
  for (const PaperRow& row : table.rows)
    plan.contacts.push_back(
        {row.line, cell(row, 0), cell(row, name), cell(row, phone), cell(row, email), cell(row, portal)});
}

// "Level 2: DevOps Lead (15-30 min)", and before it "(if unresolved after 30 min)".
void read_level(const PaperLine& line, PaperPlan& plan, std::optional<std::uint32_t>& unresolved,
                std::uint32_t& unresolved_line) {
  const std::string text(trimmed(line.text));
  const std::string low = lower_case(text);
  const bool is_level = low.find("level ") != std::string::npos || low.find("nivel ") != std::string::npos;
  if (!is_level) {
    if (has_word(low, {"unresolved", "no resuel", "not resolved", "without answer", "if ", "si "})) {
      unresolved = minutes_in(text);
      unresolved_line = line.number;
    }
    return;
  }
  PaperLevel level;
  level.line = line.number;
  const auto colon = text.find(':');
  const auto bracket = text.find('(');
  level.who = plain(text.substr(colon == std::string::npos ? 0 : colon + 1,
                                bracket == std::string::npos ? bracket : bracket - colon - 1));
  if (bracket != std::string::npos) {
    std::vector<std::uint32_t> numbers;
    for (std::size_t i = bracket; i < text.size(); ++i)
      if (std::isdigit(static_cast<unsigned char>(text[i])) != 0) {
        std::uint32_t number = 0;
        for (; i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0; ++i)
          number = std::min<std::uint32_t>(number * 10 + static_cast<std::uint32_t>(text[i] - '0'), 100'000);
        numbers.push_back(number);
      }
    if (!numbers.empty()) level.from = numbers.front();
    if (numbers.size() > 1) level.to = numbers[1];
  }
  level.unresolved = unresolved;
  level.unresolved_line = unresolved_line;
  unresolved.reset();
  unresolved_line = 0;
  plan.levels.push_back(std::move(level));
}

void read_levels(const PaperSection& section, PaperPlan& plan) {
  if (!has_word(section.path, {"escala"})) return;
  std::optional<std::uint32_t> unresolved;
  std::uint32_t unresolved_line = 0;
  for (const PaperCode& code : section.code)
    for (const PaperLine& line : code.lines) read_level(line, plan, unresolved, unresolved_line);
  for (const PaperLine& line : section.prose) read_level(line, plan, unresolved, unresolved_line);
}

void read_drills(const PaperSection& section, PaperPlan& plan) {
  for (const PaperLine& line : section.prose) {
    const std::string low = lower_case(line.text);
    if (low.find("[ ]") == std::string::npos && low.find("[x]") == std::string::npos) continue;
    const std::string every = has_word(low, {"quarter", "trimest"})        ? "quarter"
                              : has_word(low, {"month", "mensual"})        ? "month"
                              : has_word(low, {"annual", "year", "anual"}) ? "year"
                              : has_word(low, {"week", "semanal"})         ? "week"
                                                                           : "";
    if (every.empty()) continue;
    const auto end = line.text.find('(');
    const auto begin = line.text.find(']') + 1;
    plan.drills.push_back(
        {line.number, plain(line.text.substr(begin, end == std::string::npos ? end : end - begin)), every});
  }
}

Topic topic_of(const PaperSection& section) {
  const std::string title = lower_case(section.title);
  if (has_word(title, {"breach", "security", "intrusi", "attack", "ransom", "brecha", "seguridad"}))
    return Topic::kBreach;
  if (has_word(title, {"corrupt", "integrity", "integridad"})) return Topic::kCorruption;
  if (has_word(title, {"registry", "image", "registro"})) return Topic::kRegistry;
  if (has_word(title, {"region", "data center", "datacenter", "zone", "aws"})) return Topic::kRegion;
  if (has_word(title, {"redis", "database", "cache", "queue"})) return Topic::kRedis;
  return Topic::kOther;
}

std::string severity_of(const PaperSection& section) {
  for (const char* severity : {"critical", "high", "medium", "low"})
    if (section.path.find(severity) != std::string::npos) return severity;
  if (has_word(section.path, {"cr\xc3\xadtic", "critic"})) return "critical";
  return {};
}

void read_prose(const PaperSection& section, PaperProcedure& procedure) {
  bool detection = false;
  for (const PaperLine& line : section.prose) {
    const std::string low = lower_case(plain(line.text));
    const bool bullet = line.text.starts_with("- ") || line.text.starts_with("* ");
    if (!bullet) detection = has_word(low, {"detect", "detecci"});
    if (low.starts_with("impact")) procedure.impact = plain(line.text.substr(line.text.find(':') + 1));
    if (low.starts_with("severity") || low.starts_with("severidad"))
      for (const char* severity : {"critical", "high", "medium", "low"})
        if (low.find(severity) != std::string::npos && procedure.severity.empty()) procedure.severity = severity;
    if (bullet && detection)
      procedure.detection.push_back(line);
    else
      procedure.remarks.push_back(line);
  }
}

void read_procedure(const PaperSection& section, PaperPlan& plan) {
  if (has_word(section.path, {"escala"})) return;  // its block holds levels, no commands
  const bool titled = has_word(lower_case(section.title), {"scenario", "escenario", "disaster", "incident"});
  for (const PaperCode& code : section.code) {
    if (!code.language.empty() && !has_word(code.language, {"sh", "console", "cron"})) continue;
    PaperProcedure procedure;
    procedure.section = &section;
    procedure.script = read_script(code);
    if (procedure.script.commands().empty() && procedure.script.minutes() == 0) continue;
    procedure.severity = severity_of(section);
    read_prose(section, procedure);
    procedure.scenario = titled || !procedure.detection.empty();
    procedure.topic = procedure.scenario ? topic_of(section) : Topic::kOther;
    plan.procedures.push_back(std::move(procedure));
  }
}

}  // namespace

std::string slug(std::string_view text, std::string_view otherwise) {
  std::string out;
  for (const char c : lower_case(text)) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 && static_cast<unsigned char>(c) < 0x80)
      out.push_back(c);
    else if (!out.empty() && out.back() != '-')
      out.push_back('-');
    if (out.size() >= 40) break;
  }
  while (out.ends_with('-')) out.pop_back();
  return out.empty() ? std::string(otherwise) : out;
}

PaperPlan understand_paper(std::string_view text) {
  PaperPlan plan;
  plan.sections = read_paper(text);
  for (const PaperSection& section : plan.sections) {
    for (const PaperTable& table : section.tables) {
      read_objectives(table, plan);
      read_contacts(table, plan);
    }
    read_levels(section, plan);
    read_drills(section, plan);
    read_procedure(section, plan);
    for (const PaperLine& line : section.prose)
      if (const auto name = lower_case(line.text).find(" para ");
          plan.service.empty() && section.level <= 1 && name != std::string::npos)
        plan.service = slug(line.text.substr(name + 6), "");
  }
  if (plan.service.empty())
    for (const PaperSection& section : plan.sections)
      if (plan.service.empty() && section.level == 1) plan.service = slug(section.title, "");
  return plan;
}

}  // namespace anclora::plan
