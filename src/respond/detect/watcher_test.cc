#include "respond/detect/watcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>

#include "base/testing/witness.h"
#include "redis/testing/redis_server.h"
#include "respond/detect/redis_probe.h"

namespace anclora::respond {
namespace {

using std::chrono::milliseconds;

constexpr Duration kPatience = std::chrono::seconds(150);

// What the fake probes see, set by the test.
struct Outside {
  std::mutex mutex;
  std::map<std::string, ProbeState> seen;
  std::atomic<int> looks = 0;
  void set(const std::string& probe, ProbeState state) {
    const std::lock_guard lock(mutex);
    seen[probe] = state;
  }
};

class FakeProbe final : public Probe {
 public:
  FakeProbe(std::string id, Outside& outside) : id_(std::move(id)), outside_(outside) {}
  Reading look(Duration) override {
    ++outside_.looks;
    Reading reading;
    reading.at = system_clock().wall_now();
    const std::lock_guard lock(outside_.mutex);
    reading.state = outside_.seen.contains(id_) ? outside_.seen[id_] : ProbeState::kUp;
    return reading;
  }

 private:
  std::string id_;
  Outside& outside_;
};

plan::Probe probe(const std::string& id, std::vector<std::string> from = {}) {
  plan::Probe probe;
  probe.id = id;
  probe.from = std::move(from);
  probe.every = milliseconds(10);
  return probe;
}

plan::Plan one_rule(std::vector<plan::Probe> probes, std::uint32_t at_least = 1) {
  plan::Plan plan;
  plan.probes = std::move(probes);
  plan::Detection rule;
  rule.id = "gone";
  rule.scenario = "lost";
  rule.all = {{plan.probes.front().id, ProbeState::kDown, at_least, {}}};
  rule.quiet_after = std::chrono::hours(1);
  plan.detections = {rule};
  return plan;
}

// Keeps each change and waits for the one that is wanted.
class Changes {
 public:
  void operator()(const RuleVerdict& verdict) {
    const std::lock_guard lock(mutex_);
    seen_.push_back(verdict);
    came_.notify_all();
  }
  std::optional<RuleVerdict> wait_for(RuleState state) {
    std::unique_lock lock(mutex_);
    std::optional<RuleVerdict> found;
    came_.wait_for(lock, kPatience, [&] {
      for (const RuleVerdict& verdict : seen_)
        if (verdict.state == state) found = verdict;
      if (found) seen_.clear();
      return found.has_value();
    });
    return found;
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return seen_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<RuleVerdict> seen_;
};

class WatcherTest : public ::testing::Test {
 protected:
  std::unique_ptr<Watcher> watch(plan::Plan plan, const std::string& site = {}) {
    WatcherMeans means{system_clock(),
                       [this](const plan::Probe& each) -> Result<std::unique_ptr<Probe>> {
                         if (each.uses == "probe.unheard")
                           return Error(ErrorKind::kUnsupported, "this version lacks it");
                         return std::make_unique<FakeProbe>(each.id, outside);
                       },
                       [this](const RuleVerdict& verdict) { changes(verdict); }};
    return std::make_unique<Watcher>(std::move(plan), site, std::move(means));
  }
  Outside outside;
  Changes changes;
};

TEST_F(WatcherTest, TellsThatARuleIsConfirmedAndThatItIsOver) {
  auto watcher = watch(one_rule({probe("redis")}));
  watcher->start();
  const WallTime broken = system_clock().wall_now();
  outside.set("redis", ProbeState::kDown);
  const auto confirmed = changes.wait_for(RuleState::kConfirmed);
  ASSERT_TRUE(confirmed);
  EXPECT_EQ(confirmed->rule, "gone");
  EXPECT_EQ(confirmed->scenario, "lost");
  ASSERT_TRUE(confirmed->out_since);
  EXPECT_GE(*confirmed->out_since, broken - milliseconds(20));
  EXPECT_EQ(watcher->probes().at(0).state, ProbeState::kDown);
  outside.set("redis", ProbeState::kUp);
  EXPECT_TRUE(changes.wait_for(RuleState::kQuiet));
}

TEST_F(WatcherTest, KeepsQuietAfterARunUntilAPersonReleases) {
  auto watcher = watch(one_rule({probe("redis")}));
  watcher->start();
  outside.set("redis", ProbeState::kDown);
  ASSERT_TRUE(changes.wait_for(RuleState::kConfirmed));
  watcher->acted("lost", false);  // a run that failed silences nothing
  watcher->acted("lost", true);
  ASSERT_TRUE(changes.wait_for(RuleState::kSilenced));
  EXPECT_FALSE(watcher->release("other").has_value());
  EXPECT_TRUE(watcher->release("gone").has_value());
  EXPECT_TRUE(changes.wait_for(RuleState::kConfirmed));
}

TEST_F(WatcherTest, TakesWhatAnotherObserverSawForItsVantagePoint) {
  auto watcher = watch(one_rule({probe("redis", {"madrid", "paris"})}, 2), "madrid");
  watcher->start();
  outside.set("redis", ProbeState::kDown);
  while (watcher->probes().at(0).state != ProbeState::kDown) system_clock().sleep_for(milliseconds(5));
  EXPECT_EQ(changes.count(), 0U);  // one of two
  Reading seen;
  seen.state = ProbeState::kDown;
  seen.at = system_clock().wall_now();
  EXPECT_FALSE(watcher->report("redis", "rome", seen).has_value());
  Reading long_ago = seen;
  long_ago.at -= std::chrono::minutes(5);
  EXPECT_FALSE(watcher->report("redis", "paris", long_ago).has_value());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(watcher->report("redis", "paris", seen).has_value());
  EXPECT_TRUE(changes.wait_for(RuleState::kConfirmed));
}

TEST_F(WatcherTest, LeavesAProbeThatCannotBeMadeUnknownWithItsReason) {
  plan::Probe unheard = probe("odd");
  unheard.uses = "probe.unheard";
  auto watcher = watch(one_rule({unheard, probe("redis")}));
  watcher->look_once();
  const auto views = watcher->probes();
  ASSERT_EQ(views.size(), 2U);
  EXPECT_EQ(views[0].state, ProbeState::kUnknown);
  ASSERT_TRUE(views[0].last);
  EXPECT_EQ(views[0].last->reason, "this version lacks it");
  EXPECT_EQ(views[1].last->state, ProbeState::kUp);
  EXPECT_EQ(outside.looks, 1);
}

TEST_F(WatcherTest, StopsWithinALook) {
  auto watcher = watch(one_rule({probe("redis")}));
  watcher->start();
  watcher->stop();
  const int looks = outside.looks;
  system_clock().sleep_for(milliseconds(30));
  EXPECT_EQ(outside.looks, looks);
}

TEST(LookTiming, LooksAgainSoonerWhileTheLooksContradictTheState) {
  plan::Probe each = probe("redis");
  each.every = std::chrono::seconds(1);
  ProbeTrack track(3, 3);
  Reading reading;
  reading.state = ProbeState::kUp;
  for (int i = 0; i < 3; ++i) track.add(reading);
  EXPECT_EQ(until_next_look(each, track), milliseconds(1000));
  reading.state = ProbeState::kDown;
  track.add(reading);
  EXPECT_EQ(until_next_look(each, track), Duration(666'666));
  track.add(reading);
  track.add(reading);
  EXPECT_EQ(track.state(), ProbeState::kDown);
  EXPECT_EQ(until_next_look(each, track), milliseconds(1000));
}

TEST(LookTiming, TimesOutWithinAShareOfTheIntervalWhereThePlanSaysNothing) {
  plan::Probe each = probe("redis");
  each.every = std::chrono::seconds(1);
  EXPECT_EQ(look_timeout(each), milliseconds(600));
  each.every = std::chrono::minutes(1);
  EXPECT_EQ(look_timeout(each), std::chrono::seconds(5));
  each.timeout = std::chrono::seconds(9);
  EXPECT_EQ(look_timeout(each), std::chrono::seconds(9));
}

TEST(LookTiming, SeesAProbeFromItsOwnPlaceOnly) {
  EXPECT_EQ(vantage_of(probe("a"), "rome"), "here");
  EXPECT_EQ(vantage_of(probe("a", {"madrid", "paris"}), ""), "madrid");
  EXPECT_EQ(vantage_of(probe("a", {"madrid", "paris"}), "paris"), "paris");
  EXPECT_EQ(vantage_of(probe("a", {"madrid", "paris"}), "rome"), std::nullopt);
}

// The default settings: each second, three in a row. A killed server and one that hangs.
class DeadRedis : public ::testing::TestWithParam<bool> {};

TEST_P(DeadRedis, IsDetectedWithinThreeSeconds) {
  const auto server = redis::RedisServer::start();
  plan::Plan plan = one_rule({probe("redis")});
  plan.probes.front().every = std::chrono::seconds(1);
  Changes changes;
  const auto make = [&](const plan::Probe&) -> Result<std::unique_ptr<Probe>> {
    return std::make_unique<RedisProbe>(RedisProbeOptions{server->url(), ExpectedRole::kPrimary, "beacon", {}},
                                        system_dialer(), system_clock());
  };
  Watcher watcher(plan, "", {system_clock(), make, [&](const RuleVerdict& verdict) { changes(verdict); }});
  watcher.start();
  while (watcher.probes().at(0).state != ProbeState::kUp) system_clock().sleep_for(milliseconds(10));
  // The worst moment: just after a look.
  Witness witness;
  const MonoTime killed = system_clock().mono_now();
  GetParam() ? server->pause() : server->kill9();
  ASSERT_TRUE(changes.wait_for(RuleState::kConfirmed));
  EXPECT_LE(system_clock().mono_now() - killed, witness.limit(std::chrono::seconds(3)));
  if (GetParam()) server->resume();
}

INSTANTIATE_TEST_SUITE_P(KilledAndHung, DeadRedis, ::testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Hung" : "Killed"; });

}  // namespace
}  // namespace anclora::respond
