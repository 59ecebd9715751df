// Drills: every scenario is rehearsed, in a sandbox that replaces everything it changes, and lately.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "plan/lint/lint.h"
#include "plan/lint/plan_lookup.h"
#include "plan/model/value_access.h"
#include "plan/schema/span.h"

namespace anclora::plan {
namespace {

const Environment* find_environment(const Plan& plan, std::string_view id) {
  const auto found = std::ranges::find(plan.environments, id, &Environment::id);
  return found == plan.environments.end() ? nullptr : &*found;
}

// The sandbox's server has to allow it itself, as production's does.
void check_fillable(const Scenario& scenario, const Environment& environment, Findings& findings) {
  for (const Step& step : scenario.steps) {
    if (step.uses != "redis.restore") continue;
    const auto target = std::ranges::find(environment.targets, text_of(step.with, "to"), &Target::id);
    if (target != environment.targets.end() && !boolean_of(target->settings, "allow_restore", false))
      add_error(findings, "step.restore_not_allowed", target->place,
                fmt::format("\"{}\" of environment \"{}\" does not allow to be filled: the drill of \"{}\" would stop",
                            target->id, environment.id, scenario.id),
                "add allow_restore: true to it");
  }
}

// What a drill would change outside: each must have a replacement in the sandbox.
void check_sandbox(const Plan& plan, const DrillSchedule& drill, const Environment& environment, Findings& findings) {
  const Scenario* scenario = find_scenario(plan, drill.scenario);
  if (scenario == nullptr || environment.everything) return;
  std::set<std::string_view> missing;
  for (const auto* steps :
       {&scenario->prepare, &scenario->inject, &scenario->steps, &scenario->after, &scenario->cleanup})
    for (const Step& step : *steps) {
      if (!mutates(step)) continue;
      for (const NamedTarget& named : targets_of(plan, step.uses, step.with)) {
        const bool replaced = std::ranges::any_of(environment.targets,
                                                  [&](const Target& target) { return target.id == named.target->id; });
        // Recovery points are read from the real repository: that is what the drill proves.
        if (!replaced && named.target->kind != "repository") missing.insert(named.target->id);
      }
    }
  check_fillable(*scenario, environment, findings);
  if (!missing.empty())
    add_error(findings, "environment.incomplete", drill.place,
              fmt::format("a drill of \"{}\" in \"{}\" would change production: {}", drill.scenario, environment.id,
                          fmt::join(missing, ", ")),
              "give these targets other addresses in the environment");
}

void check_drill(const Plan& plan, const DrillSchedule& drill, Findings& findings) {
  if (drill.environment.empty()) {
    if (drill.scenario != "restore")
      add_error(findings, "drill.no_environment", drill.place,
                fmt::format("it is not said where the drill \"{}\" runs", drill.id), "add environment: a sandbox");
    return;
  }
  const Environment* environment = find_environment(plan, drill.environment);
  if (environment == nullptr) return;
  if (!environment->sandbox)
    add_error(findings, "drill.not_sandbox", drill.place,
              fmt::format("the drill \"{}\" runs in \"{}\", which is no sandbox", drill.id, drill.environment),
              "add sandbox: true to the environment, if nothing in it is production");
  else
    check_sandbox(plan, drill, *environment, findings);
}

void check_results(const DrillSchedule& drill, const CheckOptions& options, Findings& findings) {
  if (!options.drills) return;
  const DrillResult* passed = newest_passed(*options.drills, drill.scenario);
  if (passed == nullptr) {
    add_warning(findings, "drill.never_passed", drill.place, fmt::format("the drill \"{}\" has never passed", drill.id),
                "run it: anclora drill run " + drill.scenario);
  } else if (options.now && *options.now - passed->ended > drill.every) {
    add_warning(findings, "drill.overdue", drill.place,
                fmt::format("the drill \"{}\" last passed {} ago; it is due every {}", drill.id,
                            format_duration(std::chrono::duration_cast<Duration>(*options.now - passed->ended)),
                            format_span(drill.every)),
                "run it: anclora drill run " + drill.scenario);
  }
}

}  // namespace

void lint_drills(const Plan& plan, const CheckOptions& options, Findings& findings) {
  for (const DrillSchedule& drill : plan.drills) {
    check_drill(plan, drill, findings);
    check_results(drill, options, findings);
  }
  for (const Scenario& scenario : plan.scenarios)
    if (std::ranges::none_of(plan.drills, [&](const DrillSchedule& drill) { return drill.scenario == scenario.id; }))
      add_warning(findings, "drill.never_scheduled", scenario.place,
                  fmt::format("\"{}\" is never rehearsed", scenario.id), "add a drill with scenario: " + scenario.id);
}

}  // namespace anclora::plan
