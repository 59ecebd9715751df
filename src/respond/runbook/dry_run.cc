#include "respond/runbook/dry_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "respond/runbook/step_context.h"

namespace anclora::respond {
namespace {

class DryContext final : public StepContext {
 public:
  DryContext(const RunWorld& world, const plan::Plan& plan, const RunStep& step, const std::string& environment,
             bool drill, const std::map<std::string, Outputs>& outputs)
      : world_(world), plan_(plan), step_(step), environment_(environment), drill_(drill), outputs_(outputs) {
    deadline_ = world.clock.mono_now() + step.timeout;
  }
  const plan::Plan& plan() const override { return plan_; }
  const plan::Step& step() const override { return step_.step; }
  const plan::Target& target(std::string_view id) const override {
    static const plan::Target kNone;
    const plan::Target* found = find_target(plan_, environment_, id);
    return found != nullptr ? *found : kNone;
  }
  Result<Secret> resolve(std::string_view reference) const override {
    return resolve_reference(world_.files, world_.environment, reference);
  }
  Result<Outputs> outputs_of(std::string_view step_id) const override {
    const auto found = outputs_.find(std::string(step_id));
    if (found != outputs_.end()) return found->second;
    return Error(ErrorKind::kFailedPrecondition, fmt::format("known once {} has run", step_id));
  }
  bool drill() const override { return drill_; }
  const std::string& run_id() const override { return run_id_; }
  const std::string& idempotency_token() const override { return run_id_; }
  Clock& clock() override { return world_.clock; }
  MonoTime deadline() const override { return deadline_; }
  bool cancelled() const override { return world_.stop_requested && world_.stop_requested(); }
  Status before_change(std::string_view what) override {
    return Error(ErrorKind::kFailedPrecondition, fmt::format("a dry run changes nothing: {}", what));
  }
  Status keep(std::string_view, std::string_view) override { return before_change("keep"); }
  Outputs kept() const override { return {}; }
  void note(std::string_view) override {}

 private:
  const RunWorld& world_;
  const plan::Plan& plan_;
  const RunStep& step_;
  const std::string& environment_;
  const bool drill_;
  const std::map<std::string, Outputs>& outputs_;
  const std::string run_id_ = "dry-run";
  MonoTime deadline_;
};

Result<Observation> look(const RunWorld& world, const RunStep& step, StepContext& context) {
  if (step.lacks_action) return Error(ErrorKind::kUnsupported, "this version cannot execute " + step.step.uses);
  ASSIGN_OR_RETURN(const auto action, world.actions.make(step.step.uses));
  return action->probe(context);
}

std::vector<std::size_t> order_of(const RunPlan& run) {
  std::vector<std::size_t> order;
  while (order.size() < run.steps.size())
    for (std::size_t i = 0; i < run.steps.size(); ++i) {
      const auto is_there = [&](std::size_t step) { return std::ranges::find(order, step) != order.end(); };
      if (!is_there(i) && std::ranges::all_of(run.steps[i].needs, is_there)) order.push_back(i);
    }
  return order;
}

}  // namespace

std::vector<DryStep> dry_run(const RunWorld& world, const plan::Plan& plan, const RunPlan& run,
                             const std::string& environment, bool drill) {
  std::vector<DryStep> steps;
  std::map<std::string, Outputs> outputs;
  for (const std::size_t i : order_of(run)) {
    const RunStep& step = run.steps[i];
    DryStep dry;
    dry.id = step.step.id;
    dry.uses = step.step.uses;
    dry.needs = step.step.needs;
    dry.mutates = step.mutates;
    dry.lacks_action = step.lacks_action;
    DryContext context(world, plan, step, environment, drill, outputs);
    Result<Observation> seen = look(world, step, context);
    if (seen) {
      dry.done = seen->done;
      dry.current = seen->current;
      dry.desired = seen->desired;
      dry.call = seen->call;
      if (seen->done == Done::kYes) outputs[dry.id] = seen->outputs;
    } else {
      dry.problem = seen.error().message();
    }
    steps.push_back(std::move(dry));
  }
  return steps;
}

}  // namespace anclora::respond
