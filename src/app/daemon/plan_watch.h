// A Watcher over the real world: a plan's probes with their targets and references looked up.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "respond/actions/plan_probe.h"
#include "respond/detect/watcher.h"

namespace anclora::app {

struct WatchWorld {
  respond::ProbeMeans probes;
  Clock& clock;
  std::function<std::optional<std::string>(const std::string&)> environment;  // for env: references
};

// `environment_id`: whose targets are looked at, "" for the plan's own; `site`: where this process looks from.
std::unique_ptr<respond::Watcher> make_watcher(const WatchWorld& world, const plan::Plan& plan,
                                               const std::string& environment_id, const std::string& site,
                                               std::function<void(const respond::RuleVerdict&)> changed);

// kNotFound, naming those there are, when the plan has no such environment or site. Either may be empty.
Status check_place(const plan::Plan& plan, const std::string& environment_id, const std::string& site);

// What keeps a rule from ever coming true here, a line each: vantage points that only others can report from, probes
// that this version cannot look with or whose settings cannot be read.
std::vector<std::string> blind_spots(const plan::Plan& plan, const std::string& site,
                                     const std::vector<respond::ProbeView>& probes);

}  // namespace anclora::app
