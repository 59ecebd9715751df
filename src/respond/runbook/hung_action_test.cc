// Actions that hang: real threads, and a clock that goes by itself and by what a test adds.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "base/testing/witness.h"
#include "respond/testing/engine_world.h"

namespace anclora::respond {
namespace {

using namespace std::chrono_literals;
using testing::EngineWorld;
using testing::make_plan;
using testing::make_step;

class PushedClock final : public Clock {
 public:
  WallTime wall_now() override { return system_clock().wall_now() + pushed_.load(); }
  MonoTime mono_now() override { return system_clock().mono_now() + pushed_.load(); }
  void sleep_for(Duration duration) override { system_clock().sleep_for(duration); }
  void push(Duration duration) { pushed_ = pushed_.load() + duration; }

 private:
  std::atomic<Duration> pushed_{Duration::zero()};
};

struct HungActionTest : ::testing::Test {
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  PushedClock clock;

  plan::Step step(const char* uses) {
    plan::Step made = make_step("a", uses);
    made.timeout = 150s;  // also for the step's own next attempt and probe, which must come in time
    return made;
  }
  void prepare(EngineWorld& world) {
    world.threads = true;
    world.real_clock = &clock;
  }
  // Until it is let go, long after its time.
  void hang() {
    clock.push(151s);
    released.wait();
  }
  // The hung thread still uses the world: it must end before that does.
  void let_go(EngineWorld& world, const std::string& last) {
    release.set_value();
    ASSERT_TRUE(world.wait_until_left());
    const auto log = world.actions.log();
    EXPECT_NE(std::ranges::find(log, last), log.end());
  }
};

TEST_F(HungActionTest, IsGivenUpAtItsTimeoutAndAPersonIsAsked) {
  EngineWorld world(make_plan({step("test.once")}));
  prepare(world);
  world.actions.script("a").in_execute = [this] { hang(); };
  Witness witness;
  const MonoTime before = system_clock().mono_now();
  ASSERT_EQ(world.start().value(), RunEnd::kPersonNeeded);
  EXPECT_LT(system_clock().mono_now() - before, witness.limit(6s));
  EXPECT_EQ(world.step("a").state, StepState::kUnknown);
  EXPECT_NE(world.step("a").problem.find("no answer within"), std::string::npos) << world.step("a").problem;
  EXPECT_NE(world.step("a").problem.find("not there"), std::string::npos) << world.step("a").problem;
  const std::size_t records = world.records().size();
  let_go(world, "effect a");
  EXPECT_EQ(world.records().size(), records) << "a late answer was recorded";
}

TEST_F(HungActionTest, MayChangeNothingOnceItWasGivenUp) {
  EngineWorld world(make_plan({step("test.act")}));
  prepare(world);
  world.actions.script("a").before_announcing = [this] { hang(); };
  ASSERT_EQ(world.start().value(), RunEnd::kPersonNeeded);
  EXPECT_EQ(world.step("a").state, StepState::kFailedPaused);
  let_go(world, "refused a");
  EXPECT_EQ(world.actions.effects("a"), 0);
}

TEST_F(HungActionTest, IsRepeatedWhenTheProbeSaysNoAndItMayBe) {
  plan::Step hanging = step("test.act");
  hanging.retry = 1;
  EngineWorld world(make_plan({hanging}));
  prepare(world);
  std::atomic<int> calls = 0;
  world.actions.script("a").in_execute = [&] {
    if (++calls == 1) hang();
  };
  ASSERT_EQ(world.start().value(), RunEnd::kFinished);
  EXPECT_EQ(world.step("a").attempt, 2U);
  let_go(world, "effect a");
  EXPECT_EQ(world.actions.effects("a"), 2);
}

TEST_F(HungActionTest, HoldsNoOtherStepUp) {
  plan::Step other = make_step("b", "test.act");
  EngineWorld world(make_plan({step("test.act"), other, make_step("c", "test.act", {"b"})}));
  prepare(world);
  // It hangs until c is done, which comes after b: if it held one of them up, it would be given up first.
  world.actions.script("a").in_execute = [this] { released.wait(); };
  world.actions.script("c").in_execute = [this] { release.set_value(); };
  ASSERT_EQ(world.start().value(), RunEnd::kFinished);
  EXPECT_EQ(world.step("c").state, StepState::kDone);
  EXPECT_TRUE(world.wait_until_left());
}

TEST_F(HungActionTest, RunsIndependentStepsAtTheSameTime) {
  EngineWorld world(make_plan({make_step("a", "test.act"), make_step("b", "test.act")}));
  prepare(world);
  std::atomic<int> inside = 0;
  std::atomic<bool> together = false;
  for (const char* id : {"a", "b"})
    world.actions.script(id).in_execute = [&] {
      ++inside;
      for (int i = 0; i < 50'000 && inside < 2; ++i) std::this_thread::sleep_for(2ms);
      together = inside == 2;
    };
  ASSERT_EQ(world.start().value(), RunEnd::kFinished);
  EXPECT_TRUE(together);
  EXPECT_TRUE(world.wait_until_left());
}

TEST_F(HungActionTest, AreNotTakenForInterruptedWhenTheyEndAtOnce) {
  std::vector<plan::Step> steps;
  for (int i = 0; i < 300; ++i) {
    const std::string id = "s" + std::to_string(i);
    steps.push_back(make_step(id, i % 2 == 0 ? "test.look" : "test.once"));
    if (i >= 3) steps.back().needs = {"s" + std::to_string(i - 3)};
  }
  EngineWorld world(make_plan(std::move(steps)));
  prepare(world);
  ASSERT_EQ(world.start().value(), RunEnd::kFinished);
  for (const StepStatus& each : world.state().steps) EXPECT_EQ(each.attempt, 1U);
  EXPECT_TRUE(world.wait_until_left());
}

TEST_F(HungActionTest, EndsWhenAPersonSaysThatItIsDone) {
  EngineWorld world(make_plan({make_step("a", "test.look")}));
  prepare(world);
  world.options.wait_for_persons = true;
  world.actions.script("a").in_execute = [this] { released.wait(); };
  auto running = std::async(std::launch::async, [&] { return world.start().value(); });
  while (!world.disk.stat("/runs/s-1/inbox") || world.actions.log().empty()) std::this_thread::sleep_for(5ms);
  world.ask(RequestKind::kDone, "a", "bob", "I looked myself");
  ASSERT_EQ(running.wait_for(150s), std::future_status::ready);
  EXPECT_EQ(running.get(), RunEnd::kFinished);
  EXPECT_EQ(world.step("a").state, StepState::kManualDone);
  release.set_value();
  EXPECT_TRUE(world.wait_until_left());
}

}  // namespace
}  // namespace anclora::respond
