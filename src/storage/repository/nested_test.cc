#include "storage/repository/nested.h"

#include <gtest/gtest.h>

#include "base/memory_file_system.h"
#include "storage/repository/testing/test_source.h"
#include "storage/store/folder_store.h"
#include "storage/store/memory_store.h"

namespace anclora::storage {
namespace {

// The configuration of a repository, as it stands in its store.
Bytes some_config() {
  ManualClock clock;
  MemoryStore store(clock);
  SeededRandom random(5);
  make_plain_repository(store, clock, random);
  return store.get(layout::config(), kMiB).value();
}

class NestedTest : public ::testing::Test {
 protected:
  void put(const std::string& name, ByteView bytes) { ASSERT_TRUE(store_.put_if_absent(name, bytes).has_value()); }

  ManualClock clock_;
  MemoryStore store_{clock_};
};

TEST_F(NestedTest, FindsTheNearestRepositoryBelowAPrefix) {
  put("a/deep/er/config", some_config());
  put("b/config", "[settings]\nof = something else\n");
  put("b/log/config", some_config());
  const auto below = repository_below(store_, 100).value();
  EXPECT_EQ(below.found, "b/log");
  EXPECT_FALSE(below.cut_short);
}

TEST_F(NestedTest, FindsNoneInAnEmptyStoreOrBesideOtherFiles) {
  EXPECT_FALSE(repository_below(store_, 100).value().found);
  put("config", "{\"type\": \"of another program\"}");
  put("some/config", "[1, 2]");
  put("some/other/file", some_config());
  EXPECT_FALSE(repository_below(store_, 100).value().found);
  EXPECT_FALSE(holds_repository(store_).value());
}

TEST_F(NestedTest, LeavesTheRootItselfToInit) {
  put("config", some_config());
  put("sources/default/config", some_config());
  EXPECT_FALSE(repository_below(store_, 100).value().found);
  EXPECT_TRUE(holds_repository(store_).value());
}

TEST_F(NestedTest, TellsThatItDidNotLookEverywhere) {
  for (char c = 'a'; c <= 'z'; ++c) put(std::string(1, c) + "/x", "x");
  put("z/deep/config", some_config());
  const auto below = repository_below(store_, 10).value();
  EXPECT_FALSE(below.found);
  EXPECT_TRUE(below.cut_short);
  EXPECT_EQ(repository_below(store_, 100).value().found, "z/deep");
}

TEST(NestedInAFolder, FindsARepositoryUnderNamesThatNoObjectMayHave) {
  ManualClock clock;
  MemoryFileSystem files(clock);
  SeededRandom random(5);
  FolderStore inner(files, random, "/srv/my backups/redis");
  ASSERT_TRUE(inner.put_if_absent(layout::config(), some_config()).has_value());
  EXPECT_EQ(repository_below(files, "/srv", 100).found, "my backups/redis");
  EXPECT_FALSE(repository_below(files, "/srv/my backups/redis", 100).found);
  EXPECT_FALSE(repository_below(files, "/nowhere", 100).found);
  EXPECT_TRUE(holds_repository(files, "/srv/my backups/redis"));
  EXPECT_FALSE(holds_repository(files, "/srv"));
}

}  // namespace
}  // namespace anclora::storage
