#include "respond/actions/setting_file.h"

#include <gtest/gtest.h>

namespace anclora::respond {
namespace {

constexpr auto kEnv = SettingFormat::kEnv;
constexpr auto kJson = SettingFormat::kJson;

std::string changed(SettingFormat format, std::string_view file, std::string_view key, std::string_view value) {
  auto result = with_setting(format, file, key, value);
  return result.has_value() ? *result : "refused: " + result.error().message();
}

TEST(SettingFile, ChangesOneLineOfAnEnvFileAndNothingElse) {
  const std::string file = "# REDIS_URL=old\nA=1\nexport REDIS_URL=\"redis://a:1\"  \nB=2";
  EXPECT_EQ(read_setting(kEnv, file, "REDIS_URL").value(), "redis://a:1");
  EXPECT_EQ(changed(kEnv, file, "REDIS_URL", "redis://b:2"),
            "# REDIS_URL=old\nA=1\nexport REDIS_URL=\"redis://b:2\"  \nB=2");
  EXPECT_EQ(changed(kEnv, file, "B", ""), "# REDIS_URL=old\nA=1\nexport REDIS_URL=\"redis://a:1\"  \nB=");
  EXPECT_EQ(changed(kEnv, "A=\n", "A", "x"), "A=x\n");
  EXPECT_EQ(changed(kEnv, "A=''\n", "A", "x"), "A='x'\n");
}

TEST(SettingFile, ChangesTheLineThatCounts) {
  EXPECT_EQ(changed(kEnv, "A=1\nA=2\n", "A", "3"), "A=1\nA=3\n");
  EXPECT_EQ(read_setting(kEnv, "A=1\nA=2\n", "A").value(), "2");
}

TEST(SettingFile, AddsAKeyThatIsNotThere) {
  EXPECT_EQ(changed(kEnv, "A=1", "B", "2"), "A=1\nB=2\n");
  EXPECT_EQ(changed(kEnv, "", "B", "2"), "B=2\n");
  EXPECT_FALSE(read_setting(kEnv, "A=1", "B").value());
}

TEST(SettingFile, KeepsWhatAValueHolds) {
  const std::string nasty = "redis://u:p'\"; rm -rf $HOME `x` = #\\";
  EXPECT_EQ(read_setting(kEnv, changed(kEnv, "A=1\n", "A", nasty), "A").value(), nasty);
  EXPECT_EQ(read_setting(kJson, changed(kJson, "{}", "a.b", nasty), "a.b").value(), nasty);
}

TEST(SettingFile, RefusesAValueThatWouldBecomeTwoLines) {
  EXPECT_TRUE(changed(kEnv, "A=1\n", "A", "x\nB=2").starts_with("refused"));
  EXPECT_TRUE(changed(kEnv, "A=1\n", "A=B", "x").starts_with("refused"));
}

TEST(SettingFile, ChangesAPlaceInAJsonObject) {
  EXPECT_EQ(changed(kJson, R"({"redis":{"url":"a","db":1},"x":2})", "redis.url", "b"),
            "{\n  \"redis\": {\n    \"url\": \"b\",\n    \"db\": 1\n  },\n  \"x\": 2\n}\n");
  EXPECT_TRUE(changed(kJson, "A=1", "a", "b").starts_with("refused"));
  EXPECT_TRUE(changed(kJson, R"({"a":1})", "a.b", "c").starts_with("refused"));
  EXPECT_EQ(read_setting(kJson, R"({"a":{"b":7}})", "a.b").value(), "7");
}

TEST(SettingFile, TakesAWholeFileAsTheValue) {
  EXPECT_EQ(read_setting(SettingFormat::kText, "blue\n", "").value(), "blue");
  EXPECT_EQ(changed(SettingFormat::kText, "blue\n", "", "green"), "green\n");
}

TEST(SettingFile, NamesItsKeys) {
  const std::vector<std::string> env = {"A", "B"};
  EXPECT_EQ(*setting_keys(SettingFormat::kEnv, "# C=1\nA=1\n\nexport B=2\nA=3\nno setting\n"), env);
  const std::vector<std::string> json = {"redis.url", "name"};
  EXPECT_EQ(*setting_keys(SettingFormat::kJson, R"({"redis": {"url": "x"}, "name": "y"})"), json);
  EXPECT_FALSE(setting_keys(SettingFormat::kJson, "[]").has_value());
}

}  // namespace
}  // namespace anclora::respond
