#include "respond/detect/detector.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace anclora::respond {
namespace {

std::vector<std::string> vantages_of(const plan::Probe& probe) {
  return probe.from.empty() ? std::vector<std::string>{"here"} : probe.from;
}

std::string describe(const std::string& probe, const std::string& vantage, const ProbeTrack& track) {
  std::string text = fmt::format("{} at {}: {}", probe, vantage, to_string(track.state()));
  if (const auto since = track.down_since()) text += " since " + format_rfc3339(*since);
  if (track.last() && !track.last()->reason.empty()) text += ", " + track.last()->reason;
  return text;
}

}  // namespace

Duration heard_for(const plan::Probe& probe) {
  return std::max<Duration>(std::chrono::seconds(30), probe.every * (probe.bad_in_a_row + 2));
}

std::string_view to_string(RuleState state) {
  switch (state) {
    case RuleState::kQuiet:
      return "quiet";
    case RuleState::kSuspected:
      return "suspected";
    case RuleState::kConfirmed:
      return "confirmed";
    case RuleState::kSilenced:
      return "silenced";
    case RuleState::kIsolated:
      return "isolated";
  }
  return "quiet";
}

Detector::Detector(const plan::Plan& plan) {
  for (const plan::Probe& probe : plan.probes) {
    Watched watched{&probe, {}};
    for (const std::string& vantage : vantages_of(probe))
      watched.at.emplace(vantage, ProbeTrack(probe.bad_in_a_row, probe.good_in_a_row));
    watched_.emplace(probe.id, std::move(watched));
  }
  for (const plan::Detection& detection : plan.detections) rules_.push_back({&detection, {}, false, {}, false});
}

Status Detector::add(const std::string& probe, const std::string& vantage, Reading reading) {
  const auto watched = watched_.find(probe);
  if (watched == watched_.end()) return Error(ErrorKind::kNotFound, fmt::format("the plan has no probe \"{}\"", probe));
  const auto track = watched->second.at.find(vantage);
  if (track == watched->second.at.end())
    return Error(ErrorKind::kNotFound, fmt::format("the probe \"{}\" has no vantage point \"{}\"", probe, vantage),
                 fmt::format("add it to the probe's \"from\" list"));
  track->second.add(std::move(reading));
  return {};
}

const ProbeTrack* Detector::track(const std::string& probe, const std::string& vantage) const {
  const auto watched = watched_.find(probe);
  if (watched == watched_.end()) return nullptr;
  const auto track = watched->second.at.find(vantage);
  return track == watched->second.at.end() ? nullptr : &track->second;
}

ProbeState Detector::state_of(const std::string& probe, std::uint32_t at_least) const {
  const auto watched = watched_.find(probe);
  if (watched == watched_.end()) return ProbeState::kUnknown;
  std::uint32_t down = 0, up = 0;
  for (const auto& [vantage, track] : watched->second.at) {
    down += track.state() == ProbeState::kDown ? 1 : 0;
    up += track.state() == ProbeState::kUp ? 1 : 0;
  }
  if (down >= std::max(1U, at_least)) return ProbeState::kDown;
  return up > 0 ? ProbeState::kUp : ProbeState::kUnknown;
}

bool Detector::isolated() const {
  std::size_t controls = 0, failing = 0;
  for (const auto& [id, watched] : watched_) {
    if (!watched.probe->control) continue;
    // Whether this place is cut off only its own looks tell: what another observer said last, before it could not be
    // heard any more, stands for ever.
    bool looked = false, heard = false, seen_up = false;
    for (const auto& [vantage, track] : watched.at) {
      heard = heard || (track.last() && track.last()->received);
      if (!track.last() || track.last()->received) continue;
      looked = true;
      seen_up = seen_up || (track.state() == ProbeState::kUp && track.last()->state == ProbeState::kUp);
    }
    if (heard && !looked) continue;
    ++controls;
    failing += seen_up ? 0 : 1;
  }
  return controls > 0 && failing * 2 > controls;
}

bool Detector::holds(const plan::Condition& condition, WallTime now, RuleVerdict& verdict) const {
  const auto watched = watched_.find(condition.probe);
  if (watched == watched_.end()) return false;
  std::uint32_t agreeing = 0;
  std::uint32_t answering_again = 0;
  std::vector<std::string> evidence;
  std::vector<WallTime> since;
  for (const auto& [vantage, track] : watched->second.at) {
    if (!track.last() || track.state() != condition.is) continue;
    if (const auto& heard = track.last()->received; heard && now - *heard > heard_for(*watched->second.probe)) continue;
    ++agreeing;
    answering_again += condition.is != ProbeState::kUp && track.last()->state == ProbeState::kUp ? 1 : 0;
    evidence.push_back(describe(condition.probe, vantage, track));
    if (const auto down = track.down_since()) since.push_back(*down);
  }
  const std::uint32_t needed = std::max(1U, condition.at_least);
  if (agreeing < needed) return false;
  verdict.recovering = verdict.recovering || agreeing - answering_again < needed;
  verdict.evidence.insert(verdict.evidence.end(), evidence.begin(), evidence.end());
  // The condition came true with the needed vantage point, but the outage began with the first of them.
  for (const WallTime time : since)
    if (!verdict.out_since || time < *verdict.out_since) verdict.out_since = time;
  return true;
}

bool Detector::holds(const plan::Detection& detection, WallTime now, RuleVerdict& verdict) const {
  if (detection.all.empty() && detection.any.empty()) return false;
  for (const plan::Condition& condition : detection.all)
    if (!holds(condition, now, verdict)) return false;
  bool any = detection.any.empty();
  for (const plan::Condition& condition : detection.any) any = holds(condition, now, verdict) || any;
  return any;
}

// Known not to hold; not merely unknown, as all is after a start.
bool Detector::is_refuted(const plan::Detection& detection) const {
  const auto refuted = [this](const plan::Condition& condition) {
    const ProbeState state = state_of(condition.probe, condition.at_least);
    return state != ProbeState::kUnknown && state != condition.is;
  };
  if (std::ranges::any_of(detection.all, refuted)) return true;
  return !detection.any.empty() && std::ranges::all_of(detection.any, refuted);
}

RuleVerdict Detector::judge(Rule& rule, WallTime now) const {
  RuleVerdict verdict;
  verdict.rule = rule.detection->id;
  verdict.scenario = rule.detection->scenario;
  verdict.start = rule.detection->start;
  verdict.acted_at = rule.acted_at;
  if (!holds(*rule.detection, now, verdict)) {
    rule.held_since.reset();
    rule.confirmed = false;
    rule.well_since_acted = rule.acted_at && (rule.well_since_acted || is_refuted(*rule.detection));
    verdict.well_since_acted = rule.well_since_acted;
    verdict.evidence.clear();
    verdict.out_since.reset();
    return verdict;
  }
  verdict.well_since_acted = rule.well_since_acted;
  if (isolated() && !rule.confirmed) {
    // What is seen from a cut-off place is no evidence: the time it held does not count either.
    rule.held_since.reset();
    verdict.state = RuleState::kIsolated;
    return verdict;
  }
  if (!rule.held_since) rule.held_since = now;
  verdict.held_since = rule.held_since;
  if (rule.acted_at && !rule.well_since_acted) {
    verdict.state = RuleState::kSilenced;
    return verdict;
  }
  // What has answered at the last look is still down by its hysteresis, and no reason to begin a recovery.
  rule.confirmed = rule.confirmed || (!verdict.recovering && now - *rule.held_since >= rule.detection->for_time);
  verdict.state = rule.confirmed ? RuleState::kConfirmed : RuleState::kSuspected;
  return verdict;
}

std::vector<RuleVerdict> Detector::judge(WallTime now) {
  std::vector<RuleVerdict> verdicts;
  verdicts.reserve(rules_.size());
  for (Rule& rule : rules_) verdicts.push_back(judge(rule, now));
  return verdicts;
}

void Detector::acted(const std::string& scenario, bool completed, WallTime now) {
  if (!completed) return;
  for (Rule& rule : rules_) {
    if (rule.detection->scenario != scenario || rule.detection->quiet_after <= Duration::zero()) continue;
    rule.acted_at = now;
    rule.well_since_acted = false;
    rule.confirmed = false;
    rule.held_since.reset();
  }
}

void Detector::seen_well(const std::string& rule_id) {
  for (Rule& rule : rules_)
    rule.well_since_acted = rule.well_since_acted || (rule.detection->id == rule_id && rule.acted_at);
}

Status Detector::release(const std::string& rule_id) {
  for (Rule& rule : rules_) {
    if (rule.detection->id != rule_id || !rule.acted_at) continue;
    rule.acted_at.reset();
    rule.well_since_acted = false;
    return {};
  }
  return Error(ErrorKind::kNotFound, fmt::format("no run has acted on what a detection rule \"{}\" sees", rule_id),
               "there is nothing to release; the rules: GET /api/verdicts");
}

}  // namespace anclora::respond
