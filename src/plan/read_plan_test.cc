#include "plan/read_plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "plan/reader/yaml_reader.h"
#include "plan/testing/plan_files.h"

namespace anclora::plan {
namespace {

std::vector<std::string> codes_of(const Findings& findings) {
  std::vector<std::string> codes;
  for (const Finding& finding : findings) codes.push_back(finding.code);
  return codes;
}

std::vector<std::string> codes_of(std::string_view bytes) { return codes_of(check_plan("plan", bytes).findings); }

TEST(ReadPlan, BuildsWhatTheFileSays) {
  const auto plan = read_plan("good.yaml", source_file("tests/plans/good.yaml"));
  ASSERT_TRUE(plan.has_value()) << plan.error().message();
  EXPECT_EQ(plan->service, "orders");
  EXPECT_EQ(plan->hash_hex.size(), 64U);
  ASSERT_EQ(plan->scenarios.size(), 2U);
  const Scenario& lost = plan->scenarios.front();
  EXPECT_EQ(lost.id, "redis-lost");
  ASSERT_TRUE(lost.declare.has_value());
  EXPECT_EQ(lost.declare->timeout, std::chrono::minutes(2));
  ASSERT_GE(lost.steps.size(), 4U);
  EXPECT_EQ(lost.steps[3].uses, "redis.restore");
  EXPECT_EQ(lost.steps[3].needs, (std::vector<std::string>{"promote", "point"}));
  EXPECT_EQ(lost.steps[3].retry, 1U);
  ASSERT_NE(lost.steps[3].with.find("to"), nullptr);
  EXPECT_EQ(lost.steps[3].with.find("to")->text, "redis-new");
  EXPECT_EQ(lost.restored.front().is, ProbeState::kUp);
  EXPECT_EQ(plan->detections.front().all.front().at_least, 2U);
  EXPECT_EQ(plan->escalation.back().when, EscalateWhen::kForecastOverRto);
  EXPECT_EQ(plan->targets.front().settings.find("url")->text, "env:REDIS_MAIN_URL");
}

TEST(ReadPlan, RefusesAPlanWithErrorsAndNamesThePlace) {
  const auto plan = read_plan("p.yaml", "version: 1\nservise: x\n");
  ASSERT_FALSE(plan.has_value());
  EXPECT_EQ(plan.error().kind(), ErrorKind::kInvalidArgument);
  EXPECT_NE(plan.error().message().find("p.yaml:2:1: error"), std::string::npos) << plan.error().message();
  EXPECT_NE(plan.error().hint().find("plan check"), std::string::npos);
}

TEST(YamlReader, RefusesAnEmptyFile) {
  for (const char* empty : {"", "\n", "# nothing\n", "---\n", "~\n"})
    EXPECT_EQ(codes_of(empty), (std::vector<std::string>{"yaml.empty"})) << empty;
}

TEST(YamlReader, RefusesARootThatIsNoMap) {
  EXPECT_EQ(codes_of("- a\n").front(), "type.map");
  EXPECT_EQ(codes_of("hello\n").front(), "type.map");
}

TEST(YamlReader, RefusesDepthBeyondTheLimitAtItsPlace) {
  std::string deep = "service: ";
  deep += std::string(10'000, '[') + std::string(10'000, ']');
  const CheckedPlan checked = check_plan("plan", deep);
  ASSERT_EQ(codes_of(checked.findings), (std::vector<std::string>{"yaml.depth"}));
  EXPECT_EQ(checked.findings.front().place, (Place{1, 10 + kMaxPlanDepth - 1}));
}

TEST(YamlReader, RefusesAFileOverTheLimitWithoutReadingIt) {
  EXPECT_EQ(codes_of(std::string(kMaxPlanBytes + 1, '#')), (std::vector<std::string>{"yaml.size"}));
}

TEST(YamlReader, RefusesMoreValuesThanTheLimit) {
  std::string many = "service: [";
  for (std::size_t i = 0; i < kMaxPlanNodes + 10; ++i) many += "a,";
  EXPECT_EQ(codes_of(many + "]\n"), (std::vector<std::string>{"yaml.size"}));
}

TEST(YamlReader, TakesAByteOrderMark) {
  Findings findings;
  const auto root = read_yaml("\xef\xbb\xbfversion: 1\n", findings);
  ASSERT_TRUE(root.has_value());
  EXPECT_TRUE(findings.empty());
  EXPECT_EQ(root->entries.front().place, (Place{1, 1}));
}

TEST(YamlReader, ReportsEveryDuplicateInOnePass) {
  Findings findings;
  read_yaml("a: 1\na: 2\nb: {c: 1, c: 2}\n", findings);
  EXPECT_EQ(codes_of(findings), (std::vector<std::string>{"yaml.duplicate_key", "yaml.duplicate_key"}));
}

std::string plan_with_drills() {
  std::string text = source_file("tests/plans/good.yaml");
  return text;
}

TEST(Lint, SaysNothingOfDrillsWhoseRecordsItDoesNotKnow) { EXPECT_TRUE(codes_of(plan_with_drills()).empty()); }

TEST(Lint, NamesDrillsThatNeverPassedOrAreOverdue) {
  const WallTime now = WallTime(std::chrono::hours(24 * 20'000));
  CheckOptions options{.now = now, .drills = std::vector<DrillResult>{}};
  EXPECT_EQ(codes_of(check_plan("plan", plan_with_drills(), options).findings),
            (std::vector<std::string>(3, "drill.never_passed")));
  for (const char* scenario : {"redis-lost", "region-lost", "restore"})
    options.drills->push_back({.record = "d",
                               .scenario = scenario,
                               .environment = "lab",
                               .plan_hash = "",
                               .passed = true,
                               .ended = now - std::chrono::hours(24 * 8),
                               .rto = std::nullopt,
                               .rpo = std::nullopt});
  const Findings findings = check_plan("plan", plan_with_drills(), options).findings;
  ASSERT_EQ(codes_of(findings), (std::vector<std::string>{"drill.overdue"}));
  EXPECT_NE(findings.front().message.find("weekly"), std::string::npos);
}

TEST(Lint, FindsNothingInThePlansOfThisProjectButActionsToCome) {
  for (const char* file : {"plans/anclora.yaml", "plans/local.yaml"}) {
    const CheckedPlan checked = check_plan(file, source_file(file));
    for (const Finding& finding : checked.findings)
      EXPECT_EQ(finding.code, "action.unavailable") << to_text(file, finding);
    EXPECT_TRUE(checked.usable()) << file;
    EXPECT_TRUE(clean_but_unavailable(checked.findings)) << file;
  }
}

TEST(Lint, RefusesAScenarioOfThousandsOfSteps) {
  std::string text =
      "version: 1\nservice: s\nscenarios:\n  - id: a\n    title: A\n    severity: critical\n    steps:\n";
  for (int i = 0; i < 5'000; ++i)
    text += "      - {id: s" + std::to_string(i) + ", uses: people.manual, with: {text: x}}\n";
  const auto codes = codes_of(text);
  EXPECT_NE(std::ranges::find(codes, "plan.size"), codes.end());
}

TEST(ReadPlan, AKeptPlanIsTakenAsItWasJudgedThen) {
  std::string text = source_file("tests/plans/good.yaml");
  text.replace(text.find("budget: 10s"), 11, "budget: 99h");
  EXPECT_FALSE(read_plan("plan", text).has_value());
  const auto kept = read_kept_plan("plan", text);
  ASSERT_TRUE(kept.has_value()) << kept.error().message();
  EXPECT_EQ(kept->service, "orders");
  EXPECT_EQ(kept->hash_hex, check_plan("plan", text).plan->hash_hex);
  EXPECT_FALSE(read_kept_plan("plan", "version: [1").has_value());
}

}  // namespace
}  // namespace anclora::plan
