#include "respond/incident/escalation.h"

#include <algorithm>

namespace anclora::respond {
namespace {

using plan::EscalateWhen;
using plan::EscalationLevel;

constexpr WallTime kNever = WallTime::max();

class Judge {
 public:
  Judge(const plan::Plan& plan, const EscalationFacts& facts, WallTime now, const EscalationOptions& options)
      : facts_(facts), now_(now), options_(options) {
    for (const EscalationLevel& level : plan.escalation)
      if (level.severity == facts.severity) levels_.push_back(&level);
    const auto found = std::ranges::find(plan.severities, facts.severity, &plan::SeverityObjective::id);
    if (found != plan.severities.end()) objective_ = &*found;
    if (facts.acknowledged)
      held_until_ =
          std::max(*facts.acknowledged, facts.progress.value_or(*facts.acknowledged)) + options.acknowledgement_holds;
  }

  Escalation run() {
    answer_.held = held_until_ && now_ < *held_until_;
    WallTime handed_over = kNever;  // when the level before has not been answered in time
    for (const EscalationLevel* level : levels_) {
      std::optional<WallTime> first = first_told(level->id);
      if (first)
        repeat(*level);
      else if (const auto why = due(*level, handed_over)) {
        tell(*level, *why);
        first = now_;
      }
      const bool awaited = first && level->acknowledge_within > Duration::zero();
      handed_over = awaited ? *first + level->acknowledge_within : kNever;
    }
    return std::move(answer_);
  }

 private:
  std::optional<WallTime> first_told(const std::string& id) const {
    const auto found = std::ranges::find(facts_.told, id, &EscalationFacts::Told::level);
    return found == facts_.told.end() ? std::nullopt : std::optional(found->at);
  }
  WallTime last_told(const std::string& id) const {
    WallTime last{};
    for (const EscalationFacts::Told& told : facts_.told)
      if (told.level == id) last = std::max(last, told.at);
    return last;
  }
  Duration repeat_interval(const EscalationLevel& level) const {
    return std::max(level.acknowledge_within, options_.repeat_every);
  }

  void wake_at(WallTime time) { answer_.wake = std::min(answer_.wake.value_or(time), time); }
  // Whether a time has come that an acknowledgement puts off; else it is waited for.
  bool has_come(WallTime time) {
    const WallTime put_off = answer_.held ? std::max(time, *held_until_) : time;
    if (put_off <= now_) return true;
    wake_at(put_off);
    return false;
  }

  void tell(const EscalationLevel& level, WhyTold why) {
    answer_.tell.push_back({&level, why, !answer_.held});
    has_come(now_ + repeat_interval(level));
  }

  void repeat(const EscalationLevel& level) {
    if (has_come(last_told(level.id) + repeat_interval(level))) tell(level, WhyTold::kAgain);
  }

  std::optional<WhyTold> due(const EscalationLevel& level, WallTime handed_over) {
    if (const auto missed = missed_objective(level)) return missed;
    if (level.when == EscalateWhen::kAfter && has_come(facts_.declared + level.after)) return WhyTold::kTime;
    if (handed_over != kNever && has_come(handed_over)) return WhyTold::kUnanswered;
    return std::nullopt;
  }

  std::optional<WhyTold> missed_objective(const EscalationLevel& level) {
    if (objective_ == nullptr || objective_->rto <= Duration::zero()) return std::nullopt;
    const WallTime since = facts_.out_since.value_or(facts_.declared);
    const auto passed = [&](Duration objective, WhyTold why) -> std::optional<WhyTold> {
      if (objective <= Duration::zero()) return std::nullopt;
      if (since + objective <= now_) return why;
      wake_at(since + objective);
      return std::nullopt;
    };
    switch (level.when) {
      case EscalateWhen::kForecastOverRto:
        if (facts_.forecast && *facts_.forecast > objective_->rto) return WhyTold::kForecast;
        // Without a forecast, or with one that was too hopeful, the clock itself tells in the end.
        return passed(objective_->rto, WhyTold::kOverRto);
      case EscalateWhen::kElapsedOverRto:
        return passed(objective_->rto, WhyTold::kOverRto);
      case EscalateWhen::kElapsedOverRtoMax:
        return passed(objective_->rto_max, WhyTold::kOverRtoMax);
      case EscalateWhen::kAfter:
        break;
    }
    return std::nullopt;
  }

  const EscalationFacts& facts_;
  const WallTime now_;
  const EscalationOptions& options_;
  const plan::SeverityObjective* objective_ = nullptr;
  std::vector<const EscalationLevel*> levels_;
  std::optional<WallTime> held_until_;
  Escalation answer_;
};

}  // namespace

std::string_view to_string(WhyTold why) {
  switch (why) {
    case WhyTold::kTime:
      return "it was declared";
    case WhyTold::kUnanswered:
      return "nobody has acknowledged";
    case WhyTold::kForecast:
      return "the forecast passes the RTO";
    case WhyTold::kOverRto:
      return "the RTO is passed";
    case WhyTold::kOverRtoMax:
      return "the maximum RTO is passed";
    case WhyTold::kAgain:
      break;
  }
  return "still nobody has acknowledged";
}

Escalation escalate(const plan::Plan& plan, const EscalationFacts& facts, WallTime now,
                    const EscalationOptions& options) {
  if (!facts.over) return Judge(plan, facts, now, options).run();
  Escalation answer;
  if (facts.told_over) return answer;
  for (const EscalationFacts::Told& told : facts.told)
    if (std::ranges::find(answer.over, told.level) == answer.over.end()) answer.over.push_back(told.level);
  return answer;
}

}  // namespace anclora::respond
