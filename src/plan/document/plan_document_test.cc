#include "plan/document/plan_document.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "plan/read_plan.h"
#include "plan/testing/plan_files.h"

namespace anclora::plan {
namespace {

Plan good_plan() { return read_plan("good.yaml", source_file("tests/plans/good.yaml")).value(); }

DrillResult passed(const std::string& hash) {
  return {.record = "d1",
          .scenario = "redis-lost",
          .environment = "lab",
          .plan_hash = hash,
          .passed = true,
          .ended = WallTime(std::chrono::hours(480'000)),
          .rto = std::chrono::seconds(42),
          .rpo = std::chrono::seconds(1)};
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(PlanDocument, SaysNotMeasuredAndUnverifiedWithoutDrills) {
  for (const std::string& text : {to_markdown(good_plan(), {}), to_html(good_plan(), {})}) {
    EXPECT_TRUE(has(text, "0 of 2 scenarios verified"));
    EXPECT_TRUE(has(text, "unverified"));
    EXPECT_TRUE(has(text, "not measured"));
    EXPECT_TRUE(has(text, "Redis lost"));
  }
}

TEST(PlanDocument, ShowsWhatADrillOfThisVersionMeasured) {
  const Plan plan = good_plan();
  const auto json = nlohmann::json::parse(to_json(plan, {passed(plan.hash_hex)}));
  EXPECT_EQ(json["scenarios"][0]["id"], "redis-lost");
  EXPECT_EQ(json["scenarios"][0]["verified"], true);
  EXPECT_EQ(json["scenarios"][0]["measured_rto_seconds"], 42.0);
  EXPECT_EQ(json["scenarios"][1]["verified"], false);
  EXPECT_TRUE(json["scenarios"][1]["measured_rto_seconds"].is_null());
  EXPECT_TRUE(has(to_markdown(plan, {passed(plan.hash_hex)}), "1 of 2 scenarios verified"));
}

TEST(PlanDocument, IsUnverifiedAfterAnEdit) {
  const auto json = nlohmann::json::parse(to_json(good_plan(), {passed("another version")}));
  EXPECT_EQ(json["scenarios"][0]["verified"], false);
  EXPECT_EQ(json["scenarios"][0]["measured_rto_seconds"], 42.0);
}

TEST(PlanDocument, EscapesWhatThePlanSays) {
  Plan plan = good_plan();
  plan.service = "a<script>&\"";
  plan.scenarios.front().title = "x | <b>y</b>";
  const std::string html = to_html(plan, {});
  EXPECT_FALSE(has(html, "<script>"));
  EXPECT_FALSE(has(html, "<b>"));
  EXPECT_TRUE(has(html, "x | &lt;b&gt;y"));
  EXPECT_TRUE(has(to_markdown(plan, {}), "x \\| \\<b>y"));
}

}  // namespace
}  // namespace anclora::plan
