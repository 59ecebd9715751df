#include "respond/bisect/moment_check.h"

#include <gtest/gtest.h>

namespace anclora::respond {
namespace {

TEST(KeyspaceRuleText, IsReadWithEveryWord) {
  const auto rule = parse_keyspace_rule(
      "bull:q:* type=hash at-least=10 at-most=20 keys=15 tolerance=2.5% fields=name,data expiry=forbidden db=3");
  ASSERT_TRUE(rule.has_value()) << rule.error().message();
  EXPECT_EQ(rule->pattern, "bull:q:*");
  EXPECT_EQ(rule->type, "hash");
  EXPECT_EQ(rule->at_least, 10U);
  EXPECT_EQ(rule->at_most, 20U);
  EXPECT_EQ(rule->keys, 15U);
  EXPECT_DOUBLE_EQ(rule->tolerance_percent, 2.5);
  EXPECT_EQ(rule->fields, (std::vector<std::string>{"name", "data"}));
  EXPECT_EQ(rule->expiry, Expiry::kForbidden);
  EXPECT_EQ(rule->database, 3U);
}

TEST(KeyspaceRuleText, NamesTheWordThatIsWrong) {
  const auto message = [](std::string_view text) {
    const auto rule = parse_keyspace_rule(text);
    return rule.has_value() ? std::string("accepted") : rule.error().message();
  };
  EXPECT_EQ(message(""), "a rule begins with the pattern of its keys");
  EXPECT_EQ(message("type=hash"), "a rule begins with the pattern of its keys");
  EXPECT_EQ(message("a:*"), "the rule \"a:*\" asks for nothing");
  EXPECT_EQ(message("a:* tolerance=5%"), "the rule \"a:* tolerance=5%\" asks for nothing");
  EXPECT_EQ(message("a:* hash"), "\"hash\" is no word=value");
  EXPECT_EQ(message("a:* at-least=many"), "\"at-least\" needs a number, not \"many\"");
  EXPECT_EQ(message("a:* at-least=-1"), "\"at-least\" needs a number, not \"-1\"");
  EXPECT_EQ(message("a:* expiry=maybe"), "a rule knows no \"expiry=maybe\"");
  EXPECT_EQ(message("a:* colour=red"), "a rule knows no \"colour=red\"");
}

}  // namespace
}  // namespace anclora::respond
