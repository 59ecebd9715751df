#include "app/daemon/job_diary.h"

#include <gtest/gtest.h>

#include "base/memory_file_system.h"

namespace anclora::app {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

TEST(JobDiary, KnowsOverARestartWhenAJobLastRan) {
  ManualClock clock;
  MemoryFileSystem files(clock);
  const WallTime now = WallTime(hours(500'000));
  JobDiary diary(files, "/state/serve/jobs");
  EXPECT_TRUE(diary.is_due("expire main to repo", hours(24), now));
  ASSERT_TRUE(diary.ran("expire main to repo", 0, now).has_value());
  EXPECT_FALSE(diary.is_due("expire main to repo", hours(24), now + hours(23)));
  JobDiary again(files, "/state/serve/jobs");
  EXPECT_FALSE(again.is_due("expire main to repo", hours(24), now + hours(23)));
  EXPECT_TRUE(again.is_due("expire main to repo", hours(24), now + hours(24)));
  EXPECT_TRUE(again.is_due("verify repo", hours(24), now));
}

TEST(JobDiary, TriesAFailedJobSooner) {
  ManualClock clock;
  MemoryFileSystem files(clock);
  const WallTime now = WallTime(hours(500'000));
  JobDiary diary(files, "/jobs");
  ASSERT_TRUE(diary.ran("verify", 8, now).has_value());
  EXPECT_FALSE(diary.is_due("verify", hours(168), now + minutes(59)));
  EXPECT_TRUE(diary.is_due("verify", hours(168), now + minutes(60)));
  ASSERT_TRUE(diary.ran("verify", 0, now).has_value());
  EXPECT_FALSE(diary.is_due("verify", hours(168), now + minutes(60)));
}

}  // namespace
}  // namespace anclora::app
