#include "app/daemon/run_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "app/view/run_report.h"
#include "respond/runbook/run_folder.h"

namespace anclora::app {
namespace {

// A runner takes its lock a moment after the run's folder is there.
constexpr Duration kLeftFor = std::chrono::seconds(3);
constexpr Duration kBetweenResumes = std::chrono::seconds(15);
constexpr int kFenced = 11;

double seconds(Duration duration) { return static_cast<double>(duration.count()) / 1e6; }

RunView view_of(const StoredRun& stored, WallTime now) {
  const RunReport report{stored.plan, stored.run, stored.state, stored.has_runner, now};
  const respond::Forecast forecast = respond::forecast(stored.run, stored.state, now);
  RunView view;
  view.run = stored.state.run;
  view.scenario = stored.run.scenario;
  view.state = run_state_text(report);
  view.over = stored.state.over();
  view.completed = stored.state.finished;
  view.has_runner = stored.has_runner;
  for (const WaitsFor& each : waits_for(report))
    view.waits_for.push_back(
        fmt::format("{} of {}: {}", each.what, each.step.empty() ? "the scenario" : each.step, each.who));
  view.next_command = next_command(report);
  view.forecast_seconds = seconds(forecast.total);
  view.elapsed_seconds = seconds(forecast.elapsed);
  view.over_rto = forecast.over_rto;
  view.over_rto_max = forecast.over_rto_max;
  view.elapsed_over_rto = stored.run.rto > Duration::zero() && forecast.elapsed > stored.run.rto;
  view.elapsed_over_rto_max = stored.run.rto_max > Duration::zero() && forecast.elapsed > stored.run.rto_max;
  view.ended = stored.state.ended;
  return view;
}

bool is_ours(const StoredRun& stored, const plan::Plan& plan) {
  return stored.plan.service == plan.service && stored.run.part == respond::RunPart::kRecovery && !stored.state.drill;
}

}  // namespace

Result<RunView> view_run(const CommandContext& context, const std::string& run) {
  ASSIGN_OR_RETURN(const StoredRun stored, read_run(context, run));
  return view_of(stored, context.clock.wall_now());
}

RunDesk::RunDesk(const CommandContext& context, const plan::Plan& plan, StartChild start)
    : context_(context), plan_(plan), start_{std::move(start)} {}

Result<std::string> RunDesk::start(const RunOrder& order) {
  if (is_active(order.scenario))
    return Error(ErrorKind::kAlreadyExists, fmt::format("{} is being run already", order.scenario),
                 "see it: anclora run status");
  const std::string run = respond::make_run_id(order.scenario, context_.clock.wall_now(), context_.random);
  ChildSpec spec;
  spec.name = "run " + run;
  spec.words = {"run", "start", order.scenario, "--plan", plan_.file, "--yes", "--named", run};
  if (!kept_plan_.empty()) spec.words.insert(spec.words.end(), {"--kept-plan", kept_plan_});
  if (!order.rule.empty()) spec.words.insert(spec.words.end(), {"--rule", order.rule});
  if (!order.contact.empty()) spec.words.insert(spec.words.end(), {"--as", order.contact});
  if (order.out_since) spec.words.insert(spec.words.end(), {"--since", format_rfc3339(*order.out_since)});
  if (order.detected) spec.words.insert(spec.words.end(), {"--detected", format_rfc3339(*order.detected)});
  children_.emplace(run, std::make_unique<Child>(std::move(spec), start_, context_.clock));
  RunView begun;
  begun.run = run;
  begun.scenario = order.scenario;
  begun.state = "running";
  active_.push_back(std::move(begun));
  children_.at(run)->tick();
  return run;
}

bool RunDesk::is_active(const std::string& scenario) const {
  return std::ranges::any_of(active_, [&](const RunView& view) { return view.scenario == scenario; });
}

std::vector<RunView> RunDesk::tick() {
  for (auto child = children_.begin(); child != children_.end();) {
    const auto status = child->second->tick();
    if (status && *status == kFenced) given_up_.insert(child->first);
    if (status && *status != 0 && !context_.files.stat(runs_folder(context_) + "/" + child->first))
      problems_.push_back(fmt::format("run {} did not begin (exit code {})", child->first, *status));
    child = child->second->over() ? children_.erase(child) : std::next(child);
  }
  std::vector<RunView> ended;
  const auto runs = respond::list_runs(context_.files, runs_folder(context_));
  active_.clear();
  if (!runs) return ended;
  for (const std::string& run : *runs) look_at(run, ended);
  // Started, and not on the disk yet.
  for (const auto& [run, child] : children_) {
    const bool seen = std::ranges::any_of(active_, [&id = run](const RunView& view) { return view.run == id; });
    if (seen || over_.contains(run) || child->spec().words.at(1) != "start") continue;
    RunView begun;
    begun.run = run;
    begun.scenario = child->spec().words.at(2);
    begun.state = "running";
    begun.has_runner = true;
    active_.push_back(std::move(begun));
  }
  return ended;
}

void RunDesk::look_at(const std::string& run, std::vector<RunView>& ended) {
  if (over_.contains(run)) return;
  const auto stored = read_run(context_, run);
  if (!stored) {
    // Being created, or damaged: the first will be readable soon, the second is what `run status` tells.
    return;
  }
  if (!is_ours(*stored, plan_)) {
    over_.insert(run);
    return;
  }
  RunView view = view_of(*stored, context_.clock.wall_now());
  if (view.over) {
    over_.insert(run);
    ended.push_back(std::move(view));
    return;
  }
  resume_if_left(view);
  active_.push_back(std::move(view));
}

void RunDesk::resume_if_left(const RunView& view) {
  const MonoTime now = context_.clock.mono_now();
  if (view.has_runner || children_.contains(view.run) || given_up_.contains(view.run)) {
    left_since_.erase(view.run);
    return;
  }
  const MonoTime since = left_since_.emplace(view.run, now).first->second;
  if (now - since < kLeftFor || now < not_before_[view.run]) return;
  not_before_[view.run] = now + kBetweenResumes;
  ChildSpec spec;
  spec.name = "run " + view.run;
  spec.words = {"run", "resume", "--run", view.run};
  auto child = std::make_unique<Child>(std::move(spec), start_, context_.clock);
  child->tick();
  children_.emplace(view.run, std::move(child));
}

std::vector<std::string> RunDesk::take_problems() { return std::exchange(problems_, {}); }

void RunDesk::ask_to_end() {
  for (const auto& [run, child] : children_) child->ask_to_end();
}

void RunDesk::wait_or_kill(Duration timeout) {
  const MonoTime deadline = context_.clock.mono_now() + timeout;
  for (const auto& [run, child] : children_)
    child->wait_or_kill(std::max(Duration::zero(), Duration(deadline - context_.clock.mono_now())));
}

std::vector<const Child*> RunDesk::children() const {
  std::vector<const Child*> all;
  all.reserve(children_.size());
  for (const auto& [run, child] : children_) all.push_back(child.get());
  return all;
}

}  // namespace anclora::app
