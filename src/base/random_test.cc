#include "base/random.h"

#include <gtest/gtest.h>

namespace anclora {
namespace {

TEST(SeededRandom, RepeatsItselfFromTheSameSeed) {
  SeededRandom a(7);
  SeededRandom b(7);
  SeededRandom c(8);
  EXPECT_EQ(a.bytes(37), b.bytes(37));
  EXPECT_EQ(a.next_u64(), b.next_u64());
  EXPECT_NE(SeededRandom(7).next_u64(), c.next_u64());
}

TEST(SeededRandom, MatchesThePublishedSplitMix64) {
  SeededRandom random(1234567);
  EXPECT_EQ(random.next_u64(), 6457827717110365317U);
  EXPECT_EQ(random.next_u64(), 3203168211198807973U);
}

TEST(SystemRandom, DoesNotRepeatItself) {
  EXPECT_NE(system_random().bytes(16), system_random().bytes(16));
  EXPECT_NE(system_random().next_u64(), system_random().next_u64());
  EXPECT_EQ(system_random().bytes(3).size(), 3U);
}

}  // namespace
}  // namespace anclora
