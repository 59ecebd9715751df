// An hour's worth of chaos that stays below the threshold, many times over, with an injected clock: lost packets, cut
// vantage points, short outages, an observer that is cut off itself. Nothing may be declared; a real outage in the
// midst of the same chaos must be.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/random.h"
#include "respond/detect/detector.h"
#include "respond/detect/watcher.h"

namespace anclora::respond {
namespace {

using namespace std::chrono_literals;

const WallTime kStart = parse_rfc3339("2026-11-24T00:00:00Z").value();

struct Span {
  Duration from, to;
  bool has(Duration at) const { return at >= from && at < to; }
};

bool in_any(const std::vector<Span>& spans, Duration at, Duration margin = 0s) {
  return std::ranges::any_of(spans,
                             [&](const Span& span) { return at >= span.from - margin && at < span.to + margin; });
}

// What each vantage point would see, at each moment.
struct Weather {
  std::vector<Span> outages;                     // of the server: all vantage points see them
  std::map<std::string, std::vector<Span>> cut;  // a vantage point on its own
  std::vector<Span> isolated;                    // the observer: nothing answers, not the unrelated either
  std::uint64_t noise_per_mille = 0;             // looks that go wrong for no reason

  ProbeState look(const std::string& vantage, bool control, Duration at, SeededRandom& random) const {
    if (in_any(isolated, at)) return ProbeState::kDown;
    if (control) return random.below(1000) < 5 ? ProbeState::kDown : ProbeState::kUp;
    if (in_any(outages, at)) return ProbeState::kDown;
    const auto cuts = cut.find(vantage);
    if (cuts != cut.end() && in_any(cuts->second, at)) return ProbeState::kDown;
    // Noise that happened to continue an outage would make it a longer one.
    if (in_any(outages, at, 1min) || in_any(isolated, at, 1min)) return ProbeState::kUp;
    const std::uint64_t dice = random.below(1000);
    if (dice < noise_per_mille) return ProbeState::kDown;
    return dice < 2 * noise_per_mille ? ProbeState::kUnknown : ProbeState::kUp;
  }
};

struct Seen {
  std::size_t suspected = 0, isolated = 0;
  std::vector<Duration> confirmed;  // when a rule became so
  std::optional<WallTime> out_since;
};

// Looks as the watcher does (the pauses are until_next_look()'s), each answer after the time that it takes.
class Simulation {
 public:
  Simulation(plan::Plan plan, const Weather& weather, std::uint64_t seed)
      : plan_(std::move(plan)), weather_(weather), random_(seed), detector_(plan_) {
    for (const plan::Probe& probe : plan_.probes)
      for (const std::string& vantage : probe.from.empty() ? std::vector<std::string>{"here"} : probe.from)
        events_.insert({milliseconds(probe.every), events_.size(), &probe, vantage, {}, true});
  }

  Seen run(Duration length) {
    bool was_confirmed = false;
    while (!events_.empty() && events_.begin()->at < length) {
      const Event event = events_.extract(events_.begin()).value();
      event.begins ? begin(event) : end(event);
      bool confirmed = false;
      for (const auto& verdict : detector_.judge(kStart + event.at)) {
        seen_.suspected += verdict.state == RuleState::kSuspected ? 1 : 0;
        seen_.isolated += verdict.state == RuleState::kIsolated ? 1 : 0;
        if (verdict.state != RuleState::kConfirmed) continue;
        confirmed = true;
        seen_.out_since = verdict.out_since;
      }
      if (confirmed && !was_confirmed) seen_.confirmed.push_back(event.at);
      was_confirmed = confirmed;
    }
    return seen_;
  }

 private:
  struct Event {
    Duration at;
    std::size_t number;
    const plan::Probe* probe;
    std::string vantage;
    Reading reading;
    bool begins;
    bool operator<(const Event& other) const { return std::pair(at, number) < std::pair(other.at, other.number); }
  };

  Duration milliseconds(Duration below) {
    return std::chrono::milliseconds(random_.below(static_cast<std::uint64_t>(below / 1ms) + 1));
  }

  void begin(const Event& event) {
    Reading reading;
    reading.state = weather_.look(event.vantage, event.probe->control, event.at, random_);
    reading.at = kStart + event.at;
    const bool answered = reading.state == ProbeState::kUp || random_.below(2) == 0;
    reading.took = answered ? milliseconds(50ms) : look_timeout(*event.probe);  // refused at once, or hangs
    events_.insert({event.at + reading.took, ++number_, event.probe, event.vantage, reading, false});
  }

  void end(const Event& event) {
    ASSERT_TRUE(detector_.add(event.probe->id, event.vantage, event.reading).has_value());
    const Duration begun = event.reading.at - kStart;
    const Duration pause = until_next_look(*event.probe, *detector_.track(event.probe->id, event.vantage));
    events_.insert({std::max(begun + pause, event.at), ++number_, event.probe, event.vantage, {}, true});
  }

  plan::Plan plan_;
  const Weather& weather_;
  SeededRandom random_;
  Detector detector_;
  std::set<Event> events_;
  std::size_t number_ = 1000;
  Seen seen_;
};

plan::Probe probe(std::string id, std::vector<std::string> from, Duration every, bool control = false) {
  plan::Probe made;
  made.id = std::move(id);
  made.from = std::move(from);
  made.every = every;
  made.control = control;
  return made;
}

// Of plans/anclora.yaml: three vantage points of which two must agree for 15 s, and two probes of what is unrelated.
plan::Plan three_places() {
  plan::Plan plan;
  plan.probes = {probe("redis", {"ireland", "frankfurt", "office"}, 5s), probe("dns-root", {}, 5s, true),
                 probe("anchor", {}, 5s, true)};
  plan::Detection rule;
  rule.id = "redis-gone";
  rule.scenario = "redis-lost";
  rule.all = {{"redis", ProbeState::kDown, 2, {}}};
  rule.for_time = 15s;
  plan.detections = {rule};
  return plan;
}

std::vector<Span> spans(SeededRandom& random, Duration length, Duration shortest, Duration longest, Duration pause) {
  const auto between = [&](Duration a, Duration b) {
    return a + std::chrono::milliseconds(random.below(static_cast<std::uint64_t>((b - a) / 1ms) + 1));
  };
  std::vector<Span> made;
  for (Duration at = between(1min, 4min); at < length;) {
    const Duration end = at + between(shortest, longest);
    made.push_back({at, end});
    at = end + between(pause, pause * 4);
  }
  return made;
}

// Outages of up to 15 s (the rule asks for three bad looks and 15 s more), one vantage point at a time cut for minutes,
// the observer cut off for minutes, and one look in fifty that goes wrong.
Weather chaos(std::uint64_t seed, Duration length) {
  SeededRandom random(seed);
  Weather weather;
  weather.outages = spans(random, length, 100ms, 15s, 1min);
  weather.noise_per_mille = 20;
  const char* const places[] = {"ireland", "frankfurt", "office"};
  for (const Span& cut : spans(random, length, 10s, 8min, 1min)) weather.cut[places[random.below(3)]].push_back(cut);
  for (const Span& span : spans(random, length, 20s, 5min, 10min))
    if (!in_any(weather.outages, span.from, 1min) && !in_any(weather.outages, span.to, 1min))
      weather.isolated.push_back(span);
  std::erase_if(weather.outages, [&](const Span& outage) { return in_any(weather.isolated, outage.from, 1min); });
  return weather;
}

TEST(Chaos, AnHourBelowTheThresholdDeclaresNothing) {
  std::size_t suspected = 0;
  std::size_t isolated = 0;
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    const Weather weather = chaos(seed, 1h);
    const Seen seen = Simulation(three_places(), weather, seed).run(1h);
    EXPECT_TRUE(seen.confirmed.empty()) << "seed " << seed << " at "
                                        << format_duration(seen.confirmed.empty() ? Duration()
                                                                                  : seen.confirmed.front());
    suspected += seen.suspected;
    isolated += seen.isolated;
  }
  EXPECT_GT(suspected, 1000U) << "the chaos is too mild to prove anything";
  EXPECT_GT(isolated, 1000U);
}

TEST(Chaos, ARealOutageInItIsDeclaredInTimeAndDatedRight) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    Weather weather = chaos(seed, 1h);
    const Duration begin = 70min;  // an hour of chaos, a pause, then the server dies
    weather.outages.push_back({begin, 2h});
    const Seen seen = Simulation(three_places(), weather, seed).run(75min);
    ASSERT_EQ(seen.confirmed.size(), 1U) << "seed " << seed;
    EXPECT_GE(seen.confirmed[0] - begin, 15s);
    EXPECT_LE(seen.confirmed[0] - begin, 32s) << "seed " << seed;
    EXPECT_GE(*seen.out_since, kStart + begin);
    EXPECT_LE(*seen.out_since, kStart + begin + 5s);
  }
}

// Of plans/local.yaml: one place, a look a second, three in a row and no time to hold: two bad looks are the most.
TEST(Chaos, OnOneMachineTwoBadLooksInARowAreNoOutage) {
  plan::Plan plan;
  plan.probes = {probe("redis", {}, 1s)};
  plan::Detection rule;
  rule.id = "redis-gone";
  rule.scenario = "redis-lost";
  rule.all = {{"redis", ProbeState::kDown, 1, {}}};
  plan.detections = {rule};
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    SeededRandom random(seed);
    Weather weather;
    weather.outages = spans(random, 1h, 10ms, 1300ms, 4s);  // looks come 667 ms apart then
    EXPECT_TRUE(Simulation(plan, weather, seed).run(1h).confirmed.empty()) << "seed " << seed;
    weather.outages.push_back({65min, 2h});
    const Seen seen = Simulation(plan, weather, seed).run(70min);
    ASSERT_EQ(seen.confirmed.size(), 1U) << "seed " << seed;
    EXPECT_LE(seen.confirmed[0] - 65min, 3s) << "seed " << seed;
  }
}

}  // namespace
}  // namespace anclora::respond
