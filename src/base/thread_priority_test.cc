#include "base/thread_priority.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <thread>

namespace anclora {
namespace {

int niceness() { return ::getpriority(PRIO_PROCESS, 0); }

TEST(ThreadPriority, OnlyTheCallingThreadBecomesNicer) {
  const int before = niceness();
  int there = before;
  std::thread([&] {
    be_nicer(3);
    there = niceness();
  }).join();
  EXPECT_EQ(there, std::min(19, before + 3));
  EXPECT_EQ(niceness(), before);
}

TEST(ThreadPriority, NothingIsNicerThanTheNicest) {
  int there = 0;
  std::thread([&] {
    be_nicer(15);
    be_nicer(15);
    there = niceness();
  }).join();
  EXPECT_EQ(there, 19);
}

}  // namespace
}  // namespace anclora
