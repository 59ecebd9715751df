#include "plan/lint/step_graph.h"

#include <algorithm>
#include <map>

namespace anclora::plan {

StepGraph::StepGraph(const std::vector<Step>& steps) : steps_(steps), needs_(steps.size()) {
  std::map<std::string_view, std::size_t> by_id;
  for (std::size_t i = 0; i < steps.size(); ++i) by_id.try_emplace(steps[i].id, i);
  std::vector<std::size_t> open(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i)
    for (const std::string& need : steps[i].needs)
      if (const auto found = by_id.find(need); found != by_id.end()) needs_[i].push_back(found->second);
  before_.assign(steps.size(), std::vector<bool>(steps.size(), false));
  std::vector<bool> done(steps.size(), false);
  for (bool moved = true; moved;) {
    moved = false;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (done[i] || !std::ranges::all_of(needs_[i], [&](std::size_t need) { return done[need]; })) continue;
      done[i] = moved = true;
      order_.push_back(i);
      for (const std::size_t need : needs_[i]) {
        before_[i][need] = true;
        for (std::size_t k = 0; k < steps.size(); ++k)
          if (before_[need][k]) before_[i][k] = true;
      }
    }
  }
  const auto stuck = std::ranges::find(done, false);
  if (stuck == done.end()) return;
  // Walk along unfinished needs until a step comes again.
  std::vector<std::size_t> walk;
  std::size_t at = static_cast<std::size_t>(stuck - done.begin());
  while (std::ranges::find(walk, at) == walk.end()) {
    walk.push_back(at);
    at = *std::ranges::find_if(needs_[at], [&](std::size_t need) { return !done[need]; });
  }
  for (auto step = std::ranges::find(walk, at); step != walk.end(); ++step) circle_.push_back(steps[*step].id);
}

bool StepGraph::any_before(const Step& step, const std::function<bool(const Step&)>& satisfies) const {
  const auto& row = before_[index_of(step)];
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (row[i] && satisfies(steps_[i])) return true;
  return false;
}

bool StepGraph::any_after(const Step& step, const std::function<bool(const Step&)>& satisfies) const {
  const std::size_t index = index_of(step);
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (before_[i][index] && satisfies(steps_[i])) return true;
  return false;
}

bool StepGraph::is_before(std::string_view earlier, const Step& step) const {
  return any_before(step, [&](const Step& other) { return other.id == earlier; });
}

StepGraph::Path StepGraph::critical_path(const std::function<Duration(const Step&)>& cost) const {
  std::vector<Duration> until(steps_.size());
  std::vector<std::optional<std::size_t>> via(steps_.size());
  std::optional<std::size_t> last;
  for (const std::size_t i : order_) {
    for (const std::size_t need : needs_[i])
      if (!via[i] || until[need] > until[*via[i]]) via[i] = need;
    until[i] = cost(steps_[i]) + (via[i] ? until[*via[i]] : Duration::zero());
    if (!last || until[i] > until[*last]) last = i;
  }
  Path path;
  for (std::optional<std::size_t> i = last; i; i = via[*i]) path.steps.insert(path.steps.begin(), &steps_[*i]);
  if (last) path.length = until[*last];
  return path;
}

}  // namespace anclora::plan
