// What ServeLoop watches, when it does not, and what people and runs have silenced.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "app/cli/drill_site.h"
#include "app/daemon/serve_loop.h"

namespace anclora::app {
namespace {

constexpr Duration kLookForDrills = std::chrono::seconds(1);

}  // namespace

std::shared_ptr<respond::Watcher> ServeLoop::watcher() const {
  const std::lock_guard lock(mutex_);
  return watcher_;
}

std::shared_ptr<respond::Watcher> ServeLoop::make_watch() {
  return make_watcher({probe_means(context_), context_.clock, context_.environment}, plan_, "", options_.site,
                      [this](const respond::RuleVerdict& verdict) {
                        const std::lock_guard lock(mutex_);
                        changes_.push_back(verdict);
                        wake_.notify_all();
                      });
}

bool ServeLoop::is_guarded(const std::string& environment) const {
  const auto found = std::ranges::find(plan_.environments, environment, &plan::Environment::id);
  return found != plan_.environments.end() && found->everything;
}

// Whether a drill, also one by hand, or the cleanup after one, is under way on what this plan guards.
bool ServeLoop::is_drilled() const {
  if (!all_is_sandbox_) return false;
  // One that was begun just now has told nobody yet.
  for (const auto& [name, child] : working_) {
    const auto& words = child->spec().words;
    if (name.starts_with("drill ") && child->running() && (words.at(1) == "clean" || words.at(2) != "restore"))
      return true;
  }
  const auto running = respond::running_drills(context_.files, drills_folder(context_));
  return running && std::ranges::any_of(*running, [this](const respond::BegunDrill& drill) {
           return drill.service == plan_.service && is_guarded(drill.environment);
         });
}

// Why it is no time to play a disaster on what is guarded; empty: it is.
std::string ServeLoop::what_is_wrong() const {
  for (const respond::RuleVerdict& verdict : watcher_->verdicts())
    if (verdict.state != respond::RuleState::kQuiet)
      return fmt::format("rule {} is {}", verdict.rule, respond::to_string(verdict.state));
  return {};
}

// A disaster that is played must call nobody and begin no run, and its beacon is the drill's to keep.
void ServeLoop::watch_or_rest() {
  const MonoTime now = context_.clock.mono_now();
  if (!all_is_sandbox_ || now - rest_looked_ < kLookForDrills) return;
  rest_looked_ = now;
  const bool drilled = is_drilled();
  if (drilled && !resting_) rest("a drill is run, or cleaned up after, on all that this plan has");
  if (drilled || !resting_) return;
  if (const Status begun = watch(); !begun) say("nothing is watched: " + begun.error().to_string());
}

// A plan that is being edited must not take effect half-written, nor in the middle of an incident.
void ServeLoop::look_at_plan_file() {
  const std::string note = plan_file_->note();
  {
    const std::lock_guard lock(mutex_);
    if (note == plan_file_note_) return;
    plan_file_note_ = note;
  }
  say(note.empty() ? plan_.file + " is again what it was at the start" : "note: " + note);
}

void ServeLoop::rest(const std::string& why) {
  say(why + ": nothing is watched until that ends");
  watcher_->stop();
  beacons_.clear();
  const std::lock_guard lock(mutex_);
  changes_.clear();
  resting_ = true;
}

// Anew after a rest: what probes remember of a server (its beacon) is not of the one that the drill put back.
Status ServeLoop::watch() {
  ASSIGN_OR_RETURN(beacons_, beat_());
  const bool again = resting_;
  if (again) {
    auto fresh = make_watch();
    const std::lock_guard lock(mutex_);
    watcher_ = std::move(fresh);
    resting_ = false;
  }
  if (again) say("that is over: everything is watched");
  for (const auto& [scenario, run] : completed_) silence(run);
  watcher_->start();
  return {};
}

Status ServeLoop::report(const std::string& probe, const std::string& vantage, respond::Reading reading) {
  return watcher()->report(probe, vantage, std::move(reading));
}

// Its rules start nothing until a person releases them; what was released since then stays released, and what was seen
// well since then is another loss when it is seen bad.
void ServeLoop::silence(const RunView& run) {
  if (!run.completed) return;
  watcher_->acted(run.scenario, true);
  JobDiary diary(context_.files, folder("jobs"));  // anew: releases come from the API's threads
  for (const plan::Detection& rule : plan_.detections) {
    const auto released = diary.last("released " + rule.id);
    if (rule.scenario != run.scenario || !run.ended) continue;
    if (released && *released > *run.ended)
      static_cast<void>(watcher_->release(rule.id));  // not silenced: there is nothing to release
    const auto well = diary.last("well " + rule.id);
    if (well && *well > *run.ended) watcher_->seen_well(rule.id);
  }
}

// Kept over restarts: a loss while nobody watches is told by the next start.
void ServeLoop::keep_seen_well(const respond::RuleVerdict& verdict) {
  if (!verdict.acted_at || !verdict.well_since_acted || verdict.state != respond::RuleState::kQuiet) return;
  JobDiary diary(context_.files, folder("jobs"));
  if (const Status kept = diary.ran("well " + verdict.rule, 0, context_.clock.wall_now()); !kept)
    say("not kept over a restart: " + kept.error().to_string());
}

Status ServeLoop::release(const std::string& rule) {
  RETURN_IF_ERROR(watcher()->release(rule));
  JobDiary diary(context_.files, folder("jobs"));
  return diary.ran("released " + rule, 0, context_.clock.wall_now());
}

}  // namespace anclora::app
