#include "base/file_permissions.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace anclora {
namespace {

class FilePermissions : public testing::Test {
 protected:
  FilePermissions() { std::filesystem::create_directories(folder_); }
  ~FilePermissions() override { std::filesystem::remove_all(folder_); }
  std::string file(const char* name) {
    std::ofstream(folder_ / name) << "x";
    return folder_ / name;
  }
  static struct stat look(const std::string& path) {
    struct stat seen{};
    EXPECT_EQ(::stat(path.c_str(), &seen), 0);
    return seen;
  }
  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("anclora-permissions-" + std::to_string(::getpid()));
};

TEST_F(FilePermissions, ANewFileGetsTheModeOfTheOneThatItReplaces) {
  const std::string old = file("old");
  const std::string fresh = file("fresh");
  ASSERT_EQ(::chmod(old.c_str(), 0640), 0);
  ASSERT_EQ(::chmod(fresh.c_str(), 0600), 0);
  ASSERT_TRUE(copy_permissions(old, fresh).has_value());
  EXPECT_EQ(look(fresh).st_mode & 07777U, 0640U);
}

TEST_F(FilePermissions, ANewFileGetsTheOwnerOfTheOneThatItReplaces) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  const std::string old = file("old");
  const std::string fresh = file("fresh");
  ASSERT_EQ(::chown(old.c_str(), 12345, 23456), 0);
  ASSERT_TRUE(copy_permissions(old, fresh).has_value());
  EXPECT_EQ(look(fresh).st_uid, 12345U);
  EXPECT_EQ(look(fresh).st_gid, 23456U);
}

TEST_F(FilePermissions, WithoutAFileToReplaceNothingIsDone) {
  const std::string fresh = file("fresh");
  EXPECT_TRUE(copy_permissions(folder_ / "missing", fresh).has_value());
}

}  // namespace
}  // namespace anclora
