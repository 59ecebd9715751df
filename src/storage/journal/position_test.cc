#include "storage/journal/position.h"

#include <gtest/gtest.h>

namespace anclora::storage {
namespace {

TEST(Position, IsWrittenAsTimelineAndOffset) {
  EXPECT_EQ(to_string(Position{TimelineId{3}, redis::Offset{1048577}}), "3/1048577");
}

TEST(Position, ReadsBackWhatItWrites) {
  for (const std::string_view text : {"1/0", "3/1048577", "4294967295/9223372036854775807"}) {
    const auto position = parse_position(text);
    ASSERT_TRUE(position.has_value()) << text;
    EXPECT_EQ(to_string(*position), text);
  }
}

TEST(Position, RefusesEverythingElse) {
  for (const std::string_view text : {"",
                                      "/",
                                      "1",
                                      "1/",
                                      "/1",
                                      "0/1",
                                      "1/-1",
                                      "-1/1",
                                      "+1/1",
                                      "1/+1",
                                      " 1/1",
                                      "1/1 ",
                                      "1/1/1",
                                      "01/1",
                                      "1/01",
                                      "4294967296/1",
                                      "1/9223372036854775808",
                                      "1/18446744073709551616",
                                      "a/1",
                                      "1/a",
                                      "1.0/1"}) {
    const auto position = parse_position(text);
    ASSERT_FALSE(position.has_value()) << text;
    EXPECT_EQ(position.error().kind(), ErrorKind::kInvalidArgument);
    EXPECT_FALSE(position.error().hint().empty());
  }
}

TEST(Position, IsOrderedByTimelineThenOffset) {
  const Position early{TimelineId{1}, redis::Offset{900}};
  const Position later{TimelineId{2}, redis::Offset{5}};
  EXPECT_LT(early, later);
  EXPECT_LT(early, (Position{TimelineId{1}, redis::Offset{901}}));
}

}  // namespace
}  // namespace anclora::storage
