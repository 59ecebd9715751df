#include "storage/store/retry_store.h"

#include <gtest/gtest.h>

#include "storage/store/faulty_store.h"
#include "storage/store/memory_store.h"

namespace anclora::storage {
namespace {

using Kind = StoreFault::Kind;

class RetryStoreTest : public ::testing::Test {
 protected:
  ManualClock clock_;
  SeededRandom random_{7};
  MemoryStore memory_{clock_};
  FaultyStore faulty_{memory_, clock_};
  RetryStore store_{faulty_, clock_, random_, RetryOptions{}};
};

TEST_F(RetryStoreTest, PassingErrorsAreRetriedUntilTheyPass) {
  for (std::uint64_t n = 1; n <= 5; ++n) faulty_.schedule(n, {.kind = Kind::kErrorBefore});
  EXPECT_EQ(store_.put_if_absent("a", "x").value(), PutOutcome::kCreated);
  EXPECT_EQ(faulty_.request_count(), 6U);
}

TEST_F(RetryStoreTest, AStoreThatStaysAwayIsGivenUpWithinTheDeadline) {
  faulty_.decide([](const StoreRequest&) { return StoreFault{.kind = Kind::kErrorBefore}; });
  const MonoTime began = clock_.mono_now();
  const auto outcome = store_.get("a", 10);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().kind(), ErrorKind::kUnavailable);
  EXPECT_NE(outcome.error().message().find("gave up after"), std::string::npos);
  EXPECT_LE(clock_.mono_now() - began, std::chrono::seconds(60));
  EXPECT_GE(clock_.mono_now() - began, std::chrono::seconds(50));
  EXPECT_LT(faulty_.request_count(), 60U);
}

TEST_F(RetryStoreTest, AHangIsCountedIntoTheDeadline) {
  faulty_.decide([](const StoreRequest&) { return StoreFault{.kind = Kind::kHangBefore}; });
  const MonoTime began = clock_.mono_now();
  EXPECT_EQ(store_.head("a").error().kind(), ErrorKind::kDeadlineExceeded);
  EXPECT_LE(clock_.mono_now() - began, std::chrono::seconds(90));
  EXPECT_LE(faulty_.request_count(), 3U);
}

TEST_F(RetryStoreTest, AnErrorThatWillNotPassIsPassedOnAtOnce) {
  for (const ErrorKind kind : {ErrorKind::kNotFound, ErrorKind::kPermissionDenied, ErrorKind::kIo,
                               ErrorKind::kResourceExhausted, ErrorKind::kUnsupported, ErrorKind::kInvalidArgument}) {
    const std::uint64_t before = faulty_.request_count();
    faulty_.schedule(before + 1, {.kind = Kind::kErrorBefore, .error = kind});
    EXPECT_EQ(store_.get("a", 10).error().kind(), kind);
    EXPECT_EQ(faulty_.request_count(), before + 1);
  }
}

TEST_F(RetryStoreTest, APutWhoseReplyWasLostIsPutAgainAndAnswersExists) {
  faulty_.schedule(1, {.kind = Kind::kErrorAfter});
  EXPECT_EQ(store_.put_if_absent("a", "mine").value(), PutOutcome::kExists);
  EXPECT_EQ(store_.get("a", 10).value(), "mine");
}

TEST_F(RetryStoreTest, AShortReadIsTriedOnceMore) {
  ASSERT_TRUE(memory_.put_if_absent("a", "0123456789").has_value());
  faulty_.schedule(1, {.kind = Kind::kTruncatedGet});
  EXPECT_EQ(store_.get_range("a", 0, 10).value(), "0123456789");
  const std::uint64_t before = faulty_.request_count();
  EXPECT_EQ(store_.get_range("a", 5, 10).error().kind(), ErrorKind::kDataLoss);
  EXPECT_EQ(faulty_.request_count(), before + 2);
}

TEST_F(RetryStoreTest, AStopRequestEndsTheWaiting) {
  std::stop_source stop;
  RetryStore stoppable(faulty_, clock_, random_, {.stop = stop.get_token()});
  faulty_.decide([&](const StoreRequest& request) {
    if (request.number == 3) stop.request_stop();
    return StoreFault{.kind = Kind::kErrorBefore};
  });
  EXPECT_EQ(stoppable.now().error().kind(), ErrorKind::kCancelled);
  EXPECT_EQ(faulty_.request_count(), 3U);
}

TEST(FaultyStore, CrashesStayCrashedUntilRevived) {
  ManualClock clock;
  MemoryStore memory(clock);
  FaultyStore faulty(memory, clock);
  faulty.schedule(1, {.kind = Kind::kCrashAfter});
  faulty.schedule(3, {.kind = Kind::kCrashBefore});
  EXPECT_EQ(faulty.put_if_absent("a", "x").error().kind(), ErrorKind::kCancelled);
  EXPECT_TRUE(faulty.crashed());
  EXPECT_EQ(faulty.get("a", 10).error().kind(), ErrorKind::kCancelled);
  faulty.revive();
  EXPECT_EQ(faulty.put_if_absent("b", "x").error().kind(), ErrorKind::kCancelled);
  faulty.revive();
  EXPECT_EQ(faulty.get("a", 10).value(), "x");
  EXPECT_EQ(faulty.get("b", 10).error().kind(), ErrorKind::kNotFound);
}

TEST(FaultyStore, AStaleListLacksTheNewestObjects) {
  ManualClock clock;
  MemoryStore memory(clock);
  FaultyStore faulty(memory, clock);
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(faulty.put_if_absent(name, "x").has_value());
  faulty.schedule(4, {.kind = Kind::kStaleList, .stale = 2});
  EXPECT_EQ(faulty.list("", false)->objects.size(), 1U);
  EXPECT_EQ(faulty.list("", false)->objects.size(), 3U);
  EXPECT_EQ(faulty.requests().back().operation, StoreOperation::kList);
}

TEST(FaultyStore, AHangLetsTimePass) {
  ManualClock clock;
  MemoryStore memory(clock);
  FaultyStore faulty(memory, clock);
  faulty.schedule(1, {.kind = Kind::kHangAfter, .hang = std::chrono::seconds(9)});
  const MonoTime began = clock.mono_now();
  EXPECT_EQ(faulty.put_if_absent("a", "x").error().kind(), ErrorKind::kDeadlineExceeded);
  EXPECT_EQ(clock.mono_now() - began, std::chrono::seconds(9));
  EXPECT_EQ(memory.get("a", 10).value(), "x");
}

}  // namespace
}  // namespace anclora::storage
