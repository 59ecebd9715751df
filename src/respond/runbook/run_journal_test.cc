#include "respond/runbook/run_journal.h"

#include <gtest/gtest.h>

#include "base/faulty_file_system.h"
#include "base/memory_file_system.h"

namespace anclora::respond {
namespace {

constexpr char kFolder[] = "/runs/r";
constexpr char kFirst[] = "/runs/r/journal-000001.jsonl";

RunRecord note(std::string text) {
  RunRecord record;
  record.kind = RecordKind::kRunPaused;
  record.text = std::move(text);
  return record;
}

struct RunJournalTest : ::testing::Test {
  ManualClock clock;
  MemoryFileSystem files{clock};
  void SetUp() override { ASSERT_TRUE(files.create_directories(kFolder)); }

  std::unique_ptr<RunJournal> open(FileSystem& on) {
    auto content = read_journal(on, kFolder);
    auto journal = RunJournal::open(on, kFolder, content ? *content : JournalContent{});
    EXPECT_TRUE(journal);
    return journal ? std::move(*journal) : nullptr;
  }

  void write(int records) {
    auto journal = open(files);
    for (int i = 0; i < records; ++i) ASSERT_TRUE(journal->append(note("n" + std::to_string(i)), clock.wall_now()));
  }

  std::string bytes() { return *files.read_all(kFirst); }
  void replace(const std::string& bytes) {
    ASSERT_TRUE(files.remove(kFirst));
    auto file = files.create(kFirst);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->append(bytes));
    ASSERT_TRUE((*file)->sync());
  }
};

TEST_F(RunJournalTest, ContinuesTheChainInTheNextSegment) {
  write(2);
  write(3);
  const auto content = read_journal(files, kFolder);
  ASSERT_TRUE(content) << content.error().to_string();
  ASSERT_EQ(content->records.size(), 5U);
  EXPECT_EQ(content->segments, 2U);
  EXPECT_EQ(content->records[4].number, 5U);
  EXPECT_EQ(content->torn_bytes, 0U);
}

TEST_F(RunJournalTest, CutsATornLastLineAtEveryByteAndGoesOn) {
  write(3);
  const std::string whole = bytes();
  const std::size_t second = whole.find('\n', whole.find('\n') + 1) + 1;
  for (std::size_t size = second; size < whole.size(); ++size) {
    replace(whole.substr(0, size));
    const auto content = read_journal(files, kFolder);
    ASSERT_TRUE(content) << size << content.error().to_string();
    EXPECT_EQ(content->records.size(), 2U);
    EXPECT_EQ(content->torn_bytes, size - second);
  }
  write(1);
  const auto content = read_journal(files, kFolder);
  ASSERT_TRUE(content) << content.error().to_string();
  EXPECT_EQ(content->records.size(), 3U);
}

TEST_F(RunJournalTest, WritesNoMoreThanCanBeReadOverAllSegments) {
  JournalContent nearly;
  nearly.bytes = kMaxJournalBytes - 10;
  auto journal = RunJournal::open(files, kFolder, nearly);
  ASSERT_TRUE(journal);
  const auto refused = (*journal)->append(note("one more"), clock.wall_now());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::kResourceExhausted);
}

TEST_F(RunJournalTest, NamesTheLineThatWasChanged) {
  write(3);
  std::string changed = bytes();
  changed.replace(changed.find("\"n1\""), 4, "\"nX\"");
  replace(changed);
  const auto content = read_journal(files, kFolder);
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().kind(), ErrorKind::kDataLoss);
  EXPECT_NE(content.error().message().find("journal-000001.jsonl:2:"), std::string::npos) << content.error().message();
}

TEST_F(RunJournalTest, NamesTheLastLineWhenThatWasChanged) {
  write(3);
  std::string changed = bytes();
  changed.replace(changed.find("\"n2\""), 4, "\"nX\"");
  replace(changed);
  const auto content = read_journal(files, kFolder);
  ASSERT_FALSE(content);
  EXPECT_NE(content.error().message().find(":3:"), std::string::npos) << content.error().message();
}

TEST_F(RunJournalTest, RefusesAWholeJournalOfAnotherRun) {
  RunRecord first;
  first.kind = RecordKind::kRunStarted;
  first.fields = {{"run", "r"}};
  ASSERT_TRUE(open(files)->append(first, clock.wall_now()));
  EXPECT_TRUE(read_journal(files, kFolder));
  first.fields = {{"run", "another"}};
  ASSERT_TRUE(files.remove(kFirst));
  ASSERT_TRUE(open(files)->append(first, clock.wall_now()));
  const auto content = read_journal(files, kFolder);
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().kind(), ErrorKind::kDataLoss);
  EXPECT_NE(content.error().message().find("another run, another"), std::string::npos) << content.error().message();
}

TEST_F(RunJournalTest, ReadsWhatATakeOverLeftOfTheRun) {
  const std::string left = std::string(kFolder) + ".before-1795986850229948";
  ASSERT_TRUE(files.create_directories(left));
  auto journal = RunJournal::open(files, left, {});
  RunRecord first;
  first.kind = RecordKind::kRunStarted;
  first.fields = {{"run", "r"}};
  ASSERT_TRUE((*journal)->append(first, clock.wall_now()));
  EXPECT_TRUE(read_journal(files, left));
}

TEST_F(RunJournalTest, NamesTheLineAfterOneThatWasRemoved) {
  write(3);
  std::string changed = bytes();
  const std::size_t first = changed.find('\n') + 1;
  changed.erase(first, changed.find('\n', first) + 1 - first);
  replace(changed);
  const auto content = read_journal(files, kFolder);
  ASSERT_FALSE(content);
  EXPECT_NE(content.error().message().find(":2:"), std::string::npos) << content.error().message();
}

TEST_F(RunJournalTest, NamesASegmentThatWasRemovedBeforeALaterOne) {
  for (int i = 0; i < 3; ++i) write(1);
  ASSERT_TRUE(files.remove("/runs/r/journal-000002.jsonl"));
  const auto content = read_journal(files, kFolder);
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().kind(), ErrorKind::kDataLoss);
  EXPECT_NE(content.error().message().find("journal-000002.jsonl"), std::string::npos) << content.error().message();
  ASSERT_TRUE(files.remove(kFirst));
  EXPECT_EQ(read_journal(files, kFolder).error().kind(), ErrorKind::kDataLoss);
}

TEST_F(RunJournalTest, SaysThatThereIsNone) {
  const auto content = read_journal(files, kFolder);
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().kind(), ErrorKind::kNotFound);
}

TEST_F(RunJournalTest, KeepsEveryAcknowledgedRecordThroughACrashAtEveryWrite) {
  for (const CrashMode mode : kAllCrashModes) {
    for (std::uint64_t operation = 1; operation <= 14; ++operation) {
      SeededRandom random(operation * 31 + static_cast<std::uint64_t>(mode));
      MemoryFileSystem disk(clock);
      ASSERT_TRUE(disk.create_directories(kFolder));
      ASSERT_TRUE(disk.sync_directory("/runs"));
      ASSERT_TRUE(disk.sync_directory("/"));
      FaultyFileSystem faulty(disk);
      faulty.plan({operation, FileFault::Kind::kCrash});
      std::uint64_t acknowledged = 0;
      if (auto journal = RunJournal::open(faulty, kFolder, {}))
        while (acknowledged < 6 && (*journal)->append(note("n"), clock.wall_now())) ++acknowledged;
      disk.crash(mode, random);
      const auto content = read_journal(disk, kFolder);
      const std::string where = std::string(to_string(mode)) + " " + faulty.last_fault();
      if (!content) {
        EXPECT_EQ(content.error().kind(), ErrorKind::kNotFound) << where << content.error().to_string();
        EXPECT_EQ(acknowledged, 0U) << where;
        continue;
      }
      EXPECT_GE(content->records.size(), acknowledged) << where;
      EXPECT_LE(content->records.size(), acknowledged + 1) << where;
    }
  }
}

TEST_F(RunJournalTest, IsAbandonedAfterAFailedSync) {
  FaultyFileSystem faulty(files);
  auto journal = RunJournal::open(faulty, kFolder, {});
  ASSERT_TRUE(journal);
  faulty.plan({faulty.operations() + 2, FileFault::Kind::kFailBefore});
  EXPECT_FALSE((*journal)->append(note("a"), clock.wall_now()));
  const auto again = (*journal)->append(note("b"), clock.wall_now());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind(), ErrorKind::kIo);
}

}  // namespace
}  // namespace anclora::respond
