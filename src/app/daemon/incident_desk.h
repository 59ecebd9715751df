// The open incidents as `serve` sees them: opens one for a confirmed verdict, tells people by the plan's chain until
// somebody acknowledges, and keeps what came of each message in the incident's journal.
#pragma once

#include <atomic>
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

// What escalation needs to know: the incident's journal, the runs of its scenario that are not over, and when one of
// them restored the service (which counts unless a rule was confirmed after it). Pure.
respond::EscalationFacts escalation_facts(const respond::IncidentState& incident, const std::vector<RunView>& active,
                                          std::optional<WallTime> restored);

// Thread rule: one thread; acknowledgements and notes come through the incident's journal.
class IncidentDesk {
 public:
  IncidentDesk(const CommandContext& context, const plan::Plan& plan, const Bytes& plan_bytes);
  ~IncidentDesk();  // gives messages under way up

  // Opens or joins the incident of the verdict's scenario and records the verdict; its id.
  Result<std::string> take(const respond::RuleVerdict& verdict);
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
  respond::Message alert(const respond::IncidentState& incident, const std::vector<RunView>& runs) const;
  std::optional<WallTime> restored(const respond::IncidentState& incident) const;
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
