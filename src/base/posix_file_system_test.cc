#include "base/posix_file_system.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <set>

#include "base/file_permissions.h"
#include "base/testing/temporary_directory.h"
#include "base/unique_fd.h"

namespace anclora {
namespace {

TEST(PosixFileSystem, CreatesFilesForTheOwnerOnly) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(posix_file_system().create(directory / "a").has_value());
  struct ::stat facts = {};
  ASSERT_EQ(::stat((directory / "a").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
}

// A folder of another user, as systemd makes one for a service. Whose is what root then makes in it?
class WhatRootMakes {
 public:
  explicit WhatRootMakes(mode_t mode) {
    EXPECT_EQ(::mkdir(folder_.c_str(), 0700), 0);
    EXPECT_EQ(::chown(folder_.c_str(), 12345, 23456), 0);
    EXPECT_EQ(::chmod(folder_.c_str(), mode), 0);
    EXPECT_TRUE(posix_file_system().create(folder_ + "/file").has_value());
    EXPECT_TRUE(posix_file_system().lock(folder_ + "/lock").has_value());
    EXPECT_TRUE(posix_file_system().create_directories(folder_ + "/outer/inner").has_value());
    EXPECT_TRUE(posix_file_system().create(folder_ + "/outer/inner/file").has_value());
  }
  std::set<uid_t> owners() const {
    std::set<uid_t> owners;
    for (const char* made : {"file", "lock", "outer", "outer/inner", "outer/inner/file"}) {
      struct ::stat facts = {};
      EXPECT_EQ(::stat((folder_ + "/" + made).c_str(), &facts), 0) << made;
      owners.insert(facts.st_uid);
    }
    return owners;
  }

 private:
  TemporaryDirectory directory_;
  std::string folder_ = directory_ / "state";
};

TEST(PosixFileSystem, WhatRootMakesInAFolderPrivateToAnotherUserIsThatUsers) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  EXPECT_EQ(WhatRootMakes(0700).owners(), std::set<uid_t>{12345});
}

TEST(PosixFileSystem, ALockFileThatWasThereStaysWhoseItWas) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  TemporaryDirectory directory;
  const std::string of_root = directory / "of root";
  const std::string folder = directory / "state";
  ASSERT_TRUE(posix_file_system().create(of_root).has_value());
  ASSERT_EQ(::mkdir(folder.c_str(), 0700), 0);
  ASSERT_EQ(::chown(folder.c_str(), 12345, 23456), 0);
  ASSERT_EQ(::link(of_root.c_str(), (folder + "/lock").c_str()), 0);
  EXPECT_TRUE(posix_file_system().lock(folder + "/lock").has_value());
  struct ::stat facts = {};
  ASSERT_EQ(::stat(of_root.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_uid, 0U);
  // Nor what somebody links in the moment between: a file with two names is not given away at all.
  const UniqueFd fd(::open((folder + "/lock").c_str(), O_RDONLY | O_CLOEXEC));
  give_to_owner_of_folder(fd.get(), folder + "/lock");
  ASSERT_EQ(::stat(of_root.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_uid, 0U);
}

TEST(PosixFileSystem, WhatRootMakesWhereOthersMayLookStaysRoots) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  for (const mode_t mode : {0750U, 0705U, 01777U}) EXPECT_EQ(WhatRootMakes(mode).owners(), std::set<uid_t>{0}) << mode;
}

TEST(PosixFileSystem, DoesNotFollowALinkOnOpen) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(posix_file_system().create(directory / "a").has_value());
  ASSERT_EQ(::symlink((directory / "a").c_str(), (directory / "l").c_str()), 0);
  const auto opened = posix_file_system().open(directory / "l");
  EXPECT_EQ(opened.error().kind(), ErrorKind::kFailedPrecondition);
  EXPECT_FALSE(posix_file_system().stat(directory / "l").value().is_regular);
}

TEST(PosixFileSystem, DoesNotWaitForAFifo) {
  const TemporaryDirectory directory;
  ASSERT_EQ(::mkfifo((directory / "f").c_str(), 0600), 0);
  EXPECT_EQ(posix_file_system().open(directory / "f").error().kind(), ErrorKind::kFailedPrecondition);
}

// The process's own limit on file sizes stands in for a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const struct ::rlimit limit = {bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  struct ::rlimit before_ = {};
  void (*handler_)(int) = SIG_DFL;
};

TEST(PosixFileSystem, AbandonsAFileAfterAFailedAppend) {
  const TemporaryDirectory directory;
  auto file = posix_file_system().create(directory / "a").value();
  {
    const FileSizeLimit limit(4);
    ASSERT_TRUE(file->append("1234").has_value());
    EXPECT_EQ(file->append("5").error().kind(), ErrorKind::kResourceExhausted);
  }
  EXPECT_EQ(file->append("5").error().kind(), ErrorKind::kIo);
  EXPECT_EQ(file->sync().error().kind(), ErrorKind::kIo);
}

}  // namespace
}  // namespace anclora
