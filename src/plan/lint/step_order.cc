// The order that keeps data whole: fence, then data, then the service, then the users; verification after change.
#include <fmt/format.h>

#include "plan/lint/lint.h"
#include "plan/lint/plan_lookup.h"
#include "plan/lint/step_graph.h"

namespace anclora::plan {
namespace {

bool is_fence(const Step& step) { return is_one_of(step, {"redis.fence", "contain.network"}); }
bool stops_writers(const Step& step) {
  return is_fence(step) || is_one_of(step, {"service.stop", "ecs.stop_and_wait"});
}
bool chooses_point(const Step& step) {
  return is_one_of(step, {"recovery_point.select", "recovery_point.bisect", "recovery_point.pin", "redis.evidence",
                          "contain.evidence"});
}
bool brings_service_up(const Step& step) {
  return is_one_of(step, {"service.start", "service.scale", "service.restart", "ecs.scale", "ecs.deploy", "probe.http",
                          "probe.service", "wait.until"});
}

void check_fence(const StepGraph& graph, const Step& step, Findings& findings) {
  if (!is_one_of(step, {"redis.promote", "redis.restore", "redis.switch"}) || graph.any_before(step, is_fence)) return;
  add_error(findings, "step.no_fence", step.place,
            fmt::format("step \"{}\" ({}) runs without the old primary being fenced: two servers may take writes",
                        step.id, step.uses),
            "add a step with uses: redis.fence, and need it");
}

void check_traffic(const StepGraph& graph, const Step& step, Findings& findings) {
  if (!is_one_of(step, {"traffic.flip", "dns.flip"})) return;
  if (!graph.any_before(step, brings_service_up))
    add_error(findings, "order.traffic_before_service", step.place,
              fmt::format("step \"{}\" sends the users before anything shows that the service is up there", step.id),
              "need a step that starts or probes the service at its new place");
  if (!graph.any_before(step, stops_writers))
    add_error(findings, "step.no_fence", step.place,
              fmt::format("step \"{}\" flips traffic while the old side is not fenced: both would work when it returns",
                          step.id),
              "add a step with uses: redis.fence, and need it");
}

void check_proof(const StepGraph& graph, const Scenario& scenario, const Step& step, Findings& findings) {
  const ActionSchema* action = find_action(step.uses);
  if (action == nullptr) return;
  if (action->destructive && !graph.any_before(step, chooses_point))
    add_error(findings, "step.no_recovery_point", step.place,
              fmt::format("step \"{}\" ({}) destroys, and nothing before it chose or kept a recovery point", step.id,
                          step.uses),
              "need a step with recovery_point.select, recovery_point.pin or redis.evidence");
  if (mutates(step) && !action->self_verifying && !graph.any_after(step, verifies))
    add_error(findings, "step.unverified", step.place,
              fmt::format("nothing verifies step \"{}\" ({}) of \"{}\": an exit code proves nothing", step.id,
                          step.uses, scenario.id),
              "add a step that looks (probe.*, redis.verify, queue.canary) and needs it");
}

void check_end(const Scenario& scenario, Findings& findings) {
  bool verified = !scenario.restored.empty();
  bool changes = false;
  for (const Step& step : scenario.steps) {
    verified = verified || verifies(step);
    changes = changes || mutates(step);
  }
  if (changes && !verified)
    add_error(findings, "scenario.no_verification", scenario.place,
              fmt::format("nothing says when \"{}\" is over: the RTO clock never stops", scenario.id),
              "add restored: [{probe: ..., is: up}], or a step that verifies");
}

void check_way_back(const Scenario& scenario, Findings& findings) {
  bool undoable = false;
  bool flips = false;
  for (const Step& step : scenario.steps) {
    const ActionSchema* action = find_action(step.uses);
    undoable = undoable || (action != nullptr && action->undoable && step.undo);
    flips = flips || is_one_of(step, {"traffic.flip", "dns.flip"});
  }
  if (undoable && scenario.undo_window == Duration::zero())
    add_warning(findings, "scenario.no_undo", scenario.place,
                fmt::format("\"{}\" has steps that could be undone, and no undo_window", scenario.id),
                "add undo_window: 20m");
  if (flips && scenario.after.empty())
    add_warning(findings, "scenario.no_failback", scenario.place,
                fmt::format("\"{}\" moves the users and does not say how they come back", scenario.id),
                "add the way back under after:");
}

}  // namespace

void lint_step_order(const Plan& plan, Findings& findings) {
  for (const Scenario& scenario : plan.scenarios) {
    const StepGraph graph(scenario.steps);
    if (!graph.circle().empty()) continue;
    for (const Step& step : scenario.steps) {
      check_fence(graph, step, findings);
      check_traffic(graph, step, findings);
      check_proof(graph, scenario, step, findings);
    }
    check_end(scenario, findings);
    check_way_back(scenario, findings);
  }
}

}  // namespace anclora::plan
