// tests/plans/bad_plans.txt: each case is a good plan with one text replaced and what must be said about it, and where.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "plan/read_plan.h"
#include "plan/testing/plan_files.h"

namespace anclora::plan {
namespace {

struct Expected {
  std::string code;
  Place place;
  std::string says;
};

struct Case {
  std::string name;
  std::string old_text;
  std::string new_text;
  std::vector<Expected> expected;
};

// \xNN is a byte.
std::string with_bytes(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 2, "\\x") == 0 && i + 3 < text.size()) {
      bytes.push_back(static_cast<char>(std::stoi(text.substr(i + 2, 2), nullptr, 16)));
      i += 3;
    } else {
      bytes.push_back(text[i]);
    }
  }
  return bytes;
}

std::vector<Case> read_cases() {
  std::vector<Case> cases;
  std::istringstream file(source_file("tests/plans/bad_plans.txt"));
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("== ")) cases.push_back({line.substr(3), {}, {}, {}});
    if (cases.empty() || line.empty()) continue;
    Case& last = cases.back();
    if (line.front() == '-') last.old_text += (last.old_text.empty() ? "" : "\n") + line.substr(1);
    if (line.front() == '+') last.new_text += (last.new_text.empty() ? "" : "\n") + with_bytes(line.substr(1));
    if (line.front() != '?') continue;
    std::istringstream words(line.substr(2));
    Expected expected;
    char colon = 0;
    words >> expected.code >> expected.place.line >> colon >> expected.place.column >> std::ws;
    std::getline(words, expected.says);
    last.expected.push_back(expected);
  }
  return cases;
}

std::string all_of(const Findings& findings) {
  std::string text;
  for (const Finding& finding : findings) text += to_text("plan", finding) + "\n";
  return text;
}

bool holds(const Findings& findings, const Expected& expected) {
  return std::ranges::any_of(findings, [&](const Finding& finding) {
    return finding.code == expected.code && finding.place == expected.place &&
           (finding.message.find(expected.says) != std::string::npos ||
            finding.hint.find(expected.says) != std::string::npos);
  });
}

TEST(BadPlans, TheGoodPlanHasNoFindings) {
  const CheckedPlan checked = check_plan("good.yaml", source_file("tests/plans/good.yaml"));
  EXPECT_EQ(all_of(checked.findings), "");
  EXPECT_TRUE(checked.usable());
}

TEST(BadPlans, EachSaysWhatIsWrongAndWhere) {
  const std::string good = source_file("tests/plans/good.yaml");
  const std::vector<Case> cases = read_cases();
  ASSERT_GE(cases.size(), 150U);
  for (const Case& bad : cases) {
    SCOPED_TRACE(bad.name);
    ASSERT_FALSE(bad.expected.empty());
    const auto at = good.find(bad.old_text);
    ASSERT_NE(at, std::string::npos) << "its text is not in good.yaml";
    ASSERT_EQ(good.find(bad.old_text, at + 1), std::string::npos) << "its text stands more than once in good.yaml";
    const std::string plan = good.substr(0, at) + bad.new_text + good.substr(at + bad.old_text.size());
    const CheckedPlan checked = check_plan("plan", plan);
    for (const Expected& expected : bad.expected)
      EXPECT_TRUE(holds(checked.findings, expected))
          << expected.code << " at " << expected.place.line << ":" << expected.place.column << " is missing from\n"
          << all_of(checked.findings);
  }
}

TEST(BadPlans, NoFindingIsWithoutHintOrPlace) {
  const std::string good = source_file("tests/plans/good.yaml");
  for (const Case& bad : read_cases()) {
    const auto at = good.find(bad.old_text);
    const std::string plan = good.substr(0, at) + bad.new_text + good.substr(at + bad.old_text.size());
    for (const Finding& finding : check_plan("plan", plan).findings) {
      EXPECT_FALSE(finding.hint.empty()) << bad.name << ": " << finding.code;
      EXPECT_GT(finding.place.line, 0U) << bad.name << ": " << finding.code;
      EXPECT_GT(finding.place.column, 0U) << bad.name << ": " << finding.code;
    }
  }
}

}  // namespace
}  // namespace anclora::plan
