#include "base/memory_file_system.h"

#include <gtest/gtest.h>

namespace anclora {
namespace {

class MemoryFiles : public ::testing::Test {
 protected:
  void write(const std::string& path, ByteView synced, ByteView unsynced = {}) {
    auto file = fs_.create(path).value();
    ASSERT_TRUE(file->append(synced).has_value());
    ASSERT_TRUE(file->sync().has_value());
    ASSERT_TRUE(file->append(unsynced).has_value());
  }
  void sync(const std::string& path) { ASSERT_TRUE(fs_.sync_directory(path).has_value()); }
  Bytes content(const std::string& path) { return fs_.read_all(path).value_or("(missing)"); }
  void crash(CrashMode mode) { fs_.crash(mode, random_); }

  ManualClock clock_;
  SeededRandom random_{42};
  MemoryFileSystem fs_{clock_};
};

TEST_F(MemoryFiles, KeepWhatWasSyncedInEveryMode) {
  ASSERT_TRUE(fs_.create_directories("/d/e").has_value());
  write("/d/e/a", "kept");
  write("/d/e/gone", "x");
  ASSERT_TRUE(fs_.remove("/d/e/gone").has_value());
  ASSERT_TRUE(fs_.rename("/d/e/a", "/d/e/b").has_value());
  sync("/d/e");
  sync("/d");
  sync("/");
  for (const CrashMode mode : kAllCrashModes) {
    crash(mode);
    EXPECT_EQ(content("/d/e/b"), "kept") << to_string(mode);
    EXPECT_EQ(fs_.list("/d/e").value().size(), 1U) << to_string(mode);
  }
}

TEST_F(MemoryFiles, DropUnsyncedBytesAndNames) {
  write("/a", "synced", "unsynced");
  sync("/");
  write("/b", "bytes without a name");
  crash(CrashMode::kDropUnsynced);
  EXPECT_EQ(content("/a"), "synced");
  EXPECT_EQ(content("/b"), "(missing)");
}

TEST_F(MemoryFiles, LoseASyncedDirectoryWhoseParentWasNotSynced) {
  ASSERT_TRUE(fs_.create_directories("/d").has_value());
  write("/d/a", "x");
  sync("/d");
  crash(CrashMode::kDropUnsynced);
  EXPECT_FALSE(fs_.stat("/d").has_value());
}

TEST_F(MemoryFiles, KeepATornPrefixOfUnsyncedAppends) {
  bool torn = false;
  for (int i = 0; i < 100; ++i) {
    const std::string path = "/f" + std::to_string(i);
    write(path, "synced", "0123456789");
    crash(CrashMode::kTornAppends);
    const Bytes left = content(path);
    EXPECT_TRUE(left.starts_with("synced"));
    EXPECT_TRUE(Bytes("synced0123456789").starts_with(left));
    torn = torn || (left.size() > 6 && left.size() < 16);
  }
  EXPECT_TRUE(torn);
}

TEST_F(MemoryFiles, ScrambleTheUnsyncedTailAtItsFullSize) {
  bool scrambled = false;
  for (int i = 0; i < 20; ++i) {
    const std::string path = "/f" + std::to_string(i);
    write(path, "synced", "0123456789");
    crash(CrashMode::kScrambledTails);
    const Bytes left = content(path);
    EXPECT_EQ(left.size(), 16U);
    EXPECT_TRUE(left.starts_with("synced"));
    scrambled = scrambled || left != "synced0123456789";
  }
  EXPECT_TRUE(scrambled);
}

TEST_F(MemoryFiles, BringBackWhatWasRemovedWithoutADirectorySync) {
  write("/a", "A");
  sync("/");
  ASSERT_TRUE(fs_.remove("/a").has_value());
  write("/new", "N");
  crash(CrashMode::kRemovedReturn);
  EXPECT_EQ(content("/a"), "A");
  EXPECT_EQ(content("/new"), "N");
}

TEST_F(MemoryFiles, LoseARenameWithoutADirectorySync) {
  write("/final", "old");
  sync("/");
  write("/temporary", "new");
  ASSERT_TRUE(fs_.rename("/temporary", "/final").has_value());
  EXPECT_EQ(content("/final"), "new");
  crash(CrashMode::kRenamesLost);
  EXPECT_EQ(content("/final"), "old");
  EXPECT_EQ(content("/temporary"), "new");
}

TEST_F(MemoryFiles, RenameWhollyOrNotAtAll) {
  int renamed = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string from = "/from" + std::to_string(i);
    const std::string to = "/to" + std::to_string(i);
    write(from, "x");
    sync("/");
    ASSERT_TRUE(fs_.rename(from, to).has_value());
    crash(CrashMode::kEachForItself);
    EXPECT_NE(fs_.stat(from).has_value(), fs_.stat(to).has_value());
    renamed += fs_.stat(to).has_value() ? 1 : 0;
  }
  EXPECT_GT(renamed, 10);
  EXPECT_LT(renamed, 90);
}

TEST_F(MemoryFiles, VoidOpenFilesAndLocksInACrash) {
  auto file = fs_.create("/a").value();
  auto lock = fs_.lock("/lock").value();
  sync("/");
  const auto reader = fs_.open("/a").value();
  crash(CrashMode::kTornAppends);
  EXPECT_EQ(file->append("x").error().kind(), ErrorKind::kCancelled);
  EXPECT_EQ(reader->read(0, 0).error().kind(), ErrorKind::kCancelled);
  auto second = fs_.lock("/lock");
  EXPECT_TRUE(second.has_value());
  lock.reset();  // must not free the second holder's
  EXPECT_FALSE(fs_.lock("/lock").has_value());
}

TEST_F(MemoryFiles, FillUpAndFreeWhatIsRemoved) {
  fs_.set_capacity(10);
  auto file = fs_.create("/a").value();
  ASSERT_TRUE(file->append("12345678").has_value());
  EXPECT_EQ(file->append("9abcd").error().kind(), ErrorKind::kResourceExhausted);
  EXPECT_EQ(file->sync().error().kind(), ErrorKind::kIo);
  EXPECT_EQ(content("/a"), "123456789a");
  EXPECT_EQ(fs_.free_bytes("/").value(), 0U);
  file.reset();
  ASSERT_TRUE(fs_.remove("/a").has_value());
  sync("/");
  EXPECT_EQ(fs_.free_bytes("/").value(), 10U);
}

TEST_F(MemoryFiles, StampWithTheInjectedClock) {
  write("/a", "x");
  const WallTime before = fs_.stat("/a").value().modified;
  clock_.advance(std::chrono::hours(1));
  ASSERT_TRUE(fs_.touch("/a").has_value());
  EXPECT_EQ(fs_.stat("/a").value().modified - before, std::chrono::hours(1));
}

}  // namespace
}  // namespace anclora
