#include <fmt/format.h>

#include <algorithm>

#include "plan/document/plan_document.h"
#include "plan/lint/plan_lookup.h"
#include "plan/lint/recovery_time.h"
#include "plan/schema/span.h"

namespace anclora::plan {
namespace {

using Drills = std::vector<DrillResult>;

Block heading(int level, std::string text) { return {level, std::move(text), {}}; }
Block paragraph(std::string text) { return {0, std::move(text), {}}; }

std::string joined(const std::vector<std::string>& texts) { return fmt::format("{}", fmt::join(texts, ", ")); }

// The worst of the newest passed drills of these scenarios; nothing unless each of them has one.
template <class Member>
std::string worst(const std::vector<const Scenario*>& scenarios, const Drills& drills, Member member) {
  std::optional<Duration> longest;
  for (const Scenario* scenario : scenarios) {
    const DrillResult* drill = newest_passed(drills, scenario->id);
    if (drill == nullptr || !(drill->*member)) return "not measured";
    longest = std::max(longest.value_or(Duration::zero()), *(drill->*member));
  }
  return longest ? format_duration(*longest) : "not measured";
}

void add_objectives(const Plan& plan, const Drills& drills, std::vector<Block>& blocks) {
  blocks.push_back(heading(2, "Recovery objectives"));
  Block times = {0, {}, {{"Severity", "RTO", "Maximum", "On paper", "Measured"}}};
  for (const SeverityObjective& objective : plan.severities) {
    std::vector<const Scenario*> scenarios;
    Duration paper{};
    for (const Scenario& scenario : plan.scenarios)
      if (scenario.severity == objective.id) {
        scenarios.push_back(&scenario);
        paper = std::max(paper, recovery_time(plan, scenario).total());
      }
    times.table.push_back({objective.id, format_span(objective.rto), format_span(objective.rto_max),
                           scenarios.empty() ? "no scenario" : format_span(paper),
                           worst(scenarios, drills, &DrillResult::rto)});
  }
  blocks.push_back(std::move(times));
  std::vector<const Scenario*> all;
  all.reserve(plan.scenarios.size());
  for (const Scenario& scenario : plan.scenarios) all.push_back(&scenario);
  Block points = {0, {}, {{"Data", "RPO", "Backups", "Measured"}}};
  for (const DataObjective& data : plan.data) {
    std::vector<std::string> how;
    for (const Backup& backup : plan.backups)
      if (backup.data == data.id)
        how.push_back(fmt::format(
            "{} ({})", backup.id,
            backup.continuous ? "continuous, lag " + format_span(backup.lag) : "every " + format_span(backup.every)));
    points.table.push_back({data.id, format_span(data.rpo), joined(how),
                            data.proof == "beacon" ? worst(all, drills, &DrillResult::rpo) : "not measured"});
  }
  blocks.push_back(std::move(points));
}

void add_scenario(const Plan& plan, const Scenario& scenario, const Drills& drills, std::vector<Block>& blocks) {
  blocks.push_back(heading(3, scenario.title));
  const RecoveryTime time = recovery_time(plan, scenario);
  std::string status = is_verified(plan, scenario.id, drills)
                           ? "verified"
                           : "unverified: no drill has passed with this version of the plan";
  blocks.push_back(
      paragraph(fmt::format("Severity {}. {}. Status: {}.", scenario.severity,
                            scenario.impact.empty() ? "Impact not described" : "Impact: " + scenario.impact, status)));
  const DrillResult* drill = newest_passed(drills, scenario.id);
  blocks.push_back(paragraph(fmt::format(
      "On paper {}: detection {}, declaration {}, steps {}, verification {}. Measured: {}.", format_span(time.total()),
      format_span(time.detect), format_span(time.declare), format_span(time.act), format_span(time.verify),
      drill != nullptr && drill->rto ? format_duration(*drill->rto) : "not measured")));
  for (const Detection& detection : plan.detections)
    if (detection.scenario == scenario.id) {
      std::vector<std::string> conditions;
      for (const auto* list : {&detection.all, &detection.any})
        for (const Condition& condition : *list) conditions.push_back(condition.probe);
      blocks.push_back(paragraph(fmt::format("Detected by {} ({}): {} it.", detection.id, joined(conditions),
                                             detection.start ? "starts" : "proposes")));
    }
  const auto add_steps = [&](const std::vector<Step>& steps, const char* title) {
    if (steps.empty()) return;
    Block table = {0, {}, {{title, "Action", "After", "Budget", "Approval"}}};
    for (const Step& step : steps)
      table.table.push_back({step.id, step.uses, joined(step.needs),
                             step.budget > Duration::zero() ? format_span(step.budget) : "",
                             step.approve ? joined(step.approve->roles) : ""});
    blocks.push_back(std::move(table));
  };
  add_steps(scenario.steps, "Recovery");
  add_steps(scenario.after, "Afterwards");
}

void add_drills(const Plan& plan, const Drills& drills, std::vector<Block>& blocks) {
  blocks.push_back(heading(2, "Drills"));
  Block table = {0, {}, {{"Drill", "Scenario", "Where", "Every", "Last passed", "RTO", "RPO"}}};
  for (const DrillSchedule& drill : plan.drills) {
    const DrillResult* passed = newest_passed(drills, drill.scenario);
    const auto measured = [&](std::optional<Duration> value) {
      return value ? format_duration(*value) : std::string("not measured");
    };
    table.table.push_back({drill.id, drill.scenario, drill.environment, format_span(drill.every),
                           passed == nullptr ? "never" : format_rfc3339(passed->ended),
                           measured(passed == nullptr ? std::nullopt : passed->rto),
                           measured(passed == nullptr ? std::nullopt : passed->rpo)});
  }
  blocks.push_back(std::move(table));
}

// Addresses stay out: the document is printed and mailed.
void add_people(const Plan& plan, std::vector<Block>& blocks) {
  blocks.push_back(heading(2, "Contacts"));
  Block contacts = {0, {}, {{"Contact", "Name", "Roles", "Channels"}}};
  for (const Contact& contact : plan.contacts) {
    std::vector<std::string> kinds;
    kinds.reserve(contact.channels.size());
    for (const Channel& channel : contact.channels) kinds.push_back(channel.kind);
    contacts.table.push_back({contact.id, contact.name, joined(contact.roles), joined(kinds)});
  }
  blocks.push_back(std::move(contacts));
  blocks.push_back(heading(2, "Escalation"));
  Block levels = {0, {}, {{"Severity", "Level", "Who", "When", "Answers within"}}};
  for (const EscalationLevel& level : plan.escalation)
    levels.table.push_back({level.severity, level.id, joined(level.contacts),
                            level.when == EscalateWhen::kForecastOverRto  ? "the forecast passes the RTO"
                            : level.when == EscalateWhen::kElapsedOverRto ? "the RTO is passed"
                            : level.when == EscalateWhen::kElapsedOverRtoMax
                                ? "the maximum is passed"
                                : format_span(level.after) + " after the declaration",
                            format_span(level.acknowledge_within)});
  blocks.push_back(std::move(levels));
}

}  // namespace

std::vector<Block> plan_blocks(const Plan& plan, const Drills& drills) {
  std::vector<Block> blocks = {heading(1, "Disaster recovery plan: " + plan.service)};
  const auto verified = std::ranges::count_if(
      plan.scenarios, [&](const Scenario& scenario) { return is_verified(plan, scenario.id, drills); });
  blocks.push_back(paragraph(fmt::format("From {}, version {}. {} of {} scenarios verified by a drill of this version.",
                                         plan.file, plan.hash_hex.substr(0, 16), verified, plan.scenarios.size())));
  add_objectives(plan, drills, blocks);
  blocks.push_back(heading(2, "Scenarios"));
  for (const Scenario& scenario : plan.scenarios) add_scenario(plan, scenario, drills, blocks);
  add_drills(plan, drills, blocks);
  add_people(plan, blocks);
  return blocks;
}

}  // namespace anclora::plan
