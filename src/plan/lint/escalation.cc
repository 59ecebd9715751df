// Escalation: early enough for the RTO, in order, without holes, by two ways at each level.
#include <fmt/format.h>

#include <set>

#include "plan/lint/lint.h"
#include "plan/lint/plan_lookup.h"
#include "plan/schema/span.h"

namespace anclora::plan {
namespace {

void check_channels(const Plan& plan, const EscalationLevel& level, Findings& findings) {
  std::set<std::string> kinds;
  const auto people = people_of(plan, level.contacts);
  for (const Contact* contact : people)
    for (const Channel& channel : contact->channels) kinds.insert(channel.kind);
  if (people.empty()) {
    add_error(findings, "escalation.nobody", level.place, fmt::format("level \"{}\" reaches nobody", level.id),
              "name contacts or roles that contacts have");
  } else if (kinds.size() < 2) {
    add_warning(findings, "escalation.one_channel", level.place,
                fmt::format("level \"{}\" has one way only to reach people ({})", level.id,
                            kinds.empty() ? "none" : *kinds.begin()),
                "give its contacts a second, independent channel");
  }
}

void check_times(const EscalationLevel& level, const EscalationLevel* before, const SeverityObjective* objective,
                 Findings& findings) {
  if (level.when != EscalateWhen::kAfter) {
    if (level.after > Duration::zero())
      add_error(findings, "escalation.contradiction", level.place,
                fmt::format("level \"{}\" has a time after the declaration, and another moment by when", level.id),
                "keep after or when; two levels may name the same contacts");
    return;
  }
  if (objective != nullptr && objective->rto > Duration::zero() && level.after >= objective->rto)
    add_error(findings, "escalation.after_rto", level.place,
              fmt::format("level \"{}\" is told {} after the declaration; the RTO of {} is {}", level.id,
                          format_span(level.after), objective->id, format_span(objective->rto)),
              "tell it earlier, or by when: forecast_over_rto");
  if (before == nullptr || before->when != EscalateWhen::kAfter) return;
  const Duration handed_over = before->after + before->acknowledge_within;
  if (level.after < before->after)
    add_error(findings, "escalation.order", level.place,
              fmt::format("level \"{}\" comes before \"{}\", which stands above it", level.id, before->id),
              "put the levels of a severity in order of time");
  else if (before->acknowledge_within > Duration::zero() && level.after > handed_over)
    add_error(findings, "escalation.gap", level.place,
              fmt::format("nobody is told between {}, when \"{}\" had to answer, and {}", format_span(handed_over),
                          before->id, format_span(level.after)),
              fmt::format("write after: {}", format_span(handed_over)));
  else if (level.after < handed_over)
    add_error(findings, "escalation.contradiction", level.place,
              fmt::format("level \"{}\" is told after {}, while \"{}\" may answer until {}", level.id,
                          format_span(level.after), before->id, format_span(handed_over)),
              fmt::format("write after: {}, or let the level before answer within {}", format_span(handed_over),
                          format_span(level.after - before->after)));
}

}  // namespace

void lint_escalation(const Plan& plan, Findings& findings) {
  std::set<std::string_view> covered;
  for (const SeverityObjective& objective : plan.severities) {
    const EscalationLevel* before = nullptr;
    for (const EscalationLevel& level : plan.escalation) {
      if (level.severity != objective.id) continue;
      covered.insert(objective.id);
      check_channels(plan, level, findings);
      check_times(level, before, &objective, findings);
      if (level.acknowledge_within == Duration::zero())
        add_warning(findings, "escalation.no_acknowledgement", level.place,
                    fmt::format("level \"{}\" need not answer", level.id), "add acknowledge_within: 3m");
      before = &level;
    }
  }
  std::set<std::string_view> reported;
  for (const Scenario& scenario : plan.scenarios)
    if (!covered.contains(scenario.severity) && find_severity(plan, scenario.severity) != nullptr &&
        reported.insert(scenario.severity).second)
      add_warning(findings, "escalation.missing", scenario.place,
                  fmt::format("nobody is told of a disaster of severity {}", scenario.severity),
                  "add escalation levels for it");
}

}  // namespace anclora::plan
