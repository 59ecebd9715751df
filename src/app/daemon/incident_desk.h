// The open incidents as `serve` sees them: opens one for a confirmed verdict, tells people by the plan's chain until
// somebody acknowledges, and keeps what came of each message in the incident's journal.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "app/daemon/run_desk.h"
#include "respond/detect/detector.h"
#include "respond/detect/signal.h"
#include "respond/incident/escalation.h"
#include "respond/incident/incident_log.h"
#include "respond/notify/notifier.h"

namespace anclora::app {

// An incident in which a rule was confirmed again after a run had restored the service: each time people are told anew.
struct Relapses {
  std::size_t count = 0;
  std::optional<WallTime> since;     // the verdict that began the last
  std::optional<WallTime> restored;  // when a run brought the service back after that (with none, since the opening)
};
// `restored`: when runs of the incident brought the service back. Pure.
Relapses relapses_of(const respond::IncidentState& incident, std::vector<WallTime> restored);

// What escalation needs to know since the last relapse: the incident's journal, and the runs of its scenario that are
// not over. Pure.
respond::EscalationFacts escalation_facts(const respond::IncidentState& incident, const std::vector<RunView>& active,
                                          const Relapses& relapses);

// Thread rule: one thread; acknowledgements and notes come through the incident's journal.
class IncidentDesk {
 public:
  IncidentDesk(const CommandContext& context, const plan::Plan& plan, const Bytes& plan_bytes);
  ~IncidentDesk();  // gives messages under way up

  // Why no run is begun for a verdict of this incident; empty: one is, or is under way.
  using WhyNot = std::function<std::string(const respond::IncidentState&)>;
  struct Taken {
    std::string incident;  // id
    std::string not_started;
  };
  // Opens or joins the incident of the verdict's scenario and records the verdict.
  Result<Taken> take(const respond::RuleVerdict& verdict, const WhyNot& why_not);
  // Kept on each open incident; without one, on the next that is opened within an hour.
  void take(const std::vector<respond::Signal>& signals);
  void note(const std::string& incident, const std::string& text);
  // Tells whom it is time to tell. `active`: the runs that are not over.
  void tick(const std::vector<RunView>& active);
  // A run of production is over.
  void run_ended(const RunView& run);
  std::size_t open() const { return open_; }
  std::size_t unacknowledged() const { return unacknowledged_; }
  std::string problem() const { return problem_; }  // of the last attempt to read or write an incident

 private:
  void tick(const std::string& id, const std::vector<RunView>& active);
  void escalate(const respond::IncidentState& incident, const std::vector<RunView>& active);
  void tell(const respond::IncidentState& incident, const std::string& event, const std::string& level,
            std::vector<std::string> contacts, respond::Message message);
  respond::Message alert(const respond::IncidentState& incident, const std::vector<RunView>& runs,
                         const Relapses& relapses) const;
  void tell_it_is_over(const respond::IncidentState& incident, const std::vector<std::string>& levels,
                       const Relapses& relapses);
  Relapses relapses(const respond::IncidentState& incident) const;
  std::string root() const;

  const CommandContext& context_;
  const plan::Plan& plan_;
  const Bytes& plan_bytes_;
  respond::Notifier notifier_;
  std::atomic<bool> stopping_ = false;
  std::set<std::string> told_;            // incident and event, since the start: also while a delivery is under way
  std::map<std::string, RunView> ended_;  // runs that are over, by id
  std::set<std::string> done_;            // closed, or of another service
  std::vector<std::pair<WallTime, respond::Signal>> loose_signals_;
  std::vector<std::jthread> telling_;
  std::size_t open_ = 0, unacknowledged_ = 0;
  std::string problem_;
};

}  // namespace anclora::app
