#include "protect/restore/recovery_point.h"

#include <gtest/gtest.h>

#include "protect/restore/restore_plan.h"
#include "protect/testing/source_builder.h"
#include "redis/resp/reply.h"
#include "storage/repository/pin.h"

namespace anclora::protect {
namespace {

using redis::Offset;
using storage::Position;
using storage::TimelineId;

WallTime at(int seconds) { return WallTime(std::chrono::seconds(1'790'000'000 + seconds)); }

Position pos(std::uint32_t timeline, Offset offset) { return {TimelineId{timeline}, offset}; }

// Timeline 1: base at 100 (t=0), then three SETs at t=10, 20, 30, a transaction at t=40..42, a SET at t=50.
struct Sample {
  SourceBuilder source;
  Offset after_first, after_second, after_third, multi, in_multi, after_exec, after_last;

  explicit Sample(bool packed = false) {
    source.open_timeline(Offset{100}, at(0));
    source.base(empty_rdb(), at(0));
    source.command({"SET", "a", "1"}, at(10));
    source.seal();
    after_first = source.end();
    source.command({"SET", "b", "2"}, at(20));
    after_second = source.end();
    source.command({"SET", "c", "3"}, at(30));
    after_third = source.end();
    source.seal();
    source.command({"MULTI"}, at(40));
    multi = after_third + 1;
    source.command({"SET", "d", "4"}, at(41));
    source.seal();
    in_multi = source.end();
    source.command({"EXEC"}, at(42));
    after_exec = source.end();
    source.seal();
    if (packed) source.pack();
    source.command({"SET", "e", "5"}, at(50));
    source.seal();
    after_last = source.end();
  }

  RecoveryPoint must(const When& when) {
    auto point = resolve(source.view(), when, at(60));
    EXPECT_TRUE(point.has_value()) << to_string(when) << ": " << (point.has_value() ? "" : point.error().to_string());
    return point.value_or(RecoveryPoint{});
  }
  Error refused(const When& when) {
    const auto point = resolve(source.view(), when, at(60));
    EXPECT_FALSE(point.has_value()) << to_string(when) << " gave "
                                    << (point ? storage::to_string(point->position) : "");
    return point.has_value() ? Error(ErrorKind::kInternal, "it was resolved") : point.error();
  }
};

class RecoveryPointTest : public testing::TestWithParam<bool> {};

TEST_P(RecoveryPointTest, TakesTheLastMarkNotAfterATimeAndStepsOutOfATransaction) {
  Sample sample(GetParam());
  EXPECT_EQ(sample.must(WhenTime{at(0)}).position, pos(1, Offset{100}));
  EXPECT_EQ(sample.must(WhenTime{at(9)}).position, pos(1, Offset{100}));
  EXPECT_EQ(sample.must(WhenTime{at(10)}).position, pos(1, sample.after_first));
  EXPECT_EQ(sample.must(WhenTime{at(19)}).position, pos(1, sample.after_first));
  EXPECT_EQ(sample.must(WhenTime{at(25)}).position, pos(1, sample.after_second));
  EXPECT_EQ(sample.must(WhenTime{at(30)}).position, pos(1, sample.after_third));
  EXPECT_EQ(sample.must(WhenTime{at(41)}).position, pos(1, sample.after_third));
  EXPECT_EQ(sample.must(WhenTime{at(42)}).position, pos(1, sample.after_exec));
  EXPECT_EQ(sample.must(WhenTime{at(50)}).position, pos(1, sample.after_last));
  EXPECT_EQ(sample.must(WhenTime{at(58)}).position, pos(1, sample.after_last));
  EXPECT_EQ(sample.must(WhenAgo{std::chrono::seconds(35)}).position, pos(1, sample.after_second));
  EXPECT_EQ(sample.must(WhenTime{at(25)}).exactness, Exactness::kSnapped);
  EXPECT_EQ(sample.must(WhenTime{at(25)}).time, at(20));
}

TEST_P(RecoveryPointTest, TakesTheNewestPoint) {
  Sample sample(GetParam());
  const RecoveryPoint point = sample.must(WhenLatest{});
  EXPECT_EQ(point.position, pos(1, sample.after_last));
  EXPECT_EQ(point.time, at(50));
  EXPECT_EQ(point.exactness, Exactness::kNewest);
}

TEST_P(RecoveryPointTest, TakesEveryOffsetBetweenCommandsAndOutsideTransactions) {
  Sample sample(GetParam());
  for (const Offset offset : {Offset{100}, sample.after_first, sample.after_second, sample.after_third,
                              sample.after_exec, sample.after_last}) {
    EXPECT_EQ(sample.must(WhenOffset{std::nullopt, offset}).position, pos(1, offset));
    EXPECT_EQ(sample.must(WhenBefore{TimelineId{1}, offset + 1}).position, pos(1, offset));
  }
  EXPECT_EQ(sample.must(WhenOffset{std::nullopt, sample.after_second}).time, at(20));
}

TEST_P(RecoveryPointTest, RefusesAnOffsetInsideATransactionNamingThePointsAroundIt) {
  Sample sample(GetParam());
  for (const When& when :
       {When(WhenBefore{std::nullopt, sample.in_multi + 1}), When(WhenOffset{std::nullopt, sample.in_multi}),
        When(WhenOffset{std::nullopt, sample.multi + 3})}) {
    const Error error = sample.refused(when);
    EXPECT_EQ(error.kind(), ErrorKind::kFailedPrecondition);
    EXPECT_NE(error.hint().find("--at offset:" + storage::to_string(pos(1, sample.after_third))), std::string::npos)
        << error.to_string();
    EXPECT_NE(error.hint().find("--at offset:" + storage::to_string(pos(1, sample.after_exec))), std::string::npos)
        << error.to_string();
  }
  const Error inside = sample.refused(WhenOffset{std::nullopt, sample.after_first + 5});
  EXPECT_NE(inside.hint().find(storage::to_string(pos(1, sample.after_first))), std::string::npos);
  EXPECT_NE(inside.hint().find(storage::to_string(pos(1, sample.after_second))), std::string::npos);
}

TEST_P(RecoveryPointTest, RefusesWhatIsBeyondOrBeforeWhatIsProtectedWithACommandToCopy) {
  Sample sample(GetParam());
  const Error beyond = sample.refused(WhenOffset{std::nullopt, sample.after_last + 1});
  EXPECT_NE(beyond.message().find("beyond what is protected"), std::string::npos);
  EXPECT_NE(beyond.hint().find("anclora restore --at offset:" + storage::to_string(pos(1, sample.after_last))),
            std::string::npos);
  EXPECT_NE(sample.refused(WhenTime{at(66)}).hint().find(storage::to_string(pos(1, sample.after_last))),
            std::string::npos);
  EXPECT_NE(sample.refused(WhenTime{at(-1)}).hint().find("offset:1/100"), std::string::npos);
  EXPECT_NE(sample.refused(WhenOffset{std::nullopt, Offset{99}}).hint().find("offset:1/100"), std::string::npos);
  EXPECT_EQ(sample.refused(WhenOffset{TimelineId{7}, Offset{100}}).kind(), ErrorKind::kNotFound);
}

INSTANTIATE_TEST_SUITE_P(PackedOrNot, RecoveryPointTest, testing::Bool());

// A clock that stood wrong for a while: ten SETs at t=0..90, a few while it said `wrong`, ten more at t=110..200.
struct SteppedClock {
  SourceBuilder source;
  std::vector<Offset> before, after;

  SteppedClock(int wrong, bool packed) {
    source.open_timeline(Offset{100}, at(0));
    source.base(empty_rdb(), at(0));
    for (int i = 0; i < 10; ++i) set(at(10 * i), before);
    if (packed) source.pack();
    std::vector<Offset> lost;
    for (int i = 0; i < 5; ++i) set(at(wrong + i), lost);
    if (packed) source.pack();
    for (int i = 11; i <= 20; ++i) set(at(10 * i), after);
    if (packed) source.pack();
    set(at(210), lost);
  }
  void set(WallTime time, std::vector<Offset>& ends) {
    source.command({"SET", "k", "v"}, time);
    source.seal();
    ends.push_back(source.end());
  }
  Position resolved(int seconds) {
    const auto point = resolve(source.view(), WhenTime{at(seconds)}, at(220));
    EXPECT_TRUE(point.has_value()) << (point.has_value() ? "" : point.error().to_string());
    return point.value_or(RecoveryPoint{}).position;
  }
};

class RecoveryPointClock : public testing::TestWithParam<bool> {};

TEST_P(RecoveryPointClock, AMomentBeforeTheClockStoodWrongIsNotTakenForALaterOne) {
  for (const int wrong : {-86400, -3600, 3600, 864000}) {
    SteppedClock clock(wrong, GetParam());
    for (std::size_t i = 0; i < 9; ++i)
      EXPECT_EQ(clock.resolved(10 * static_cast<int>(i) + 1), pos(1, clock.before[i])) << wrong << ' ' << i;
    for (std::size_t i = 0; i < 10; ++i)
      EXPECT_EQ(clock.resolved(10 * static_cast<int>(i) + 111), pos(1, clock.after[i])) << wrong << ' ' << i;
  }
}

TEST_P(RecoveryPointClock, OfTwoPlacesThatBearATimeTheLaterIsMeant) {
  SteppedClock clock(30, GetParam());  // it was set back from 90 to 30..34, then forward again
  EXPECT_EQ(clock.resolved(21), pos(1, clock.before[2]));
  EXPECT_GT(clock.resolved(33), pos(1, clock.before.back()));
  EXPECT_EQ(clock.resolved(80), pos(1, clock.before[8]));
}

TEST_P(RecoveryPointClock, ATimelineThatBeganWithAClockAheadCanBeHadByTime) {
  SourceBuilder source;
  source.open_timeline(Offset{100}, at(7200));
  source.base(empty_rdb(), at(7200));
  source.command({"SET", "a", "1"}, at(7201));
  source.seal();
  if (GetParam()) source.pack();
  source.command({"SET", "a", "2"}, at(10));
  source.seal();
  const Offset second = source.end();
  source.command({"SET", "a", "3"}, at(20));
  source.seal();
  const auto point = resolve(source.view(), WhenTime{at(15)}, at(30));
  ASSERT_TRUE(point.has_value()) << point.error().to_string();
  EXPECT_EQ(point->position, pos(1, second));
}

INSTANTIATE_TEST_SUITE_P(PackedOrNot, RecoveryPointClock, testing::Bool());

TEST(RecoveryPoint, NamesTheSourceInACommandToCopyWhereTheRepositoryHoldsSeveral) {
  Sample sample;
  const auto hint = [&] { return sample.refused(WhenOffset{TimelineId{1}, sample.in_multi}).hint(); };
  EXPECT_EQ(hint().find("--name"), std::string::npos) << hint();
  ASSERT_TRUE(sample.source.store().put_if_absent("sources/jobs/x", {}));
  EXPECT_NE(hint().find("anclora restore --name default --at offset:1/"), std::string::npos) << hint();
  EXPECT_EQ(name_words(sample.source.store(), "jobs"), "--name jobs ");
}

TEST(RecoveryPoint, RefusesATimeInAGapWithThePointsOnEitherSide) {
  Sample sample;
  storage::Origin origin;
  origin.kind = storage::OriginKind::kGap;
  origin.previous = pos(1, sample.after_last);
  origin.previous_time = at(50);
  origin.reason = "the source was restarted";
  sample.source.open_timeline(Offset{5000}, at(100), origin);
  sample.source.base(empty_rdb(), at(101));
  sample.source.command({"SET", "x", "1"}, at(110));
  sample.source.seal();

  const Error error = sample.refused(WhenTime{at(70)});
  EXPECT_EQ(error.kind(), ErrorKind::kDataLoss);
  EXPECT_NE(error.message().find("gap"), std::string::npos);
  EXPECT_NE(error.message().find("the source was restarted"), std::string::npos);
  EXPECT_NE(error.hint().find("offset:" + storage::to_string(pos(1, sample.after_last))), std::string::npos)
      << error.hint();
  EXPECT_NE(error.hint().find("offset:2/5000"), std::string::npos) << error.hint();

  // The newest timeline is meant unless one is named.
  EXPECT_EQ(sample.must(WhenLatest{}).position.timeline, TimelineId{2});
  EXPECT_EQ(sample.must(WhenOffset{std::nullopt, Offset{5000}}).position, pos(2, Offset{5000}));
  EXPECT_EQ(sample.must(WhenOffset{TimelineId{1}, sample.after_first}).position, pos(1, sample.after_first));
  const Error elsewhere = sample.refused(WhenOffset{std::nullopt, sample.after_first});
  EXPECT_NE(elsewhere.hint().find("offset:" + storage::to_string(pos(1, sample.after_first))), std::string::npos)
      << elsewhere.to_string();
  EXPECT_EQ(sample.must(WhenTime{at(20)}).position, pos(1, sample.after_second));
}

TEST(RecoveryPoint, FollowsAForkBackToItsParentsBase) {
  Sample sample;
  storage::Origin origin;
  origin.kind = storage::OriginKind::kFork;
  origin.previous = pos(1, sample.after_second);
  origin.previous_time = at(20);
  sample.source.open_timeline(sample.after_second, at(60), origin);
  sample.source.command({"SET", "forked", "1"}, at(65));
  sample.source.seal();
  const Position forked = pos(2, sample.source.end());

  auto route = route_to(sample.source.view().state, forked);
  ASSERT_TRUE(route.has_value()) << route.error().to_string();
  ASSERT_EQ(route->stretches.size(), 2u);
  EXPECT_EQ(route->stretches[0].timeline, TimelineId{1});
  EXPECT_EQ(route->stretches[0].to, sample.after_second);
  EXPECT_EQ(route->stretches[1].timeline, TimelineId{2});
  EXPECT_EQ(route->base.offset, Offset{100});
  EXPECT_EQ(sample.must(WhenLatest{}).position, forked);
  EXPECT_EQ(sample.must(WhenTime{at(65)}).position, forked);
  EXPECT_EQ(sample.must(WhenOffset{TimelineId{1}, sample.after_last}).position, pos(1, sample.after_last));
}

// Entries that end inside commands: of a long one, and inside the EXEC of a transaction.
TEST(RecoveryPoint, KnowsTheBoundariesAroundCommandsThatSpanEntries) {
  for (const bool packed : {false, true}) {
    Sample sample;
    SourceBuilder& source = sample.source;
    const Bytes large = redis::build_command({"SET", "large", Bytes(50'000, 'x')});
    const Offset before = source.end();
    for (const auto& [from, size] :
         {std::pair<std::size_t, std::size_t>{0, 20'000}, {20'000, 20'000}, {40'000, 60'000}}) {
      source.stream(ByteView(large).substr(from, size), at(52));
      source.seal();
    }
    const Offset after_large = source.end();
    const Bytes transaction =
        redis::build_command({"MULTI"}) + redis::build_command({"INCR", "n"}) + redis::build_command({"EXEC"});
    source.stream(ByteView(transaction).substr(0, transaction.size() - 4), at(53));
    source.seal();
    source.stream(ByteView(transaction).substr(transaction.size() - 4), at(54));
    source.seal();
    const Offset after_transaction = source.end();
    source.command({"SET", "z", "1"}, at(55));
    source.seal();
    if (packed) source.pack();

    for (const Offset offset : {before, after_large, after_transaction, source.end()})
      EXPECT_EQ(sample.must(WhenOffset{std::nullopt, offset}).position, pos(1, offset));
    for (const std::uint64_t inside : {10U, 25'000U, 49'000U}) {
      const Error error = sample.refused(WhenOffset{std::nullopt, before + inside});
      EXPECT_NE(error.hint().find("offset:" + storage::to_string(pos(1, before))), std::string::npos)
          << error.to_string();
      EXPECT_NE(error.hint().find("offset:" + storage::to_string(pos(1, after_large))), std::string::npos)
          << error.to_string();
    }
    const Error error = sample.refused(WhenOffset{std::nullopt, after_transaction - 2});
    EXPECT_NE(error.hint().find("offset:" + storage::to_string(pos(1, after_large))), std::string::npos)
        << error.to_string();
    EXPECT_NE(error.hint().find("offset:" + storage::to_string(pos(1, after_transaction))), std::string::npos)
        << error.to_string();
    EXPECT_EQ(sample.must(WhenTime{at(52)}).position, pos(1, after_large));
    EXPECT_EQ(sample.must(WhenTime{at(53)}).position, pos(1, after_large));
    EXPECT_EQ(sample.must(WhenTime{at(54)}).position, pos(1, after_transaction));
  }
}

TEST(RecoveryPoint, ReadsATag) {
  Sample sample;
  storage::Pin pin;
  pin.name = "before-release";
  pin.position = pos(1, sample.after_second);
  pin.time = at(20);
  ASSERT_TRUE(
      storage::write_pin(sample.source.store(), sample.source.repository(), "default", pin, sample.source.random())
          .has_value());
  EXPECT_EQ(sample.must(WhenTag{"before-release"}).position, pin.position);
  EXPECT_EQ(sample.refused(WhenTag{"other"}).kind(), ErrorKind::kNotFound);
}

TEST(RestorePlan, SaysWhatIsReadAndWhatIsGivenUp) {
  Sample sample(true);
  const SourceView view = sample.source.view();
  const RecoveryPoint point = sample.must(WhenOffset{std::nullopt, sample.after_second});
  const auto plan = make_restore_plan(view.state, point);
  ASSERT_TRUE(plan.has_value()) << plan.error().to_string();
  EXPECT_EQ(plan->route.base.offset, Offset{100});
  EXPECT_EQ(plan->route.stream_bytes(), sample.after_second - Offset{100});
  EXPECT_EQ(plan->packs.size(), 1u);
  EXPECT_EQ(plan->entries, 0u);
  EXPECT_EQ(plan->distance.bytes, sample.after_last - sample.after_second);
  EXPECT_EQ(plan->distance.behind, std::chrono::seconds(30));
  EXPECT_NE(to_text(*plan).find("gives up what came after it"), std::string::npos);
  EXPECT_NE(to_json(*plan).find("\"gives_up_bytes\""), std::string::npos);

  const auto latest = make_restore_plan(view.state, sample.must(WhenLatest{}));
  ASSERT_TRUE(latest.has_value());
  EXPECT_EQ(latest->entries, 1u);
  EXPECT_NE(to_text(*latest).find("gives up nothing that is protected"), std::string::npos);
}

}  // namespace
}  // namespace anclora::protect
