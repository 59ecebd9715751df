#include "plan/schema/json_schema.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "plan/action_schema.h"
#include "plan/schema/target_schema.h"

namespace anclora::plan {
namespace {

TEST(JsonSchema, KnowsEveryActionWithItsParametersAndEveryKindOfTarget) {
  const auto schema = nlohmann::json::parse(json_schema());
  const auto& step = schema["properties"]["scenarios"]["items"]["properties"]["steps"]["items"];
  ASSERT_EQ(step["properties"]["uses"]["enum"].size(), action_catalogue().size());
  ASSERT_EQ(step["allOf"].size(), action_catalogue().size());
  for (std::size_t i = 0; i < action_catalogue().size(); ++i) {
    const ActionSchema& action = action_catalogue()[i];
    EXPECT_EQ(step["allOf"][i]["if"]["properties"]["uses"]["const"], action.name);
    EXPECT_EQ(step["allOf"][i]["then"]["properties"]["with"]["properties"].size(), action.parameters.size())
        << action.name;
  }
  std::size_t alternatives = 0;
  for (const TargetSchema& target : target_schemas()) alternatives += std::max<std::size_t>(target.drivers.size(), 1);
  EXPECT_EQ(schema["properties"]["targets"]["items"]["oneOf"].size(), alternatives);
  EXPECT_EQ(schema["additionalProperties"], false);
}

}  // namespace
}  // namespace anclora::plan
