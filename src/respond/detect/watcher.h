// Looks at everything that a plan watches, without end: a thread for each probe, one that judges. The Detector decides;
// this only gives it readings and time, and tells what changed.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "respond/detect/detector.h"
#include "respond/detect/probe.h"

namespace anclora::respond {

struct WatcherMeans {
  Clock& clock;  // its wall time dates and judges; the pauses between two looks are real time
  // An error is an answer too: the probe stays unknown, with the error as its reason.
  std::function<Result<std::unique_ptr<Probe>>(const plan::Probe&)> make;
  // A rule's state became another, or what it may start. One call at a time, from the judging thread, without a lock
  // held; it may take its time, but nothing is judged meanwhile.
  std::function<void(const RuleVerdict&)> changed;
};

// One probe at one vantage point, as it was last seen.
struct ProbeView {
  std::string probe, uses, vantage;
  bool control = false;
  bool here = false;  // this process looks; else another observer reports
  ProbeState state = ProbeState::kUnknown;
  std::optional<Reading> last;
  std::optional<WallTime> down_since, changed_at;
};

// How long a look may take: the probe's timeout, else 6/10 of its `every`, at most 5 s.
Duration look_timeout(const plan::Probe& probe);
// From the begin of one look to the next: `every`, and two thirds of it while the looks contradict the state, so that a
// dead server that is looked at each second is down within three.
Duration until_next_look(const plan::Probe& probe, const ProbeTrack& track);
// The vantage point at which a process at `site` sees the probe: `site`, "here" where the probe names none, nothing
// where it names others. With no `site`, the first that the probe names.
std::optional<std::string> vantage_of(const plan::Probe& probe, const std::string& site);

// Thread rule: any thread.
class Watcher {
 public:
  // `site`: where this process looks from (see vantage_of).
  Watcher(plan::Plan plan, std::string site, WatcherMeans means);
  ~Watcher();  // stops
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  void start();
  // Each probe of this place once, all at a time; nothing is judged.
  void look_once();
  // Waits for looks under way.
  void stop();

  // What another observer saw. As Detector::add(); kInvalidArgument when its clock and ours are minutes apart.
  Status report(const std::string& probe, const std::string& vantage, Reading reading);
  void acted(const std::string& scenario, bool completed);
  void seen_well(const std::string& rule);
  Status release(const std::string& rule);

  std::vector<ProbeView> probes() const;
  std::vector<RuleVerdict> verdicts() const;  // as last judged
  bool isolated() const;
  // When the judging thread last came round: what a watchdog asks.
  MonoTime judged_at() const;

 private:
  struct Seat;  // a probe that this process looks at
  void watch(Seat& seat);
  void look(Seat& seat);
  void judge_always();
  bool judge_once();
  bool wait_until(MonoTime due);

  const plan::Plan plan_;
  const WatcherMeans means_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false, news_ = false;
  Detector detector_;
  std::vector<RuleVerdict> verdicts_;
  MonoTime judged_at_{};
  std::vector<std::unique_ptr<Seat>> seats_;
  std::vector<std::thread> threads_;
};

}  // namespace anclora::respond
