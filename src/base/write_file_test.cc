#include "base/write_file.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/memory_file_system.h"

namespace anclora {
namespace {

struct WriteFile : testing::Test {
  ManualClock clock;
  MemoryFileSystem files{clock};
  void SetUp() override { ASSERT_TRUE(files.create_directories("/f").has_value()); }
};

TEST_F(WriteFile, RefusesANameThatIsTaken) {
  ASSERT_TRUE(write_file(files, "/f/a", "one").has_value());
  const Status again = write_file(files, "/f/a", "two");
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().kind(), ErrorKind::kAlreadyExists);
  EXPECT_EQ(*files.read_all("/f/a"), "one");
}

TEST_F(WriteFile, ReplacesWhatIsThereAndWhatAKilledProcessLeft) {
  ASSERT_TRUE(write_file(files, "/f/a", "one").has_value());
  ASSERT_TRUE(write_file(files, "/f/a.new", "half").has_value());
  ASSERT_TRUE(replace_file(files, "/f/a", "two").has_value());
  EXPECT_EQ(*files.read_all("/f/a"), "two");
  EXPECT_FALSE(files.stat("/f/a.new").has_value());
}

TEST_F(WriteFile, KnowsTheFolderOfAPath) {
  EXPECT_EQ(parent_folder("/a/b"), "/a");
  EXPECT_EQ(parent_folder("/a"), "/");
  EXPECT_EQ(parent_folder("a"), ".");
}

}  // namespace
}  // namespace anclora
