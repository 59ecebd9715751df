#include "base/page_cache.h"

#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"

namespace anclora {
namespace {

TEST(PageCache, LeavesTheBytesOfAFileThatItLetsGo) {
  const TemporaryDirectory directory;
  const Bytes bytes(3 * kMiB + 17, 'x');
  FileSystem& files = posix_file_system();
  auto file = files.create(directory / "a").value();
  ASSERT_TRUE(file->append(bytes).has_value());
  let_go_of_pages(files, directory / "a");  // nothing of it is synced yet
  ASSERT_TRUE(file->sync().has_value());
  let_go_of_pages(files, directory / "a");
  ASSERT_TRUE(file->append("more").has_value());
  ASSERT_TRUE(file->sync().has_value());
  let_go_of_pages(files, directory / "a");
  EXPECT_EQ(files.read_all(directory / "a").value(), bytes + "more");
}

TEST(PageCache, DoesNothingWithoutTheFile) {
  const TemporaryDirectory directory;
  let_go_of_pages(posix_file_system(), directory / "none");
  EXPECT_TRUE(posix_file_system().list(directory.path()).value().empty());
}

}  // namespace
}  // namespace anclora
