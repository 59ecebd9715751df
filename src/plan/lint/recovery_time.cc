#include "plan/lint/recovery_time.h"

#include <fmt/format.h>

#include <algorithm>

#include "plan/lint/lint.h"
#include "plan/lint/plan_lookup.h"
#include "plan/model/value_access.h"
#include "plan/schema/span.h"

namespace anclora::plan {
namespace {

Duration time_to_flip(const Probe& probe, std::uint32_t in_a_row) {
  return probe.every * std::max<std::uint32_t>(in_a_row, 1) + probe.timeout;
}

Duration dns_time(const Plan& plan, const Step& step) {
  if (!is_one_of(step, {"traffic.flip", "dns.flip"})) return {};
  const Target* target = find_target(plan, text_of(step.with, "target"));
  return target == nullptr ? Duration::zero() : duration_of(target->settings, "ttl");
}

std::string parts(const RecoveryTime& time) {
  return fmt::format("detection {} + declaration {} + steps {} ({}{}) + verification {} = {}", format_span(time.detect),
                     format_span(time.declare), format_span(time.act), fmt::join(time.path, " > "),
                     time.dns > Duration::zero() ? ", with " + format_span(time.dns) + " of DNS" : std::string(),
                     format_span(time.verify), format_span(time.total()));
}

void check_scenario(const Plan& plan, const Scenario& scenario, Findings& findings) {
  const SeverityObjective* objective = find_severity(plan, scenario.severity);
  if (objective == nullptr) return;
  const RecoveryTime time = recovery_time(plan, scenario);
  const char* hint = "shorten what is on the critical path, let steps run side by side, detect faster, or promise less";
  const bool over_max = objective->rto_max > Duration::zero() && time.total() > objective->rto_max;
  if (over_max)
    add_error(findings, "objective.rto_max", scenario.place,
              fmt::format("\"{}\" takes longer than the maximum RTO of {} for {}: {}", scenario.id,
                          format_span(objective->rto_max), objective->id, parts(time)),
              hint);
  else if (objective->rto > Duration::zero() && time.total() > objective->rto)
    add_error(findings, "objective.rto", scenario.place,
              fmt::format("\"{}\" misses the RTO of {} for {}: {}", scenario.id, format_span(objective->rto),
                          objective->id, parts(time)),
              hint);
}

}  // namespace

Duration detection_time(const Plan& plan, const Detection& detection) {
  const auto slowest = [&](const std::vector<Condition>& conditions) {
    Duration longest{};
    for (const Condition& condition : conditions)
      if (const Probe* probe = find_probe(plan, condition.probe))
        longest = std::max(longest, time_to_flip(*probe, probe->bad_in_a_row));
    return longest;
  };
  return std::max(slowest(detection.all), slowest(detection.any)) + detection.for_time;
}

RecoveryTime recovery_time(const Plan& plan, const Scenario& scenario) {
  RecoveryTime time;
  bool declared_by_person = false;
  for (const Detection& detection : plan.detections) {
    if (detection.scenario != scenario.id) continue;
    time.detect = std::max(time.detect, detection_time(plan, detection));
    declared_by_person = declared_by_person || !detection.start;
  }
  if (declared_by_person && scenario.declare) time.declare = scenario.declare->timeout;
  const auto cost = [&](const Step& step) {
    return step.budget + (step.approve ? step.approve->timeout : Duration::zero()) + dns_time(plan, step);
  };
  const StepGraph graph(scenario.steps);
  const StepGraph::Path path = graph.critical_path(cost);
  time.act = path.length;
  for (const Step* step : path.steps) {
    time.path.push_back(step->id);
    time.dns += dns_time(plan, *step);
  }
  for (const Condition& condition : scenario.restored)
    if (const Probe* probe = find_probe(plan, condition.probe))
      time.verify = std::max(time.verify, time_to_flip(*probe, probe->good_in_a_row));
  return time;
}

void lint_recovery_time(const Plan& plan, Findings& findings) {
  for (const SeverityObjective& objective : plan.severities)
    if (objective.rto > objective.rto_max && objective.rto_max > Duration::zero())
      add_error(findings, "objective.order", objective.place,
                fmt::format("rto of {} ({}) is longer than rto_max ({})", objective.id, format_span(objective.rto),
                            format_span(objective.rto_max)),
                "rto is the target, rto_max what can be borne");
  for (const Scenario& scenario : plan.scenarios) check_scenario(plan, scenario, findings);
}

}  // namespace anclora::plan
