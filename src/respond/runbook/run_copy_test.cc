#include "respond/runbook/run_copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "respond/runbook/run_folder.h"
#include "respond/testing/engine_world.h"
#include "storage/store/faulty_store.h"
#include "storage/store/memory_store.h"

namespace anclora::respond {
namespace {

using namespace std::chrono_literals;
using testing::EngineWorld;
using testing::make_plan;
using testing::make_step;

struct RunCopyTest : ::testing::Test {
  ManualClock clock;
  SeededRandom random{1};
  storage::MemoryStore memory{clock};
  storage::FaultyStore store{memory, clock};
  std::optional<storage::Repository> repository;
  EngineWorld world{make_plan({make_step("a", "test.once"), make_step("b", "test.act", {"a"}),
                               make_step("c", "test.once", {"b"}), make_step("d", "test.once")})};

  void SetUp() override {
    storage::InitOptions options;
    options.encrypted = false;
    ASSERT_TRUE(storage::Repository::init(memory, options, clock, random));
    auto opened = storage::Repository::open(memory, {});
    ASSERT_TRUE(opened);
    repository = std::move(*opened);
  }

  std::vector<std::string> lines() { return read_journal(world.disk, EngineWorld::kFolder)->lines; }

  void copy(std::size_t from, std::size_t to, std::uint64_t generation = 1) {
    RunCopy writer(store, *repository, "s-1", generation, "the plan", system_random());
    const auto all = lines();
    for (std::size_t i = from; i < to; ++i) writer.add(i + 1, all[i]);
    EXPECT_TRUE(writer.flush(20s));
  }

  // Another machine: the world is the same, the disk is its own.
  Result<RunEnd> take_over() {
    ASSIGN_OR_RETURN(const CopiedRun copied, fetch_run(memory, *repository, "s-1"));
    EXPECT_EQ(copied.plan, "the plan");
    SeededRandom none(1);
    EXPECT_TRUE(world.disk.rename("/runs/s-1", "/runs/of-the-dead-machine"));
    RETURN_IF_ERROR(plant_run(world.disk, EngineWorld::kFolder, copied));
    return world.resume(world.disk, true);
  }

  std::size_t number_of(RecordKind kind, const std::string& step) {
    for (const RunRecord& record : world.records())
      if (record.kind == kind && record.step == step) return record.number;
    ADD_FAILURE() << "no such record";
    return 0;
  }
};

TEST_F(RunCopyTest, GivesBackTheChainAlsoFromSeveralBatches) {
  ASSERT_EQ(world.start().value(), RunEnd::kFinished);
  const auto all = lines();
  copy(0, 4);
  copy(4, all.size());
  const auto copied = fetch_run(memory, *repository, "s-1");
  ASSERT_TRUE(copied) << copied.error().to_string();
  EXPECT_EQ(copied->lines, all);
}

TEST_F(RunCopyTest, LeavesOutWhatDoesNotFollow) {
  ASSERT_EQ(world.start().value(), RunEnd::kFinished);
  copy(0, 4);
  copy(6, 8);
  EXPECT_EQ(fetch_run(memory, *repository, "s-1")->lines.size(), 4U);
}

TEST_F(RunCopyTest, WaitsWhileTheRepositoryIsAway) {
  ASSERT_EQ(world.start().value(), RunEnd::kFinished);
  int failures = 2;
  store.decide([&](const storage::StoreRequest& request) -> std::optional<storage::StoreFault> {
    if (request.operation != storage::StoreOperation::kPut || failures-- <= 0) return std::nullopt;
    return storage::StoreFault{.kind = storage::StoreFault::Kind::kErrorAfter};
  });
  copy(0, lines().size());
  EXPECT_EQ(fetch_run(memory, *repository, "s-1")->lines, lines());
}

TEST_F(RunCopyTest, ReplacesTheEndOfAFencedRunnerByThatOfTheNextGeneration) {
  world.actions.script("a").fail_execute = 1;
  world.actions.script("d").fail_execute = 1;
  ASSERT_EQ(world.start().value(), RunEnd::kPersonNeeded);
  const auto first = lines();
  copy(0, first.size());
  ASSERT_TRUE(world.disk.remove("/runs/s-1/journal-000001.jsonl"));
  CopiedRun part{"the plan", {first.begin(), first.begin() + 3}};
  ASSERT_TRUE(world.disk.rename("/runs/s-1", "/runs/old"));
  ASSERT_TRUE(plant_run(world.disk, EngineWorld::kFolder, part));
  ASSERT_TRUE(world.resume());
  const auto second = lines();
  copy(3, second.size(), 2);
  EXPECT_EQ(fetch_run(memory, *repository, "s-1")->lines, second);
}

TEST_F(RunCopyTest, SaysWhenThereIsNoSuchRun) {
  const auto copied = fetch_run(memory, *repository, "s-1");
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().kind(), ErrorKind::kNotFound);
}

TEST_F(RunCopyTest, NamesTheRunsThereAreTheNewestFirst) {
  for (const char* run : {"a-20261124T160504Z-1f3a", "b-20261123T160504Z-0001", "z-20251124T160504Z-ffff"}) {
    RunCopy writer(store, *repository, run, 1, "the plan", system_random());
    writer.add(1, "{}");
    EXPECT_TRUE(writer.flush(20s));
  }
  EXPECT_THAT(*list_copied_runs(memory),
              ::testing::ElementsAre("a-20261124T160504Z-1f3a", "b-20261123T160504Z-0001", "z-20251124T160504Z-ffff"));
  const auto missing = fetch_run(memory, *repository, "nope");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().hint().find("a-20261124T160504Z-1f3a, b-"), std::string::npos) << missing.error().hint();
}

TEST_F(RunCopyTest, LetsASurvivorFinishWithoutRepeatingWhatItCouldNotRead) {
  ASSERT_EQ(world.start().value(), RunEnd::kFinished);
  // The copy ends after b: c and d were done, and the survivor cannot know.
  world.actions.script("d").blind = true;
  const std::size_t until = number_of(RecordKind::kVerified, "a");
  copy(0, until);
  ASSERT_EQ(take_over().value(), RunEnd::kPersonNeeded);
  EXPECT_EQ(world.step("a").state, StepState::kDone);
  EXPECT_EQ(world.step("d").state, StepState::kUnknown);
  EXPECT_THAT(world.step("d").problem,
              ::testing::StartsWith("the machine that had the run before may have begun it; "));
  world.ask(RequestKind::kDone, "d", "bob", "I looked");
  ASSERT_EQ(world.resume().value(), RunEnd::kFinished);
  for (const char* step : {"a", "b", "c", "d"}) EXPECT_EQ(world.actions.effects(step), 1) << step;
  EXPECT_EQ(world.step("c").summary, "already so: there");
}

}  // namespace
}  // namespace anclora::respond
