#include "app/daemon/plan_watch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "plan/lint/plan_lookup.h"
#include "respond/runbook/step_context.h"

namespace anclora::app {

std::unique_ptr<respond::Watcher> make_watcher(const WatchWorld& world, const plan::Plan& plan,
                                               const std::string& environment_id, const std::string& site,
                                               std::function<void(const respond::RuleVerdict&)> changed) {
  const auto lookup = std::make_shared<respond::PlanLookup>();
  // A copy, for probes are made while the watcher is, and it has the plan for itself.
  const auto kept = std::make_shared<const plan::Plan>(plan);
  lookup->target = [kept, environment_id](std::string_view id) -> const plan::Target& {
    static const plan::Target kNone;
    const plan::Target* target = respond::find_target(*kept, environment_id, id);
    return target == nullptr ? kNone : *target;  // a checked plan names none that is missing
  };
  lookup->resolve = [world](std::string_view reference) {
    return respond::resolve_reference(world.probes.files, world.environment, reference);
  };
  respond::WatcherMeans means{world.clock,
                              [world, lookup, kept](const plan::Probe& probe) {
                                return respond::make_plan_probe(probe.uses, probe.with, *kept, *lookup, world.probes,
                                                                world.clock);
                              },
                              std::move(changed)};
  return std::make_unique<respond::Watcher>(plan, site, std::move(means));
}

Status check_place(const plan::Plan& plan, const std::string& environment_id, const std::string& site) {
  const auto check = [&](const std::string& wanted, const char* what, const auto& known) -> Status {
    const std::vector<std::string> ids = plan::ids_in(known);
    if (wanted.empty() || std::ranges::find(ids, wanted) != ids.end()) return {};
    return Error(ErrorKind::kNotFound, fmt::format("{} has no {} {}", plan.file, what, wanted),
                 fmt::format("it has: {}", fmt::join(ids, ", ")));
  };
  RETURN_IF_ERROR(check(environment_id, "environment", plan.environments));
  return check(site, "site", plan.sites);
}

std::vector<std::string> blind_spots(const plan::Plan& plan, const std::string& site,
                                     const std::vector<respond::ProbeView>& probes) {
  std::vector<std::string> lines;
  for (const plan::Probe& probe : plan.probes) {
    const auto here = respond::vantage_of(probe, site);
    if (!here)
      lines.push_back(fmt::format("{} is looked at from {} only, not from {}: another observer must report it",
                                  probe.id, fmt::join(probe.from, ", "), site));
    else if (probe.from.size() > 1)
      lines.push_back(
          fmt::format("{} is looked at from {} here; what {} vantage points see, other observers must report", probe.id,
                      *here, probe.from.size()));
  }
  for (const respond::ProbeView& view : probes)
    if (view.here && view.last && view.last->reason.starts_with("this version"))
      lines.push_back(fmt::format("{} stays unknown: {}", view.probe, view.last->reason));
  return lines;
}

}  // namespace anclora::app
