#include "respond/runbook/run_claim.h"

#include <gtest/gtest.h>

#include <chrono>

#include "respond/testing/engine_world.h"
#include "storage/store/faulty_store.h"
#include "storage/store/memory_store.h"

namespace anclora::respond {
namespace {

using namespace std::chrono_literals;
using storage::StoreFault;
using storage::StoreRequest;

struct RunClaimTest : ::testing::Test {
  ManualClock clock;
  SeededRandom random{1};
  storage::MemoryStore memory{clock};
  storage::FaultyStore store{memory, clock};
  std::optional<storage::Repository> repository;
  void SetUp() override {
    storage::InitOptions options;
    options.encrypted = false;
    ASSERT_TRUE(storage::Repository::init(memory, options, clock, random));
    auto opened = storage::Repository::open(memory, {});
    ASSERT_TRUE(opened);
    repository = std::move(*opened);
  }

  std::unique_ptr<RunClaim> take(const std::string& runner, std::uint64_t known = 0, const std::string& place = "") {
    auto claim = RunClaim::take(store, *repository, "r", {runner, place}, known, clock, random);
    EXPECT_TRUE(claim) << claim.error().to_string();
    return claim ? std::move(*claim) : nullptr;
  }
  void away() {
    store.decide([](const StoreRequest&) { return StoreFault{}; });
  }
  void back() { store.decide({}); }
};

TEST_F(RunClaimTest, FencesTheHolderBeforeIt) {
  const auto first = take("one");
  EXPECT_EQ(first->generation(), 1U);
  EXPECT_TRUE(first->check());
  const auto second = take("two");
  EXPECT_EQ(second->generation(), 2U);
  clock.advance(2s);
  const Status held = first->check();
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().kind(), ErrorKind::kFenced);
  EXPECT_NE(held.error().message().find("two"), std::string::npos) << held.error().message();
  EXPECT_TRUE(second->check());
}

TEST_F(RunClaimTest, AsksTheRepositoryAtMostEveryTwoSeconds) {
  const auto claim = take("one");
  ASSERT_TRUE(claim->check());
  const std::uint64_t asked = store.request_count();
  clock.advance(1900ms);
  ASSERT_TRUE(claim->check());
  EXPECT_EQ(store.request_count(), asked);
  clock.advance(200ms);
  ASSERT_TRUE(claim->check());
  EXPECT_GT(store.request_count(), asked);
}

TEST_F(RunClaimTest, HoldsWhileTheRepositoryIsAwayAndFencesWhenItIsBack) {
  const auto claim = take("one");
  away();
  for (int second = 0; second < 90; ++second) {
    clock.advance(1s);
    ASSERT_TRUE(claim->check());
  }
  back();
  take("two");
  clock.advance(2s);
  EXPECT_FALSE(claim->check());
  away();
  EXPECT_FALSE(claim->check());  // once fenced, for ever
}

TEST_F(RunClaimTest, TellsTwoMachinesOfOneNameApart) {
  const auto foreign = [&](const RunHolder& holder, std::uint64_t known) {
    return RunClaim::foreign_since(store, *repository, "r", known, holder).value();
  };
  take("web:7", 0, "place-a");
  EXPECT_EQ(foreign({"web:9", "place-a"}, 0), "");
  EXPECT_EQ(foreign({"web:7", "place-b"}, 0), "web:7");
  take("web:8");  // of a version that knew no places: by its host, as ever
  EXPECT_EQ(foreign({"web:9", "place-b"}, 1), "");
  EXPECT_EQ(foreign({"db:8", "place-b"}, 1), "web:8");
}

TEST_F(RunClaimTest, LosesARaceForTheSameGeneration) {
  // The other claims between our look and our put.
  bool raced = false;
  store.decide([&](const StoreRequest& request) -> std::optional<StoreFault> {
    if (request.operation != storage::StoreOperation::kPut || raced) return std::nullopt;
    raced = true;
    EXPECT_TRUE(RunClaim::take(memory, *repository, "r", {"other", {}}, 0, clock, random));
    return std::nullopt;
  });
  const auto claim = RunClaim::take(store, *repository, "r", {"me", {}}, 0, clock, random);
  ASSERT_FALSE(claim);
  EXPECT_EQ(claim.error().kind(), ErrorKind::kFenced);
  EXPECT_NE(claim.error().message().find("other"), std::string::npos);
}

TEST_F(RunClaimTest, KeepsAClaimWhosePutLostItsReply) {
  bool lost = false;
  store.decide([&](const StoreRequest& request) -> std::optional<StoreFault> {
    if (request.operation != storage::StoreOperation::kPut || lost) return std::nullopt;
    lost = true;
    return StoreFault{.kind = StoreFault::Kind::kErrorAfter};
  });
  auto claim = RunClaim::take(store, *repository, "r", {"me", {}}, 0, clock, random);
  ASSERT_TRUE(claim) << claim.error().to_string();
  EXPECT_EQ((*claim)->generation(), 1U);
}

TEST_F(RunClaimTest, StopsARunBeforeItsNextChangeWhenAnotherTookItOver) {
  using testing::EngineWorld, testing::make_plan, testing::make_step;
  EngineWorld world(make_plan({make_step("a", "test.act"), make_step("b", "test.act", {"a"})}));
  const auto claim = RunClaim::take(store, *repository, "s-1", {"host:1", {}}, 0, world.clock, random);
  ASSERT_TRUE(claim);
  world.claim = claim->get();
  world.actions.script("a").in_execute = [&] {
    ASSERT_TRUE(RunClaim::take(memory, *repository, "s-1", {"host:2", {}}, 0, world.clock, random));
    world.clock.advance(3s);
  };
  const auto end = world.start();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().kind(), ErrorKind::kFenced);
  EXPECT_EQ(world.actions.effects("a"), 1);
  EXPECT_EQ(world.actions.effects("b"), 0);
}

TEST_F(RunClaimTest, LetsARunGoOnWhileTheRepositoryIsAway) {
  using testing::EngineWorld, testing::make_plan, testing::make_step;
  EngineWorld world(make_plan({make_step("a", "test.act"), make_step("b", "test.act", {"a"})}));
  const auto claim = RunClaim::take(store, *repository, "s-1", {"host:1", {}}, 0, world.clock, random);
  ASSERT_TRUE(claim);
  world.claim = claim->get();
  away();
  EXPECT_EQ(world.start().value(), RunEnd::kFinished);
}

}  // namespace
}  // namespace anclora::respond
