#include "protect/find/key_pattern.h"

#include <gtest/gtest.h>

namespace anclora::protect {
namespace {

TEST(KeyPattern, MatchesAsRedisDoes) {
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_TRUE(glob_matches("h?llo", "hello"));
  EXPECT_FALSE(glob_matches("h?llo", "hllo"));
  EXPECT_TRUE(glob_matches("h*llo", "heeeello"));
  EXPECT_TRUE(glob_matches("h[ae]llo", "hallo"));
  EXPECT_FALSE(glob_matches("h[ae]llo", "hillo"));
  EXPECT_TRUE(glob_matches("h[^e]llo", "hallo"));
  EXPECT_FALSE(glob_matches("h[^e]llo", "hello"));
  EXPECT_TRUE(glob_matches("h[a-b]llo", "hbllo"));
  EXPECT_TRUE(glob_matches("h[b-a]llo", "hbllo"));
  EXPECT_TRUE(glob_matches("bull:*:wait", "bull:mail:wait"));
  EXPECT_FALSE(glob_matches("bull:*:wait", "bull:mail:waiting"));
  EXPECT_TRUE(glob_matches("a\\*b", "a*b"));
  EXPECT_FALSE(glob_matches("a\\*b", "axb"));
  EXPECT_TRUE(glob_matches("a*b*c", "abbbxbc"));
  EXPECT_FALSE(glob_matches("", "a"));
  EXPECT_TRUE(glob_matches("", ""));
}

TEST(KeyPattern, StopsInTimeOnAPatternOfManyStars) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "a*";
  EXPECT_FALSE(glob_matches(pattern + "b", std::string(20000, 'a')));
}

TEST(KeyPattern, SaysWhatAnIndexCanBeAsked) {
  EXPECT_EQ(KeyPattern("bull:mail:id").indexed(), "bull:mail:id");
  EXPECT_TRUE(KeyPattern("bull:mail:id").is_exact());
  EXPECT_EQ(KeyPattern("bull:mail:*").indexed(), "bull:mail:");
  EXPECT_EQ(KeyPattern("bull:ma*l:x").indexed(), "bull:");
  EXPECT_EQ(KeyPattern("*:wait").indexed(), std::nullopt);
  EXPECT_EQ(KeyPattern("user*").indexed(), std::nullopt);
  EXPECT_EQ(KeyPattern("a\\*b").indexed(), "a*b");
  EXPECT_TRUE(KeyPattern("a\\*b").matches("a*b"));
  EXPECT_FALSE(KeyPattern("a\\*b").matches("axb"));
  EXPECT_TRUE(KeyPattern("bull:*").matches("bull:x"));
  EXPECT_FALSE(KeyPattern("bull:*").matches("cow:x"));
}

}  // namespace
}  // namespace anclora::protect
