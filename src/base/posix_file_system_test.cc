#include "base/posix_file_system.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "base/testing/temporary_directory.h"

namespace anclora {
namespace {

TEST(PosixFileSystem, CreatesFilesForTheOwnerOnly) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(posix_file_system().create(directory / "a").has_value());
  struct ::stat facts = {};
  ASSERT_EQ(::stat((directory / "a").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
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
