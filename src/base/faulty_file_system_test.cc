#include "base/faulty_file_system.h"

#include <gtest/gtest.h>

#include "base/memory_file_system.h"
#include "base/random.h"

namespace anclora {
namespace {

// Publishes a file as careful code does: 5 operations.
Status publish(FileSystem& fs, const std::string& name, ByteView bytes) {
  ASSIGN_OR_RETURN(const auto file, fs.create("/temporary"));
  RETURN_IF_ERROR(file->append(bytes));
  RETURN_IF_ERROR(file->sync());
  RETURN_IF_ERROR(fs.rename("/temporary", name));
  return fs.sync_directory("/");
}

class FaultyFiles : public ::testing::Test {
 protected:
  ManualClock clock_;
  MemoryFileSystem memory_{clock_};
  FaultyFileSystem faulty_{memory_};
};

TEST_F(FaultyFiles, CountEffectfulOperationsOnly) {
  ASSERT_TRUE(publish(faulty_, "/a", "x").has_value());
  EXPECT_EQ(faulty_.read_all("/a").value(), "x");
  ASSERT_TRUE(faulty_.stat("/a").has_value());
  EXPECT_EQ(faulty_.operations(), 5U);
  EXPECT_EQ(faulty_.last_fault(), "");
}

TEST_F(FaultyFiles, ABrokenFolderFailsUntilItIsMended) {
  ASSERT_TRUE(memory_.create_directories("/outbox").has_value());
  ASSERT_TRUE(memory_.create_directories("/outboxes").has_value());
  auto open_file = faulty_.create("/outbox/a").value();
  faulty_.break_folder("/outbox", ErrorKind::kPermissionDenied, false);
  EXPECT_EQ(open_file->append("x").error().kind(), ErrorKind::kPermissionDenied);
  EXPECT_EQ(faulty_.create("/outbox/b").error().kind(), ErrorKind::kPermissionDenied);
  EXPECT_TRUE(faulty_.create("/outboxes/b").has_value());
  EXPECT_TRUE(faulty_.read_all("/outbox/a").has_value());
  faulty_.break_folder("/outbox", ErrorKind::kIo, true);
  EXPECT_EQ(faulty_.read_all("/outbox/a").error().kind(), ErrorKind::kIo);
  EXPECT_EQ(faulty_.list("/outbox").error().kind(), ErrorKind::kIo);
  EXPECT_EQ(faulty_.refused(), 4U);
  faulty_.mend_folder();
  EXPECT_TRUE(faulty_.create("/outbox/b").has_value());
  EXPECT_TRUE(faulty_.read_all("/outbox/a").has_value());
}

TEST_F(FaultyFiles, FailBeforeTheEffectWithTheGivenKind) {
  faulty_.plan({.operation = 1, .error = ErrorKind::kResourceExhausted});
  EXPECT_EQ(faulty_.create("/a").error().kind(), ErrorKind::kResourceExhausted);
  EXPECT_FALSE(memory_.stat("/a").has_value());
  EXPECT_TRUE(faulty_.create("/a").has_value());
  EXPECT_EQ(faulty_.last_fault(), "operation 1, create /a: fails before");
}

TEST_F(FaultyFiles, FailAfterTheEffect) {
  faulty_.plan({.operation = 4, .kind = FileFault::Kind::kFailAfter});
  EXPECT_EQ(publish(faulty_, "/a", "x").error().kind(), ErrorKind::kIo);
  EXPECT_EQ(memory_.read_all("/a").value(), "x");
}

TEST_F(FaultyFiles, AppendShortAndThenAbandonTheFile) {
  faulty_.plan({.operation = 2, .kind = FileFault::Kind::kShortAppend, .error = ErrorKind::kResourceExhausted});
  auto file = faulty_.create("/a").value();
  EXPECT_EQ(file->append("123456").error().kind(), ErrorKind::kResourceExhausted);
  EXPECT_EQ(memory_.read_all("/a").value(), "123");
  EXPECT_EQ(file->append("456").error().kind(), ErrorKind::kIo);
  EXPECT_EQ(file->sync().error().kind(), ErrorKind::kIo);
}

TEST_F(FaultyFiles, FailAsOftenAsPlanned) {
  faulty_.plan({.operation = 2, .times = 2});
  EXPECT_TRUE(faulty_.create_directories("/1").has_value());
  EXPECT_FALSE(faulty_.create_directories("/2").has_value());
  EXPECT_FALSE(faulty_.create_directories("/3").has_value());
  EXPECT_TRUE(faulty_.create_directories("/4").has_value());
}

TEST_F(FaultyFiles, RefuseEverythingAfterACrash) {
  auto before = faulty_.create("/before").value();
  const auto reader = faulty_.open("/before").value();
  faulty_.plan({.operation = 2, .kind = FileFault::Kind::kCrash});
  EXPECT_EQ(faulty_.create("/a").error().kind(), ErrorKind::kCancelled);
  EXPECT_TRUE(faulty_.has_crashed());
  EXPECT_EQ(before->append("x").error().kind(), ErrorKind::kCancelled);
  EXPECT_EQ(before->close().error().kind(), ErrorKind::kCancelled);
  EXPECT_EQ(reader->read(0, 0).error().kind(), ErrorKind::kCancelled);
  EXPECT_EQ(faulty_.list("/").error().kind(), ErrorKind::kCancelled);
  EXPECT_FALSE(memory_.stat("/a").has_value());
  EXPECT_EQ(faulty_.operations(), 2U);
}

// The sweep that this class is for, on the smallest protocol: after a crash anywhere the name holds the old or the new
// content, and the new once publish() has answered.
TEST(FaultyFileSweep, PublishingIsAtomicUnderEveryCrash) {
  int points = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed)
    for (const CrashMode mode : kAllCrashModes)
      for (std::uint64_t operation = 1; operation <= 6; ++operation) {
        ManualClock clock;
        MemoryFileSystem memory(clock);
        ASSERT_TRUE(publish(memory, "/a", "old").has_value());
        FaultyFileSystem faulty(memory);
        faulty.plan({.operation = operation, .kind = FileFault::Kind::kCrash});
        const bool answered = publish(faulty, "/a", "new content").has_value();
        SeededRandom random(seed);
        memory.crash(mode, random);
        const Bytes left = memory.read_all("/a").value_or("(missing)");
        EXPECT_TRUE(left == "new content" || (!answered && left == "old"))
            << left << " seed " << seed << " " << to_string(mode) << " " << faulty.last_fault();
        ++points;
      }
  EXPECT_EQ(points, 720);
}

}  // namespace
}  // namespace anclora
