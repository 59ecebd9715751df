#include "base/remove_tree.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/testing/temporary_directory.h"

namespace anclora {
namespace {

TEST(RemoveTree, TakesEverythingAndFollowsNoLink) {
  const TemporaryDirectory folder;
  namespace fs = std::filesystem;
  fs::create_directories(folder.path() + "/gone/deep");
  fs::create_directories(folder.path() + "/kept");
  std::ofstream(folder.path() + "/gone/deep/file") << "x";
  std::ofstream(folder.path() + "/kept/file") << "x";
  fs::create_directory_symlink(folder.path() + "/kept", folder.path() + "/gone/link");
  ASSERT_TRUE(remove_tree(posix_file_system(), folder.path() + "/gone"));
  EXPECT_FALSE(fs::exists(folder.path() + "/gone"));
  EXPECT_TRUE(fs::exists(folder.path() + "/kept/file"));
  EXPECT_TRUE(remove_tree(posix_file_system(), folder.path() + "/gone"));
}

}  // namespace
}  // namespace anclora
