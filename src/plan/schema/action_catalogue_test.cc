#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "plan/action_schema.h"
#include "plan/schema/suggestion.h"

namespace anclora::plan {
namespace {

TEST(ActionCatalogue, IsSortedAndEveryActionIsFoundByItsName) {
  const auto& actions = action_catalogue();
  EXPECT_TRUE(std::ranges::is_sorted(actions, {}, &ActionSchema::name));
  for (const ActionSchema& action : actions) EXPECT_EQ(find_action(action.name), &action);
  EXPECT_EQ(find_action("redis.nothing"), nullptr);
}

TEST(ActionCatalogue, NamesEveryParameterOnceAndExplainsIt) {
  for (const ActionSchema& action : action_catalogue()) {
    EXPECT_FALSE(action.help.empty()) << action.name;
    std::set<std::string> names;
    for (const Parameter& parameter : action.parameters) {
      EXPECT_TRUE(names.insert(parameter.name).second) << action.name << " " << parameter.name;
      EXPECT_FALSE(parameter.help.empty()) << action.name << " " << parameter.name;
    }
  }
}

TEST(ActionCatalogue, OnlyLooksWhereItSaysThatNothingChanges) {
  for (const ActionSchema& action : action_catalogue())
    if (!action.mutates) {
      EXPECT_FALSE(action.destructive) << action.name;
      EXPECT_FALSE(action.undoable) << action.name;
    }
}

TEST(Suggestion, FindsTheWordThatWasMeant) {
  const std::vector<std::string> words = {"redis.restore", "redis.promote", "service.restart", "budget", "needs"};
  EXPECT_EQ(closest_word("budgt", words), "budget");
  EXPECT_EQ(closest_word("bugdet", words), "budget");
  EXPECT_EQ(closest_word("restore", words), "redis.restore");
  EXPECT_EQ(closest_word("needed", words), "needs");
  EXPECT_EQ(closest_word("quorum", words), "");
  EXPECT_EQ(closest_word(std::string(100'000, 'x'), words), "");
}

}  // namespace
}  // namespace anclora::plan
