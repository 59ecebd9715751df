#include "respond/actions/config_put.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/testing/temporary_directory.h"
#include "respond/testing/lone_step.h"

namespace anclora::respond {
namespace {

using testing::LoneStep;

class ConfigPutTest : public ::testing::Test {
 protected:
  ConfigPutTest() { write("REDIS_URL=redis://:pass@old:6379\nOTHER=1\n"); }
  void write(const std::string& text) {
    ignore_result(posix_file_system().remove(path));
    auto file = posix_file_system().create(path).value();
    ASSERT_TRUE(file->append(text).has_value());
  }
  std::string read() { return posix_file_system().read_all(path).value(); }
  LoneStep step() {
    LoneStep step("config.put", "{target: settings, key: REDIS_URL, from: [promote, restore]}");
    step.add_target("settings", "configuration", "{driver: file, path: " + path + "}");
    step.add_target("new", "redis", "{url: \"redis://:hunter2@new:6380\"}");
    step.outputs["restore"] = {{"target", "new"}, {"url", "redis://new:6380"}};
    return step;
  }
  TemporaryDirectory folder;
  std::string path = folder / "service.env";
};

TEST_F(ConfigPutTest, NamesTheNewServerWithItsPasswordAndIsUndone) {
  LoneStep put = step();
  const auto action = make_config_put(posix_file_system());
  EXPECT_EQ(action->probe(put)->done, Done::kNo);
  ASSERT_TRUE(action->execute(put).has_value());
  EXPECT_EQ(read(), "REDIS_URL=redis://:hunter2@new:6380\nOTHER=1\n");
  EXPECT_TRUE(action->verify(put).has_value());
  EXPECT_EQ(action->probe(put)->done, Done::kYes);
  ASSERT_TRUE(action->execute(put).has_value());  // again: nothing changes, and undo still knows the old file
  ASSERT_TRUE(action->undo(put).has_value());
  EXPECT_EQ(read(), "REDIS_URL=redis://:pass@old:6379\nOTHER=1\n");
}

TEST_F(ConfigPutTest, LeavesTheFileReadableForTheServiceWhoseFileItIs) {
  std::filesystem::permissions(path, std::filesystem::perms(0644));
  LoneStep put = step();
  const auto action = make_config_put(posix_file_system());
  ASSERT_TRUE(action->execute(put).has_value());
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0644));
  ASSERT_TRUE(action->undo(put).has_value());
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0644));
}

TEST_F(ConfigPutTest, ShowsAndKeepsNoSecret) {
  LoneStep put = step();
  const auto action = make_config_put(posix_file_system());
  const Observation seen = action->probe(put).value();
  const Outcome outcome = action->execute(put).value();
  std::string all = seen.current + seen.desired + seen.call + outcome.summary;
  for (const auto& [name, value] : outcome.outputs) all += value;
  for (const auto& [name, value] : put.kept()) all += value;
  for (const std::string& text : put.changes) all += text;
  EXPECT_EQ(all.find("hunter2"), std::string::npos) << all;
  EXPECT_EQ(all.find("pass"), std::string::npos) << all;
}

TEST_F(ConfigPutTest, NeverDropsAPasswordThatStandsBesideTheUrl) {
  LoneStep put("config.put", "{target: settings, key: REDIS_URL, from: [restore]}");
  put.add_target("settings", "configuration", "{driver: file, path: " + path + "}");
  put.add_target("new", "redis", "{url: \"redis://new:6380\", password: \"env:PASSWORD\"}");
  put.outputs["restore"] = {{"target", "new"}, {"url", "redis://new:6380"}};
  const auto outcome = make_config_put(posix_file_system())->execute(put);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(read(), "REDIS_URL=redis://:pass@old:6379\nOTHER=1\n");
}

TEST_F(ConfigPutTest, NeedsAStepThatLeftAValue) {
  LoneStep put = step();
  put.outputs.clear();
  EXPECT_FALSE(make_config_put(posix_file_system())->execute(put).has_value());
  EXPECT_EQ(read(), "REDIS_URL=redis://:pass@old:6379\nOTHER=1\n");
}

TEST_F(ConfigPutTest, WritesNothingOnceAnotherRunnerHasTheRun) {
  LoneStep put = step();
  put.fenced = true;
  EXPECT_FALSE(make_config_put(posix_file_system())->execute(put).has_value());
  EXPECT_EQ(read(), "REDIS_URL=redis://:pass@old:6379\nOTHER=1\n");
}

TEST_F(ConfigPutTest, FlipsTheFileThatABalancerReads) {
  write("ACTIVE=blue\n");
  const auto traffic = [&](const std::string& uses, const std::string& to) {
    LoneStep step(uses, "{target: front, to: " + to + "}");
    step.add_target("front", "traffic",
                    "{driver: file, path: " + path +
                        ", answers: [{id: blue, value: ACTIVE=blue}, {id: green, value: ACTIVE=green}]}");
    return step;
  };
  LoneStep flip = traffic("traffic.flip", "green"), check = traffic("traffic.verify", "green");
  const auto verify = make_traffic_verify(posix_file_system());
  EXPECT_FALSE(verify->execute(check).has_value());
  const auto action = make_traffic_flip(posix_file_system());
  ASSERT_TRUE(action->execute(flip).has_value());
  EXPECT_EQ(read(), "ACTIVE=green\n");
  EXPECT_TRUE(verify->execute(check).has_value());
  ASSERT_TRUE(action->undo(flip).has_value());
  EXPECT_EQ(read(), "ACTIVE=blue\n");
  LoneStep nowhere = traffic("traffic.flip", "red");
  EXPECT_FALSE(action->execute(nowhere).has_value());
}

TEST_F(ConfigPutTest, BringsAKeptCopyBackKeyByKeyAndShowsNoSecret) {
  const std::string copy = folder / "kept.env";
  {
    auto file = posix_file_system().create(copy).value();
    ASSERT_TRUE(file->append("# kept\nexport REDIS_URL=redis://:hunter2@kept:6379\nOTHER=1\nNEW='x y'\n").has_value());
  }
  write("REDIS_URL=redis://:pass@old:6379\nOTHER=1\nBEYOND=stays\n");
  LoneStep step("config.restore", "{target: settings, from: \"" + copy + "\"}");
  step.add_target("settings", "configuration", "{driver: file, path: " + path + "}");
  const auto action = make_config_restore(posix_file_system());
  const Observation seen = action->probe(step).value();
  EXPECT_EQ(seen.done, Done::kNo);
  EXPECT_EQ(seen.current.find("hunter2"), std::string::npos) << seen.current;
  EXPECT_NE(seen.current.find("REDIS_URL: redis://old:6379 -> redis://kept:6379"), std::string::npos) << seen.current;
  const Outcome outcome = action->execute(step).value();
  EXPECT_EQ(outcome.outputs.at("changed"), "2");
  EXPECT_TRUE(action->verify(step).has_value());
  EXPECT_EQ(action->probe(step)->done, Done::kYes);
  EXPECT_NE(read().find("REDIS_URL=redis://:hunter2@kept:6379\nOTHER=1\nBEYOND=stays\n"), std::string::npos) << read();
  ASSERT_TRUE(action->undo(step).has_value());
  EXPECT_EQ(read(), "REDIS_URL=redis://:pass@old:6379\nOTHER=1\nBEYOND=stays\n");
}

TEST_F(ConfigPutTest, RestoresOnlyTheKeysThatAreNamed) {
  const std::string copy = folder / "kept.env";
  {
    auto file = posix_file_system().create(copy).value();
    ASSERT_TRUE(file->append("REDIS_URL=a\nOTHER=2\n").has_value());
  }
  LoneStep step("config.restore", "{target: settings, from: \"" + copy + "\", only: [OTHER]}");
  step.add_target("settings", "configuration", "{driver: file, path: " + path + "}");
  const auto action = make_config_restore(posix_file_system());
  ASSERT_TRUE(action->execute(step).has_value());
  EXPECT_EQ(read(), "REDIS_URL=redis://:pass@old:6379\nOTHER=2\n");
  LoneStep missing("config.restore", "{target: settings, from: \"" + copy + "\", only: [NONE]}");
  missing.add_target("settings", "configuration", "{driver: file, path: " + path + "}");
  EXPECT_EQ(action->execute(missing).error().kind(), ErrorKind::kNotFound);
}

}  // namespace
}  // namespace anclora::respond
