// Random plans against a simple model, and a crash at every write: what a run must never do, whatever happens.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/faulty_file_system.h"
#include "respond/testing/engine_world.h"

namespace anclora::respond {
namespace {

using testing::EngineWorld;
using testing::make_plan;
using testing::make_step;

std::uint64_t first_seed() {
  const char* text = std::getenv("ANCLORA_TEST_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 20261124;
}

// Steps with needs among the earlier ones, listed in a random order.
plan::Plan random_plan(SeededRandom& random) {
  static const char* const kUses[] = {"test.act", "test.once", "test.look"};
  std::vector<plan::Step> steps;
  const std::uint64_t count = 1 + random.below(7);
  for (std::uint64_t i = 0; i < count; ++i) {
    plan::Step step = make_step("s" + std::to_string(i), kUses[random.below(3)]);
    for (std::uint64_t j = 0; j < i; ++j)
      if (random.below(3) == 0) step.needs.push_back("s" + std::to_string(j));
    step.retry = static_cast<std::uint32_t>(random.below(3));
    if (random.below(5) == 0) {
      step.approve.emplace();
      step.approve->timeout = std::chrono::seconds(5);
      step.approve->on_timeout = plan::OnTimeout::kProceed;
    }
    steps.push_back(std::move(step));
  }
  for (std::size_t i = steps.size(); i > 1; --i) std::swap(steps[i - 1], steps[random.below(i)]);
  plan::Plan made = make_plan(std::move(steps));
  // Conditions that must hold at the end: none, one or two.
  for (std::uint64_t i = count % 3; i > 0; --i)
    made.scenarios[0].restored.push_back({"p" + std::to_string(i), plan::ProbeState::kUp, 1, {}});
  return made;
}

void random_scripts(SeededRandom& random, EngineWorld& world) {
  for (const plan::Step& step : world.plan.scenarios[0].steps) {
    testing::StepScript& script = world.actions.script(step.id);
    script.blind = random.below(3) == 0;
    script.fail_execute = static_cast<int>(random.below(3));
    script.fail_verify = static_cast<int>(random.below(2));
  }
  for (const plan::Condition& condition : world.plan.scenarios[0].restored)
    world.actions.script(std::string(kGatePrefix) + condition.probe).fail_execute = static_cast<int>(random.below(2));
}

// A person who looks at the world and answers truthfully.
void answer(EngineWorld& world) {
  const RunPlan run = world.run_plan();
  const RunState state = world.state();
  for (std::size_t i = 0; i < run.steps.size(); ++i) {
    const std::string& id = run.steps[i].step.id;
    if (state.steps[i].state == StepState::kAwaitingApproval) world.ask(RequestKind::kApprove, id, "bob");
    if (!state.needs_decision(i)) continue;
    const bool there = world.actions.effects(id) > 0;
    world.ask(there ? RequestKind::kDone : RequestKind::kRetry, id, "bob");
  }
}

// What must hold of every history, crashed or not.
void check(EngineWorld& world, const std::string& where) {
  const RunPlan run = world.run_plan();
  const std::vector<std::string> log = world.actions.log();
  const RunState state = world.state();
  ASSERT_TRUE(state.finished) << where;
  ASSERT_TRUE(state.marks.contains("t_serv")) << where;
  for (std::size_t i = 0; i < run.steps.size(); ++i) {
    const RunStep& step = run.steps[i];
    const std::string& id = step.step.id;
    ASSERT_TRUE(state.settled(i)) << where << id;
    EXPECT_GE(state.marks.at("t_serv"), *state.steps[i].finished) << where << id << " ended after t_serv";
    if (step.mutates) {
      EXPECT_GE(world.actions.effects(id), 1) << where << id;
    }
    if (step.mutates && !step.idempotent) {
      EXPECT_EQ(world.actions.effects(id), 1) << where << id << ": repeated";
    }
    const auto begun = std::ranges::find(log, "execute " + id);
    for (const std::string& need : step.step.needs) {
      // The last time that what it needs was at work is before the first time that it was.
      const auto last = std::find(log.rbegin(), log.rend(), "execute " + need);
      if (begun == log.end() || last == log.rend()) continue;
      EXPECT_LT(last.base() - log.begin() - 1, begun - log.begin()) << where << id << " before " << need;
    }
  }
}

void drive_to_the_end(EngineWorld& world, Result<RunEnd> end, const std::string& where) {
  for (int turn = 0; turn < 60; ++turn) {
    ASSERT_TRUE(end) << where << end.error().to_string();
    if (*end == RunEnd::kFinished) return;
    ASSERT_EQ(*end, RunEnd::kPersonNeeded) << where;
    answer(world);
    end = world.resume();
  }
  FAIL() << where << ": it does not come to an end";
}

TEST(RandomRuns, FinishWithEveryStepOnceAfterWhatItNeeds) {
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 300; ++seed) {
    SeededRandom random(seed);
    EngineWorld world(random_plan(random), seed);
    random_scripts(random, world);
    const std::string where = "seed " + std::to_string(seed) + ": ";
    drive_to_the_end(world, world.start(), where);
    check(world, where);
    if (HasFailure()) return;
  }
}

// One crash at each effectful file operation of the run in turn; the runner is dead, the world is as it was left.
TEST(RandomRuns, ComeToTheSameEndAfterACrashAtEveryWrite) {
  std::uint64_t crashes = 0;
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 40; ++seed) {
    for (std::uint64_t operation = 1;; ++operation) {
      SeededRandom random(seed);
      EngineWorld world(random_plan(random), seed);
      random_scripts(random, world);
      FaultyFileSystem faulty(world.disk);
      faulty.plan({operation, FileFault::Kind::kCrash});
      Result<RunEnd> end = world.start(faulty);
      const std::string where = "seed " + std::to_string(seed) + ", " + faulty.last_fault() + ": ";
      if (!faulty.has_crashed()) break;
      ++crashes;
      const CrashMode mode = kAllCrashModes[random.below(std::size(kAllCrashModes))];
      world.disk.crash(mode, random);
      end = world.resume();
      if (!end && end.error().kind() == ErrorKind::kNotFound) {
        // It had not begun.
        EXPECT_TRUE(world.actions.log().empty()) << where;
        continue;
      }
      if (!end && world.actions.log().empty()) continue;  // its first record is not there
      drive_to_the_end(world, std::move(end), where + std::string(to_string(mode)) + " ");
      check(world, where);
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(crashes, 1000U);
}

TEST(RandomRuns, SurviveACrashAfterACrash) {
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 200; ++seed) {
    SeededRandom random(seed);
    EngineWorld world(random_plan(random), seed);
    random_scripts(random, world);
    const std::string where = "seed " + std::to_string(seed) + ": ";
    Result<RunEnd> end = Error(ErrorKind::kCancelled, "not begun");
    bool begun = false;
    for (int life = 0; life < 5; ++life) {
      FaultyFileSystem faulty(world.disk);
      faulty.plan({(begun ? 3 : 12) + random.below(25), FileFault::Kind::kCrash});
      end = begun ? world.resume(faulty) : world.start(faulty);
      begun = true;
      if (end && *end == RunEnd::kPersonNeeded) answer(world);
      if (faulty.has_crashed()) world.disk.crash(CrashMode::kTornAppends, random);
    }
    drive_to_the_end(world, world.resume(), where);
    check(world, where);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace anclora::respond
