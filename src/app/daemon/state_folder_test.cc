#include "app/daemon/state_folder.h"

#include <gtest/gtest.h>

namespace anclora::app {
namespace {

TEST(StateFolder, WithoutAHomeIsNoPlaceThatAllMayWriteTo) {
  const auto nothing = [](const std::string&) { return std::optional<std::string>(); };
  const auto empty = [](const std::string&) { return std::optional<std::string>(""); };
  const auto named = [](const std::string& name) {
    return name == "HOME" ? std::optional<std::string>("/home/ada") : std::nullopt;
  };
  for (const std::string& home : {home_folder(nothing), home_folder(empty)}) {
    EXPECT_TRUE(home.starts_with("/")) << home;
    EXPECT_FALSE(home.starts_with("/tmp")) << home;
  }
  EXPECT_EQ(home_folder(named), "/home/ada");
}

}  // namespace
}  // namespace anclora::app
