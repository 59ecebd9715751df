// Detection: nothing begins by itself on one opinion, and every scenario is noticed and declared by somebody.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "plan/lint/lint.h"
#include "plan/lint/plan_lookup.h"
#include "plan/lint/step_graph.h"
#include "plan/schema/span.h"

namespace anclora::plan {
namespace {

std::vector<const Condition*> conditions_of(const Detection& detection) {
  std::vector<const Condition*> conditions;
  for (const auto* list : {&detection.all, &detection.any})
    for (const Condition& condition : *list) conditions.push_back(&condition);
  return conditions;
}

void check_vantages(const Plan& plan, const Condition& condition, Findings& findings) {
  const Probe* probe = find_probe(plan, condition.probe);
  if (probe == nullptr) return;
  const std::set<std::string_view> places(probe->from.begin(), probe->from.end());
  const std::size_t vantages = std::max<std::size_t>(places.size(), 1);
  if (condition.at_least == 0 || condition.at_least > vantages)
    add_error(findings, "detection.too_few_vantages", condition.place,
              fmt::format("at_least is {}, and probe \"{}\" looks from {}", condition.at_least, probe->id, vantages),
              "list more sites in the probe's from, or ask for fewer");
}

// While the unrelated fails we cannot tell what else does.
void check_unrelated(const Plan& plan, const Detection& detection, const Condition& condition, Findings& findings) {
  const Probe* probe = find_probe(plan, condition.probe);
  if (probe == nullptr || !probe->control) return;
  add_error(findings, "detection.control", condition.place,
            fmt::format("\"{}\" looks at the control probe \"{}\", which tells only whether we are cut off",
                        detection.id, probe->id),
            "ask another probe, or leave control out");
}

void check_start(const Detection& detection, Findings& findings) {
  if (!detection.start) return;
  std::uint32_t most = 0;
  std::set<std::string_view> probes;
  for (const Condition* condition : conditions_of(detection)) {
    most = std::max(most, condition->at_least);
    probes.insert(condition->probe);
  }
  if (most < 2)
    add_error(findings, "detection.one_vantage", detection.place,
              fmt::format("\"{}\" may start \"{}\" by itself on what one vantage point sees", detection.id,
                          detection.scenario),
              "ask for at_least: 2 of three vantage points, or leave start out: then a person declares");
  if (detection.quiet_after == Duration::zero())
    add_warning(findings, "detection.may_flap", detection.place,
                fmt::format("\"{}\" may start again at once", detection.id), "add quiet_after: 1h");
}

void check_scenario(const Plan& plan, const Scenario& scenario, Findings& findings) {
  bool detected = false;
  bool proposed = false;
  for (const Detection& detection : plan.detections) {
    if (detection.scenario != scenario.id) continue;
    detected = true;
    proposed = proposed || !detection.start;
  }
  if (!detected)
    add_error(findings, "scenario.no_detection", scenario.place,
              fmt::format("nothing detects \"{}\": its RTO cannot be proved", scenario.id),
              "add a detection with scenario: " + scenario.id);
  if ((proposed || !detected) && !scenario.declare)
    add_error(findings, "scenario.no_declaration", scenario.place,
              fmt::format("it is not said who declares \"{}\", and how fast", scenario.id),
              "add declare: {roles: [oncall], timeout: 2m}");
}

std::string_view word(ProbeState state) {
  return state == ProbeState::kUp ? "up" : state == ProbeState::kDown ? "down" : "unknown";
}

// Two states of one probe, of more vantage points than it has.
void check_contradiction(const Plan& plan, const std::vector<Condition>& conditions, Findings& findings) {
  for (auto one = conditions.begin(); one != conditions.end(); ++one)
    for (auto other = one + 1; other != conditions.end(); ++other) {
      const Probe* probe = find_probe(plan, one->probe);
      if (probe == nullptr || one->probe != other->probe || one->is == other->is) continue;
      if (std::size_t{one->at_least} + other->at_least > std::max<std::size_t>(probe->from.size(), 1))
        add_error(findings, "detection.contradiction", other->place,
                  fmt::format("\"{}\" cannot be {} and {} at once", one->probe, word(one->is), word(other->is)),
                  "keep one of them, or put them under any");
    }
}

// What is up holds on every good day.
void check_normal_state(const Detection& detection, Findings& findings) {
  const auto conditions = conditions_of(detection);
  if (!conditions.empty() &&
      std::ranges::all_of(conditions, [](const Condition* one) { return one->is == ProbeState::kUp; }))
    add_error(findings, "detection.normal", detection.place,
              fmt::format("\"{}\" holds while everything is well: all that it asks for is up", detection.id),
              "a disaster is something that is down; leave `is` out");
}

void check_restored(const Plan& plan, const Scenario& scenario, Findings& findings) {
  for (const Condition& condition : scenario.restored) check_vantages(plan, condition, findings);
  check_contradiction(plan, scenario.restored, findings);
  if (!scenario.restored.empty() &&
      std::ranges::none_of(scenario.restored, [](const Condition& one) { return one.is == ProbeState::kUp; }))
    add_error(findings, "scenario.no_verification", scenario.restored.front().place,
              fmt::format("\"{}\" would be over when nothing is up", scenario.id), "restored: [{probe: ..., is: up}]");
}

}  // namespace

void lint_detection(const Plan& plan, Findings& findings) {
  std::set<std::string_view> used;
  for (const Detection& detection : plan.detections) {
    const auto conditions = conditions_of(detection);
    if (conditions.empty())
      add_error(findings, "detection.empty", detection.place, fmt::format("\"{}\" has no condition", detection.id),
                "add all: [{probe: ..., is: down}]");
    for (const Condition* condition : conditions) {
      check_vantages(plan, *condition, findings);
      check_unrelated(plan, detection, *condition, findings);
      used.insert(condition->probe);
    }
    check_start(detection, findings);
    check_normal_state(detection, findings);
    check_contradiction(plan, detection.all, findings);
  }
  for (const Scenario& scenario : plan.scenarios) {
    check_scenario(plan, scenario, findings);
    check_restored(plan, scenario, findings);
    for (const Condition& condition : scenario.restored) used.insert(condition.probe);
    for (const auto* steps : scenario.step_lists())
      for (const Step& step : *steps)
        for (const char* key : {"probe", "check", "invariants"})
          if (const Value* value = step.with.find(key)) used.insert(value->text);
  }
  for (const Probe& probe : plan.probes)
    if (!used.contains(probe.id) && !probe.control)
      add_warning(findings, "probe.unused", probe.place, fmt::format("nothing uses probe \"{}\"", probe.id),
                  "name it in a detection or in restored, or remove it");
}

}  // namespace anclora::plan
