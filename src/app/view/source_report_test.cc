#include "app/view/source_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace anclora::app {
namespace {

using testing::HasSubstr;

TEST(SourceReport, SaysThatASourceWithoutAnyEntryIsNotProtectedYet) {
  storage::SourceState state;
  state.source = "orders";
  state.url = "redis://10.0.0.5:6379";
  const SourceReport report = report_source(state, WallTime(std::chrono::seconds(1'800'000'000)), std::nullopt);
  EXPECT_EQ(report.link, LinkState::kLoadingBase);
  EXPECT_THAT(report.first_thing_to_mend, HasSubstr("nothing is protected yet"));
  EXPECT_THAT(to_text(report, WallTime()), HasSubstr("nothing yet: no complete base"));
  const nlohmann::ordered_json json = to_json(report);
  EXPECT_TRUE(json["protected_offset"].is_null());
  EXPECT_EQ(json["windows"].size(), 0u);
}

}  // namespace
}  // namespace anclora::app
