#include "respond/detect/watcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace anclora::respond {
namespace {

// Rules with `for` come true by time alone.
constexpr Duration kJudgeAtLeastEvery = std::chrono::milliseconds(200);
constexpr Duration kLongestDefaultTimeout = std::chrono::seconds(5);
constexpr Duration kClocksApart = std::chrono::minutes(2);
constexpr Duration kShortestPause = std::chrono::milliseconds(5);

std::vector<std::string> vantages_of(const plan::Probe& probe) {
  return probe.from.empty() ? std::vector<std::string>{"here"} : probe.from;
}

bool is_news(const RuleVerdict& verdict, const RuleVerdict& before) {
  return verdict.state != before.state || verdict.acted_at.has_value() != before.acted_at.has_value() ||
         verdict.well_since_acted != before.well_since_acted;
}

}  // namespace

struct Watcher::Seat {
  const plan::Probe* plan = nullptr;
  std::string vantage;
  std::unique_ptr<Probe> probe;  // nullptr: it cannot be made
  std::string problem;
};

Duration look_timeout(const plan::Probe& probe) {
  if (probe.timeout > Duration::zero()) return probe.timeout;
  return std::clamp<Duration>(probe.every * 6 / 10, std::chrono::milliseconds(1), kLongestDefaultTimeout);
}

Duration until_next_look(const plan::Probe& probe, const ProbeTrack& track) {
  const bool contradicts = track.last() && track.last()->state != track.state();
  return std::max(kShortestPause, contradicts ? probe.every * 2 / 3 : probe.every);
}

std::optional<std::string> vantage_of(const plan::Probe& probe, const std::string& site) {
  if (probe.from.empty()) return "here";
  if (site.empty()) return probe.from.front();
  if (std::ranges::find(probe.from, site) == probe.from.end()) return std::nullopt;
  return site;
}

Watcher::Watcher(plan::Plan plan, std::string site, WatcherMeans means)
    : plan_(std::move(plan)), means_(std::move(means)), detector_{plan_} {
  for (const plan::Probe& probe : plan_.probes) {
    const auto vantage = vantage_of(probe, site);
    if (!vantage) continue;
    auto seat = std::make_unique<Seat>();
    seat->plan = &probe;
    seat->vantage = *vantage;
    if (auto made = means_.make(probe))
      seat->probe = std::move(*made);
    else
      seat->problem = made.error().message();
    seats_.push_back(std::move(seat));
  }
  verdicts_ = detector_.judge(means_.clock.wall_now());
  judged_at_ = means_.clock.mono_now();
}

Watcher::~Watcher() { stop(); }

void Watcher::start() {
  if (!threads_.empty()) return;
  for (const auto& seat : seats_) threads_.emplace_back([this, &seat] { watch(*seat); });
  threads_.emplace_back([this] { judge_always(); });
}

void Watcher::look_once() {
  std::vector<std::thread> looking;
  looking.reserve(seats_.size());
  for (const auto& seat : seats_) looking.emplace_back([this, &seat] { look(*seat); });
  for (std::thread& thread : looking) thread.join();
}

void Watcher::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

bool Watcher::wait_until(MonoTime due) {
  std::unique_lock lock(mutex_);
  wake_.wait_until(lock, due, [this] { return stopping_; });
  return !stopping_;
}

void Watcher::look(Seat& seat) {
  Reading reading;
  if (seat.probe != nullptr) {
    reading = seat.probe->look(look_timeout(*seat.plan));
  } else {
    reading.at = means_.clock.wall_now();
    reading.reason = seat.problem;
  }
  const std::lock_guard lock(mutex_);
  // The probe and its vantage point are the plan's own.
  static_cast<void>(detector_.add(seat.plan->id, seat.vantage, std::move(reading)));
  news_ = true;
  wake_.notify_all();
}

void Watcher::watch(Seat& seat) {
  // One that cannot be made is as unknown in an hour as it is now.
  if (seat.probe == nullptr) return look(seat);
  MonoTime due = system_clock().mono_now();
  do {
    const MonoTime begun = system_clock().mono_now();
    look(seat);
    const std::lock_guard lock(mutex_);
    // Without catching up: looks that were missed tell nothing any more.
    due = begun + until_next_look(*seat.plan, *detector_.track(seat.plan->id, seat.vantage));
  } while (wait_until(due));
}

bool Watcher::judge_once() {
  std::vector<RuleVerdict> changed;
  {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kJudgeAtLeastEvery, [this] { return stopping_ || news_; });
    if (stopping_) return false;
    news_ = false;
    std::vector<RuleVerdict> judged = detector_.judge(means_.clock.wall_now());
    for (std::size_t i = 0; i < judged.size(); ++i)
      if (is_news(judged[i], verdicts_[i])) changed.push_back(judged[i]);
    verdicts_ = std::move(judged);
    judged_at_ = means_.clock.mono_now();
  }
  if (means_.changed)
    for (const RuleVerdict& verdict : changed) means_.changed(verdict);
  return true;
}

void Watcher::judge_always() {
  while (judge_once()) {
  }
}

Status Watcher::report(const std::string& probe, const std::string& vantage, Reading reading) {
  const WallTime now = means_.clock.wall_now();
  const Duration apart = now > reading.at ? now - reading.at : reading.at - now;
  // It would be in the outage's time, and so in the RTO.
  if (apart > kClocksApart)
    return Error(ErrorKind::kInvalidArgument,
                 fmt::format("the look at {} is of {}, {} from our time", probe, format_rfc3339(reading.at),
                             format_duration(apart)),
                 "set both clocks by NTP; what is older than that need not be reported");
  reading.received = now;
  const std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(detector_.add(probe, vantage, std::move(reading)));
  news_ = true;
  wake_.notify_all();
  return {};
}

void Watcher::acted(const std::string& scenario, bool completed) {
  const std::lock_guard lock(mutex_);
  detector_.acted(scenario, completed, means_.clock.wall_now());
  news_ = true;
  wake_.notify_all();
}

void Watcher::seen_well(const std::string& rule) {
  const std::lock_guard lock(mutex_);
  detector_.seen_well(rule);
}

Status Watcher::release(const std::string& rule) {
  const std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(detector_.release(rule));
  news_ = true;
  wake_.notify_all();
  return {};
}

std::vector<ProbeView> Watcher::probes() const {
  std::vector<ProbeView> views;
  const std::lock_guard lock(mutex_);
  for (const plan::Probe& probe : plan_.probes) {
    for (const std::string& vantage : vantages_of(probe)) {
      const ProbeTrack* track = detector_.track(probe.id, vantage);
      const bool here = std::ranges::any_of(
          seats_, [&](const auto& seat) { return seat->plan == &probe && seat->vantage == vantage; });
      views.push_back({probe.id, probe.uses, vantage, probe.control, here, track->state(), track->last(),
                       track->down_since(), track->changed_at()});
    }
  }
  return views;
}

std::vector<RuleVerdict> Watcher::verdicts() const {
  const std::lock_guard lock(mutex_);
  return verdicts_;
}

bool Watcher::isolated() const {
  const std::lock_guard lock(mutex_);
  return detector_.isolated();
}

MonoTime Watcher::judged_at() const {
  const std::lock_guard lock(mutex_);
  return judged_at_;
}

}  // namespace anclora::respond
