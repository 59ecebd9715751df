// From looks to verdicts: aggregates probes over vantage points, holds rules for their time, keeps quiet when the
// observer itself is cut off or after a recovery. It suspects and confirms; declaring is the policy's or a person's.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "respond/detect/probe_track.h"

namespace anclora::respond {

enum class RuleState : std::uint8_t {
  kQuiet,      // its conditions do not hold
  kSuspected,  // they hold, not yet for long enough
  kConfirmed,  // held long enough: people are told, and the scenario is proposed or started unless a run has acted
  kSilenced,   // they have held ever since a run acted on it: what it dealt with is no news
  kIsolated,   // they hold, but most control probes fail too: we are the ones cut off
};

std::string_view to_string(RuleState state);

struct RuleVerdict {
  std::string rule;
  std::string scenario;
  RuleState state = RuleState::kQuiet;
  bool start = false;                 // policy: start without a person
  std::optional<WallTime> out_since;  // first bad look of the evidence: t_out
  std::optional<WallTime> held_since;
  bool recovering = false;            // the last looks are good again, too few yet to end it: not confirmed then
  std::vector<std::string> evidence;  // "redis at madrid: down since 12:00:01Z, connection refused"
  // Set: a run acted then, and nobody has released the rule: nothing may be proposed or started again.
  std::optional<WallTime> acted_at;
  bool well_since_acted = false;  // its conditions were seen not to hold since then: what is confirmed is another loss
};

// For how long the last word of another observer counts: one that has fallen silent sees nothing any more.
Duration heard_for(const plan::Probe& probe);

// Pure and single-threaded: readings and the time are given.
class Detector {
 public:
  explicit Detector(const plan::Plan& plan);
  // One look of `probe` at `vantage`. kNotFound when the plan has no such probe or vantage point.
  Status add(const std::string& probe, const std::string& vantage, Reading reading);
  // Every rule's verdict at `now`; a rule changes to kConfirmed once, and stays until its conditions end.
  std::vector<RuleVerdict> judge(WallTime now);
  // A run of this scenario ended: until a person releases them its rules start nothing and, while they hold on, are
  // silenced. A run that did not complete silences nothing: the disaster is still there.
  void acted(const std::string& scenario, bool completed, WallTime now);
  // The rule was seen not to hold after the run, by an observer before us. Nothing to do where no run has acted.
  void seen_well(const std::string& rule);
  // kNotFound when no run has acted on what this rule sees, or it was released.
  Status release(const std::string& rule);

  // Control probes exist, and of those that are looked at from here more than half fail. What other observers saw of
  // them does not count.
  bool isolated() const;
  ProbeState state_of(const std::string& probe, std::uint32_t at_least = 1) const;
  const ProbeTrack* track(const std::string& probe, const std::string& vantage) const;

 private:
  struct Watched {
    const plan::Probe* probe;
    std::map<std::string, ProbeTrack> at;
  };
  struct Rule {
    const plan::Detection* detection;
    std::optional<WallTime> held_since;
    bool confirmed = false;
    std::optional<WallTime> acted_at;  // set: starts nothing until released
    bool well_since_acted = false;
  };
  bool is_refuted(const plan::Detection& detection) const;
  bool holds(const plan::Condition& condition, WallTime now, RuleVerdict& verdict) const;
  bool holds(const plan::Detection& detection, WallTime now, RuleVerdict& verdict) const;
  RuleVerdict judge(Rule& rule, WallTime now) const;

  std::map<std::string, Watched> watched_;
  std::vector<Rule> rules_;
};

}  // namespace anclora::respond
