#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "plan/import/import_paper.h"
#include "plan/import/paper_rules.h"
#include "plan/reader/unseen.h"

namespace anclora::plan {
namespace {

// A text in double quotes that YAML reads back as it was.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, 400)) {
    if (c == '"' || c == '\\') out.push_back('\\');
    const auto byte = static_cast<unsigned char>(c);
    out.push_back(byte < 0x20 || byte == 0x7f ? ' ' : c);
  }
  // A cut character would not be UTF-8.
  if (text.size() > 400)
    while (!out.empty() && static_cast<unsigned char>(out.back()) >= 0x80) out.pop_back();
  return out + "\"";
}

// Word processors leave them; a plan that holds one is refused.
std::string without_unseen(std::string_view text) {
  std::string out;
  while (const auto unseen = first_unseen(text)) {
    out += text.substr(0, unseen->first);
    text.remove_prefix(unseen->first + (unseen->second < 0x800 ? 2 : 3));
  }
  return out += text;
}

// Ids of one list, made different where two titles give the same.
class Ids {
 public:
  std::string make(std::string_view title, std::string_view otherwise) {
    const std::string base = slug(title, otherwise);
    std::string id = base;
    for (int i = 2; !taken_.insert(id).second; ++i) id = fmt::format("{}-{}", base, i);
    return id;
  }

 private:
  std::set<std::string> taken_;
};

std::string span(std::uint32_t minutes) {
  return minutes % (24 * 60) == 0 && minutes > 0 ? fmt::format("{}d", minutes / (24 * 60))
         : minutes % 60 == 0 && minutes > 0      ? fmt::format("{}h", minutes / 60)
                                                 : fmt::format("{}m", minutes);
}

void write_objectives(const PaperPlan& paper, std::string& out) {
  out += "objectives:\n  severity:" + std::string(paper.recovery_times.empty() ? " []\n" : "\n");
  Ids severities;
  for (const PaperObjective& objective : paper.recovery_times)
    out +=
        fmt::format("    - {{id: {}, rto: {}, rto_max: {}}}  # line {}\n", severities.make(objective.name, "severity"),
                    span(objective.minutes), span(std::max(objective.max_minutes, objective.minutes)), objective.line);
  out += "  data:" + std::string(paper.recovery_points.empty() ? " []\n" : "\n");
  Ids data;
  for (const PaperObjective& objective : paper.recovery_points)
    out += fmt::format("    - {{id: {}, rpo: {}}}  # line {}: {}\n", data.make(objective.name, "data"),
                       span(objective.minutes), objective.line, objective.how);
}

constexpr const char* kPlaces = R"(sites:
  - {id: primary, primary: true}
  - {id: standby}

# Addresses are not taken from the paper: give them by reference.
targets:
  - {id: redis-main, kind: redis, site: primary, url: env:REDIS_URL, role: primary}
  - {id: redis-new, kind: redis, site: standby, url: env:NEW_REDIS_URL, role: standby}
  - {id: backups, kind: repository, site: primary, url: env:ANCLORA_REPO}
  - {id: settings, kind: configuration, driver: ssm, site: primary, prefix: /, region: unknown}
  - id: workers
    kind: service
    driver: ecs
    site: primary
    cluster: unknown
    service: unknown
    region: unknown
    image: "unknown:latest"
  - id: users
    kind: traffic
    driver: route53
    zone: unknown
    name: unknown
    answers:
      - {id: standby, value: env:STANDBY_ADDRESS}

)";

// What the step's commands come to, as an action of ours; a manual step where they come to nothing that we know.
std::string action_of(const ShellStep& step, const PaperProcedure& procedure,
                      const std::vector<const ShellCommand*>& all) {
  for (const ShellCommand& command : step.commands) {
    const auto index = static_cast<std::size_t>(std::ranges::find(all, &command) - all.begin());
    const std::string count = command.option("--desired-count");
    if (is_false_restore({procedure, all, index}))
      return "uses: redis.restore, with: {repository: backups, to: redis-new}";
    if (command.is({"aws", "route53"})) return "uses: traffic.flip, with: {target: users, to: standby}";
    if (command.is({"aws", "ssm", "put-parameter"}))
      return "uses: config.put, with: {target: settings, key: " + quoted(command.option("--name")) + "}";
    if (count == "0") return "uses: service.stop, with: {target: workers}";
    if (!count.empty() && count.size() < 6 && count.find_first_not_of("0123456789") == std::string::npos)
      return "uses: service.scale, with: {target: workers, count: " + count + "}";
    if (command.has("--force-new-deployment")) return "uses: service.restart, with: {target: workers}";
  }
  return "uses: people.manual, with: {text: " + quoted(step.title.empty() ? procedure.section->title : step.title) +
         "}";
}

void write_scenario(const PaperProcedure& scenario, std::string& out, const std::string& id) {
  const std::string severity = scenario.severity.empty() ? "unknown" : scenario.severity;
  out += fmt::format("  - id: {}  # line {}\n    title: {}\n    severity: {}\n", id, scenario.section->line,
                     quoted(scenario.section->title), severity);
  if (!scenario.impact.empty()) out += "    impact: " + quoted(scenario.impact) + "\n";
  for (const PaperLine& line : scenario.detection)
    out += fmt::format("    # detection, line {}: {}\n", line.number, line.text);
  out += "    steps:\n";
  const auto all = scenario.script.commands();
  Ids steps;
  std::string before;
  for (const ShellStep& step : scenario.script.steps) {
    if (step.title.empty() && step.commands.empty()) continue;
    const auto colon = step.title.find(':');
    const auto bracket = step.title.find('(');
    const std::size_t from = colon == std::string::npos || colon > bracket ? 0 : colon + 1;
    const std::string step_id =
        steps.make(step.title.substr(from, bracket == std::string::npos ? bracket : bracket - from), "step");
    out += fmt::format("      # line {}\n      - {{id: {}, {}", step.line, step_id, action_of(step, scenario, all));
    if (!before.empty()) out += ", needs: [" + before + "]";
    if (step.minutes) out += fmt::format(", budget: {}", span(*step.minutes));
    out += "}\n";
    for (const ShellCommand& command : step.commands)
      out += fmt::format("      #   line {}: {}\n", command.line, command.text);
    before = step_id;
  }
}

void write_scenarios(const PaperPlan& paper, std::string& out) {
  const bool any = std::ranges::any_of(paper.procedures, &PaperProcedure::scenario);
  out += "\nscenarios:" + std::string(any ? "\n" : " []\n");
  Ids ids;
  for (const PaperProcedure& procedure : paper.procedures)
    if (procedure.scenario) {
      const auto colon = procedure.section->title.find(':');
      write_scenario(procedure, out,
                     ids.make(procedure.section->title.substr(colon == std::string::npos ? 0 : colon + 1), "scenario"));
    }
}

void write_people(const PaperPlan& paper, std::string& out) {
  out += "\ncontacts:" + std::string(paper.contacts.empty() ? " []\n" : "\n");
  Ids ids;
  std::vector<std::string> roles;
  for (const PaperContact& contact : paper.contacts) {
    const std::string id = ids.make(contact.role, "contact");
    roles.push_back(id);
    out += fmt::format("  - id: {}  # line {}\n    name: {}\n    channels:\n", id, contact.line,
                       quoted(contact.name.empty() ? contact.role : contact.name));
    out += "      - {kind: phone, number: " + quoted(contact.phone.empty() ? "unknown" : contact.phone) + "}\n";
    if (!contact.email.empty() && contact.email.find('@') != std::string::npos)
      out += "      - {kind: smtp, to: " + quoted(contact.email) + ", server: env:SMTP_SERVER}\n";
  }
  out += "\nescalation:" + std::string(paper.levels.empty() ? " []\n" : "\n");
  Ids levels;
  for (const PaperLevel& level : paper.levels) {
    const std::string who = slug(level.who, "nobody");
    const auto starts = level.unresolved ? level.unresolved : level.from;
    out += fmt::format("  # line {}: {}\n  - {{id: {}, severity: {}, contacts: [{}], ", level.line, level.who,
                       levels.make(level.who, "level"),
                       paper.recovery_times.empty() ? "unknown" : slug(paper.recovery_times.front().name, "severity"),
                       who);
    out += starts ? fmt::format("after: {}", span(*starts)) : std::string("when: elapsed_over_rto_max");
    if (level.to && level.from && *level.to > *level.from)
      out += fmt::format(", acknowledge_within: {}", span(*level.to - *level.from));
    out += "}\n";
  }
}

void write_drills(const PaperPlan& paper, std::string& out) {
  out += "\n# Drills of the paper: name the scenario and an environment, then take the # away.\n# drills:\n";
  for (const PaperDrill& drill : paper.drills)
    out += fmt::format("#   - {{id: {}, scenario: ?, every: {}}}  # line {}: {}\n", slug(drill.what, "drill"),
                       drill.every, drill.line, drill.what);
}

}  // namespace

std::string write_draft(const PaperPlan& paper) {
  std::string out = "# A draft from a paper plan: check it with anclora plan check, and mend what that says.\n";
  out += "version: 1\nservice: " + (paper.service.empty() ? std::string("unnamed") : paper.service) + "\n\n";
  write_objectives(paper, out);
  out += "\n";
  out += kPlaces;
  out += "# No job of the paper is a backup that can be checked: describe what makes the copies.\nbackups: []\n";
  write_scenarios(paper, out);
  write_people(paper, out);
  write_drills(paper, out);
  // Comments carry lines of the paper: a control character among them would make the draft unreadable.
  std::erase_if(out,
                [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f; });
  return without_unseen(out);
}

}  // namespace anclora::plan
