#include "protect/restore/when.h"

#include <gtest/gtest.h>

namespace anclora::protect {
namespace {

When parsed(std::string_view text) {
  auto when = parse_when(text);
  EXPECT_TRUE(when.has_value()) << text << ": " << when.error().to_string();
  return when.value_or(When(WhenTag{"it did not parse"}));
}

TEST(When, ReadsEveryForm) {
  EXPECT_EQ(parsed("latest"), When(WhenLatest{}));
  EXPECT_EQ(parsed("5m ago"), When(WhenAgo{std::chrono::minutes(5)}));
  EXPECT_EQ(parsed("1h30m ago"), When(WhenAgo{std::chrono::minutes(90)}));
  EXPECT_EQ(parsed("offset:77"), When(WhenOffset{std::nullopt, redis::Offset{77}}));
  EXPECT_EQ(parsed("offset:3/77"), When(WhenOffset{storage::TimelineId{3}, redis::Offset{77}}));
  EXPECT_EQ(parsed("before:77"), When(WhenBefore{std::nullopt, redis::Offset{77}}));
  EXPECT_EQ(parsed("before:3/77"), When(WhenBefore{storage::TimelineId{3}, redis::Offset{77}}));
  EXPECT_EQ(parsed("tag:before-release"), When(WhenTag{"before-release"}));
  EXPECT_EQ(parsed("1970-01-01T00:00:02Z"), When(WhenTime{WallTime(std::chrono::seconds(2))}));
  EXPECT_EQ(parsed("1970-01-01T02:00:02+02:00"), When(WhenTime{WallTime(std::chrono::seconds(2))}));
}

TEST(When, PrintsWhatReadsBackAsTheSame) {
  for (const char* text : {"latest", "300s ago", "1500us ago", "offset:77", "offset:3/77", "before:77", "before:3/77",
                           "tag:x", "2026-11-24T12:34:56.789012Z"}) {
    EXPECT_EQ(to_string(parsed(text)), text);
  }
}

TEST(When, RefusesEverythingElseAndNamesTheForms) {
  for (const char* text : {"", "yesterday", "5m", "36501d ago", "ago", " ago", "-5m ago", "offset:", "offset:-1",
                           "offset:1x", "offset:0/5", "offset:3/", "offset:9223372036854775808", "before:0",
                           "before:2/0", "tag:", "LATEST", "latest ", "2026-13-01T00:00:00Z"}) {
    const auto when = parse_when(text);
    ASSERT_FALSE(when.has_value()) << text;
    EXPECT_EQ(when.error().kind(), ErrorKind::kInvalidArgument) << text;
    EXPECT_NE(when.error().hint().find("before:T/N"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace anclora::protect
