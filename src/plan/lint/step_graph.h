// The `needs` of a list of steps: order, critical path, what comes before what.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/plan.h"

namespace anclora::plan {

class StepGraph {
 public:
  // `steps` outlives it. Needs that name nothing are left out.
  explicit StepGraph(const std::vector<Step>& steps);

  // The ids of a circle, in order, when there is one; everything below treats its edges as absent then.
  const std::vector<std::string>& circle() const { return circle_; }
  // True when some step before `step` (by needs, near or far) satisfies it.
  bool any_before(const Step& step, const std::function<bool(const Step&)>& satisfies) const;
  bool any_after(const Step& step, const std::function<bool(const Step&)>& satisfies) const;
  bool is_before(std::string_view earlier, const Step& step) const;

  struct Path {
    Duration length{};
    std::vector<const Step*> steps;  // first to last
  };
  // The longest way through, each step counting `cost`.
  Path critical_path(const std::function<Duration(const Step&)>& cost) const;

 private:
  std::size_t index_of(const Step& step) const { return static_cast<std::size_t>(&step - steps_.data()); }

  const std::vector<Step>& steps_;
  std::vector<std::size_t> order_;         // topological
  std::vector<std::vector<bool>> before_;  // before_[a][b]: b comes before a
  std::vector<std::vector<std::size_t>> needs_;
  std::vector<std::string> circle_;
};

}  // namespace anclora::plan
