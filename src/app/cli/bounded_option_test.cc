#include "app/cli/bounded_option.h"

#include <gtest/gtest.h>

namespace anclora::app {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(BoundedOption, TakesADurationWithinItsRangeOnly) {
  const auto parse = [](const std::string& text) {
    return duration_option("--seal-interval", text, milliseconds(10), hours(1));
  };
  EXPECT_EQ(parse("10ms").value(), milliseconds(10));
  EXPECT_EQ(parse("1h").value(), hours(1));
  for (const char* wrong : {"9ms", "1h1s", "999999999h", "0", "0s", "", "soon", "-1s"}) {
    const auto refused = parse(wrong);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.error().kind(), ErrorKind::kInvalidArgument);
    EXPECT_EQ(refused.error().message(),
              std::string("--seal-interval \"") + wrong + "\" is no duration from 10ms to 1h");
  }
}

TEST(BoundedOption, TakesZeroWhereTheRangeBeginsThere) {
  for (const char* none : {"0", "0s"})
    EXPECT_EQ(duration_option("--grace", none, Duration(0), hours(1)).value(), Duration(0));
}

TEST(BoundedOption, TakesASizeWithinItsRangeOnly) {
  const auto parse = [](const std::string& text) {
    return size_option("--outbox-limit", text, std::uint64_t{1} << 20, std::uint64_t{1} << 46);
  };
  EXPECT_EQ(parse("1MiB").value(), std::uint64_t{1} << 20);
  for (const char* wrong : {"1000KiB", "8000000TiB", "-1", "much"}) {
    const auto refused = parse(wrong);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.error().message(), std::string("--outbox-limit \"") + wrong + "\" is no size from 1MiB to 64TiB");
  }
}

}  // namespace
}  // namespace anclora::app
