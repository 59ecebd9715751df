// Recovery must not wait for a control plane: of the region that failed, or of the whole provider.
#include <fmt/format.h>

#include <algorithm>

#include "plan/lint/lint.h"
#include "plan/lint/plan_lookup.h"
#include "plan/model/value_access.h"
#include "plan/schema/target_schema.h"

namespace anclora::plan {
namespace {

Plane plane_of(const Step& step, const std::vector<NamedTarget>& targets) {
  const ActionSchema* action = find_action(step.uses);
  if (action == nullptr) return Plane::kNone;
  Plane plane = action->plane;
  for (const NamedTarget& named : targets) {
    const TargetSchema* schema = find_target_schema(named.target->kind);
    const DriverSchema* driver =
        schema == nullptr ? nullptr : find_driver(*schema, text_of(named.target->settings, "driver"));
    if (driver != nullptr && mutates(step)) plane = std::max(plane, driver->plane);
  }
  return plane;
}

// A scenario that moves the users has lost the site that normally serves.
bool leaves_the_primary_site(const Scenario& scenario) {
  return std::ranges::any_of(scenario.steps,
                             [](const Step& step) { return is_one_of(step, {"traffic.flip", "dns.flip"}); });
}

void check_step(const Plan& plan, const Step& step, bool site_lost, const std::string& lost_site, Findings& findings) {
  const auto targets = targets_of(plan, step.uses, step.with);
  const Plane plane = plane_of(step, targets);
  if (site_lost && plane == Plane::kGlobalControl)
    add_error(
        findings, "plane.global", step.place,
        fmt::format(
            "step \"{}\" ({}) depends on a global control plane, which may be down for hours in such a disaster",
            step.id, step.uses),
        "prepare it beforehand and flip by a data plane: traffic with driver s3-object, rfc2136, file or command");
  if (lost_site.empty()) return;
  for (const NamedTarget& named : targets) {
    if (named.target->site != lost_site) continue;
    if (plane == Plane::kRegionalControl)
      add_error(findings, "plane.failed_site", step.place,
                fmt::format("step \"{}\" ({}) needs the control plane of \"{}\", the site that failed", step.id,
                            step.uses, lost_site),
                "act on the standby site only; what must happen at the failed one is done when it is back");
    else if (named.target->kind == "repository")
      add_error(findings, "plane.failed_site", step.place,
                fmt::format("step \"{}\" reads the repository \"{}\" at \"{}\", the site that failed", step.id,
                            named.target->id, lost_site),
                "use the mirror at another site");
    else if (step.uses == "redis.fence" && text_of(step.with, "if_unreachable") != "record")
      add_error(findings, "step.fence_unreachable", step.place,
                fmt::format("step \"{}\" must reach \"{}\" at the site that failed", step.id, named.target->id),
                "add if_unreachable: record; it is fenced as soon as it comes back");
  }
}

}  // namespace

void lint_planes(const Plan& plan, Findings& findings) {
  const std::string primary = primary_site(plan);
  for (const Scenario& scenario : plan.scenarios) {
    const bool lost = leaves_the_primary_site(scenario);
    for (const Step& step : scenario.steps) check_step(plan, step, lost, lost ? primary : std::string(), findings);
  }
}

}  // namespace anclora::plan
