#include "respond/incident/escalation.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"

namespace anclora::respond {
namespace {

using namespace std::chrono_literals;
using plan::EscalateWhen;

const WallTime kStart = parse_rfc3339("2026-11-24T12:00:00Z").value();

// The paper plan's critical chain: on call at once, lead after 3 minutes, CTO when the RTO will be missed, CEO when its
// maximum is passed.
plan::Plan critical_chain() {
  plan::Plan plan;
  plan.severities = {{"critical", 15min, 30min, {}}, {"high", 60min, 120min, {}}};
  plan.escalation = {{"oncall", "critical", {"oncall"}, EscalateWhen::kAfter, 0s, 3min, {}},
                     {"lead", "critical", {"lead"}, EscalateWhen::kAfter, 3min, 4min, {}},
                     {"cto", "critical", {"cto"}, EscalateWhen::kForecastOverRto, 0s, 5min, {}},
                     {"ceo", "critical", {"ceo"}, EscalateWhen::kElapsedOverRtoMax, 0s, 15min, {}},
                     {"calm", "high", {"oncall"}, EscalateWhen::kAfter, 0s, 10min, {}}};
  return plan;
}

// An incident that is asked about only when something happens or a wake time comes.
class Incident {
 public:
  explicit Incident(plan::Plan plan, EscalationOptions options = {}) : plan_(std::move(plan)), options_(options) {
    facts.severity = "critical";
    facts.declared = kStart;
  }
  EscalationFacts facts;
  std::vector<std::string> log;  // "180 lead unanswered"

  // What happens at `now`, and what it says.
  void ask(WallTime now) {
    const Escalation answer = escalate(plan_, facts, now, options_);
    for (const LevelCall& call : answer.tell) {
      log.push_back(line(now, call.level->id));
      why.push_back(call.why);
      facts.told.push_back({call.level->id, now});
    }
    for (const std::string& level : answer.over) log.push_back(line(now, "over " + level));
    if (!answer.over.empty()) facts.told_over = true;
    wake_ = answer.wake;
    held = answer.held;
  }
  // Lets the time pass until `until` (exclusive), asking at each wake time.
  void pass_until(WallTime until) {
    while (wake_ && *wake_ < until) {
      const WallTime at = *wake_;
      ask(at);
      ASSERT_TRUE(!wake_ || *wake_ > at) << "a wake time that has passed";
    }
  }
  static std::string line(WallTime now, const std::string& what) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now - kStart).count()) + " " + what;
  }
  std::vector<WhyTold> why;
  bool held = false;

 private:
  plan::Plan plan_;
  EscalationOptions options_;
  std::optional<WallTime> wake_;
};

using Log = std::vector<std::string>;

TEST(Escalation, ClimbsTheWholeChainWhileNobodyAnswers) {
  Incident incident(critical_chain());
  incident.ask(kStart);
  incident.pass_until(kStart + 31min);
  EXPECT_EQ(incident.log,
            (Log{"0 oncall",  "180 lead",    "300 oncall", "420 cto",  "480 lead",  "600 oncall",  "720 cto",
                 "720 ceo",   "780 lead",    "900 oncall", "1020 cto", "1080 lead", "1200 oncall", "1320 cto",
                 "1380 lead", "1500 oncall", "1620 cto",   "1620 ceo", "1680 lead", "1800 oncall"}))
      << ::testing::PrintToString(incident.log);
}

TEST(Escalation, AnAcknowledgementStopsTheClimbAndItsLapseResumesIt) {
  Incident incident(critical_chain());
  incident.ask(kStart);
  incident.pass_until(kStart + 2min);
  incident.facts.acknowledged = kStart + 2min;
  incident.facts.forecast = 10min;
  incident.ask(kStart + 2min);
  EXPECT_TRUE(incident.held);
  incident.pass_until(kStart + 14min);
  EXPECT_EQ(incident.log, (Log{"0 oncall"}));
  incident.pass_until(kStart + 32min);
  EXPECT_EQ(incident.log, (Log{"0 oncall", "900 cto", "1800 ceo"}));  // the objectives are missed, whoever has it
  EXPECT_EQ(incident.why.back(), WhyTold::kOverRtoMax);
  incident.pass_until(kStart + 33min);
  // It has lapsed: those told long enough ago are told again, and the lead for the first time.
  EXPECT_EQ(incident.log, (Log{"0 oncall", "900 cto", "1800 ceo", "1920 oncall", "1920 lead", "1920 cto"}));
}

TEST(Escalation, ProgressKeepsAnAcknowledgementAlive) {
  Incident incident(critical_chain());
  incident.ask(kStart);
  incident.facts.acknowledged = kStart + 1min;
  incident.facts.out_since = kStart;
  for (int minute = 10; minute <= 60; minute += 10) {
    incident.facts.progress = kStart + minute * 1min;
    incident.ask(kStart + minute * 1min);
    incident.pass_until(kStart + (minute + 10) * 1min);
  }
  EXPECT_EQ(incident.log, (Log{"0 oncall", "900 cto", "1800 ceo"}));
}

TEST(Escalation, AForecastOverTheRtoTellsItsLevelAtOnceAndOnce) {
  Incident incident(critical_chain());
  incident.ask(kStart);
  incident.facts.acknowledged = kStart + 30s;
  incident.ask(kStart + 30s);
  incident.facts.forecast = 15min;
  incident.ask(kStart + 40s);
  EXPECT_EQ(incident.log.size(), 1U) << "exactly the RTO is not over it";
  incident.facts.forecast = 15min + 1s;
  incident.ask(kStart + 50s);
  incident.ask(kStart + 51s);
  EXPECT_EQ(incident.log, (Log{"0 oncall", "50 cto"}));
  EXPECT_EQ(incident.why.back(), WhyTold::kForecast);
}

TEST(Escalation, CountsTheRtoFromTheOutageNotFromTheDeclaration) {
  Incident incident(critical_chain());
  incident.facts.out_since = kStart - 20min;
  incident.ask(kStart);
  EXPECT_EQ(incident.log, (Log{"0 oncall", "0 cto"}));
}

TEST(Escalation, TellsEverybodyWhoWasToldThatItIsOverOnceAndNothingAfterIt) {
  Incident incident(critical_chain());
  incident.ask(kStart);
  incident.pass_until(kStart + 200s);
  incident.facts.over = kStart + 200s;
  incident.ask(kStart + 200s);
  incident.ask(kStart + 300s);
  incident.pass_until(kStart + 5h);
  EXPECT_EQ(incident.log, (Log{"0 oncall", "180 lead", "200 over oncall", "200 over lead"}));
}

TEST(Escalation, ARaisedSeverityBeginsItsOwnChain) {
  Incident incident(critical_chain());
  incident.facts.severity = "high";
  incident.ask(kStart);
  incident.pass_until(kStart + 4min);
  incident.facts.severity = "critical";
  incident.ask(kStart + 4min);
  EXPECT_EQ(incident.log, (Log{"0 calm", "240 oncall", "240 lead"}));
}

TEST(Escalation, ASeverityWithoutLevelsTellsNobody) {
  Incident incident(critical_chain());
  incident.facts.severity = "low";
  incident.ask(kStart);
  incident.pass_until(kStart + 9h);
  EXPECT_TRUE(incident.log.empty());
}

// The rules said again as simply as can be, asked every second; to compare with what is asked only at wake times.
struct Model {
  plan::Plan plan;
  EscalationOptions options;
  EscalationFacts facts;
  std::vector<std::string> log;

  std::vector<WallTime> told(const std::string& level) const {
    std::vector<WallTime> times;
    for (const auto& told : facts.told)
      if (told.level == level) times.push_back(told.at);
    return times;
  }

  bool missed(const plan::EscalationLevel& level, WallTime now) const {
    for (const plan::SeverityObjective& objective : plan.severities) {
      if (objective.id != level.severity || objective.rto == Duration::zero()) continue;
      const Duration elapsed = now - facts.out_since.value_or(facts.declared);
      const bool over = elapsed >= objective.rto;
      if (level.when == EscalateWhen::kForecastOverRto)
        return over || (facts.forecast && *facts.forecast > objective.rto);
      if (level.when == EscalateWhen::kElapsedOverRto) return over;
      if (level.when == EscalateWhen::kElapsedOverRtoMax)
        return objective.rto_max > Duration::zero() && elapsed >= objective.rto_max;
    }
    return false;
  }

  void second(WallTime now) {
    if (facts.over) {
      std::vector<std::string> all;
      for (const auto& told : facts.told)
        if (std::ranges::find(all, told.level) == all.end()) all.push_back(told.level);
      if (!facts.told_over)
        for (const std::string& level : all) log.push_back(Incident::line(now, "over " + level));
      facts.told_over = facts.told_over || !all.empty();
      return;
    }
    bool held = false;
    if (facts.acknowledged) {
      WallTime moved = *facts.acknowledged;
      if (facts.progress && *facts.progress > moved) moved = *facts.progress;
      held = now < moved + options.acknowledgement_holds;
    }
    const plan::EscalationLevel* before = nullptr;
    for (const plan::EscalationLevel& level : plan.escalation) {
      if (level.severity != facts.severity) continue;
      const auto times = told(level.id);
      bool tell = false;
      if (times.empty()) {
        const bool by_time = level.when == EscalateWhen::kAfter && now >= facts.declared + level.after;
        const auto earlier = before == nullptr ? std::vector<WallTime>() : told(before->id);
        const bool unanswered = !earlier.empty() && before->acknowledge_within > Duration::zero() &&
                                now >= earlier.front() + before->acknowledge_within;
        tell = missed(level, now) || (!held && (by_time || unanswered));
      } else {
        tell = !held && now >= times.back() + std::max(options.repeat_every, level.acknowledge_within);
      }
      if (tell) {
        log.push_back(Incident::line(now, level.id));
        facts.told.push_back({level.id, now});
      }
      before = &level;
    }
  }
};

TEST(Escalation, DoesWhatTheSimpleModelDoesThroughRandomIncidents) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    const auto seconds = [&](std::uint64_t below) { return std::chrono::seconds(random.below(below)); };
    plan::Plan plan;
    for (const char* severity : {"critical", "high"}) {
      plan.severities.push_back({severity, random.below(5) == 0 ? 0s : seconds(1500), seconds(3000), {}});
      for (std::uint64_t i = 0, count = random.below(5); i < count; ++i)
        plan.escalation.push_back({severity + std::to_string(i),
                                   severity,
                                   {"x"},
                                   static_cast<EscalateWhen>(random.below(4)),
                                   seconds(900),
                                   random.below(3) == 0 ? 0s : seconds(600),
                                   {}});
    }
    const EscalationOptions options{1s + seconds(600), 1s + seconds(1800)};
    Model model{plan, options, {}, {}};
    Incident incident(plan, options);
    model.facts.severity = incident.facts.severity;
    model.facts.declared = kStart;
    if (random.below(2) == 0) model.facts.out_since = incident.facts.out_since = kStart - seconds(1000);
    incident.ask(kStart);
    for (int second = 0; second < 2 * 3600; ++second) {
      const WallTime now = kStart + second * 1s;
      incident.pass_until(now);
      const std::uint64_t event = second == 0 ? 9999 : random.below(6000);
      for (EscalationFacts* facts : {&model.facts, &incident.facts}) {
        if (event < 5) facts->acknowledged = now;
        if (event >= 5 && event < 12) facts->progress = now;
        if (event >= 12 && event < 18) facts->forecast = std::chrono::seconds((seed * 7919 + event * 331) % 3000);
        if (event >= 18 && event < 20) facts->severity = facts->severity == "high" ? "critical" : "high";
        if (event == 20) facts->over = facts->over.value_or(now);
      }
      model.second(now);
      if (event <= 20) incident.ask(now);
      if (::testing::Test::HasFatalFailure()) return;
    }
    incident.pass_until(kStart + 2h);
    ASSERT_EQ(incident.log, model.log);
  }
}

}  // namespace
}  // namespace anclora::respond
