#include "protect/capture/entry_builder.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "redis/resp/reply.h"

namespace anclora::protect {
namespace {

using redis::build_command;
using redis::Offset;
using storage::LogEntry;

class EntryBuilderTest : public testing::Test {
 protected:
  static redis::CommandParser at(std::uint64_t offset) {
    return redis::CommandParser({Offset{offset}, Offset{offset}, 0, {}});
  }
  void add(EntryBuilder& builder, ByteView bytes) {
    ASSERT_TRUE(builder.add(bytes, clock_.wall_now(), clock_.mono_now()));
  }
  LogEntry take(EntryBuilder& builder, bool inside = false) {
    return builder.take(inside, clock_.wall_now(), clock_.mono_now()).entry;
  }
  ManualClock clock_;
};

TEST_F(EntryBuilderTest, CutsAfterTheLastCompleteCommand) {
  EntryBuilder builder(at(1000), "r");
  const Bytes set = build_command({"SET", "k", "v"});
  add(builder, set + set.substr(0, 7));
  EXPECT_EQ(builder.complete_bytes(), set.size());
  const LogEntry entry = take(builder);
  EXPECT_EQ(entry.bytes, set);
  EXPECT_EQ(entry.first.value, 1000u);
  EXPECT_EQ(entry.last.value, 1000u + set.size());
  EXPECT_EQ(entry.boundary, entry.last);
  EXPECT_EQ(entry.first_command->value, 1000u);
  add(builder, set.substr(7));
  const LogEntry next = take(builder);
  EXPECT_EQ(next.bytes, set);
  EXPECT_EQ(next.first, entry.last);
  EXPECT_EQ(next.pending_bytes, 0u);
  EXPECT_EQ(*next.first_command, next.first);
}

TEST_F(EntryBuilderTest, CutsInsideACommandOnlyWhenTold) {
  EntryBuilder builder(at(0), "r");
  const Bytes set = build_command({"SET", "k", std::string(100, 'x')});
  add(builder, set.substr(0, 60));
  EXPECT_EQ(take(builder).bytes, "");
  const LogEntry head = take(builder, true);
  EXPECT_EQ(head.bytes.size(), 60u);
  EXPECT_EQ(head.first_command->value, 0u);
  EXPECT_EQ(head.boundary.value, 0u);
  EXPECT_EQ(take(builder).bytes, "");  // a sign of life in between changes nothing
  add(builder, set.substr(60));
  add(builder, set);
  const LogEntry tail = take(builder);
  EXPECT_EQ(tail.pending_bytes, set.size() - 60);
  EXPECT_EQ(head.bytes + tail.bytes, set + set);
  EXPECT_EQ(tail.first_command->value, set.size());
}

TEST_F(EntryBuilderTest, CarriesDatabaseAndOpenMultiToTheNextEntry) {
  EntryBuilder builder(at(50), "r");
  const Bytes select = build_command({"SELECT", "7"});
  add(builder, select + build_command({"MULTI"}) + build_command({"SET", "a", "1"}));
  const LogEntry first = take(builder);
  EXPECT_EQ(first.database, 0u);
  EXPECT_EQ(first.boundary.value, 50 + select.size());
  add(builder, build_command({"EXEC"}));
  const LogEntry second = take(builder);
  EXPECT_EQ(second.database, 7u);
  EXPECT_EQ(second.open_multi->value, 50 + select.size() + 1);
  EXPECT_EQ(second.boundary, second.last);
  EXPECT_FALSE(take(builder).open_multi);
}

TEST_F(EntryBuilderTest, CompressesAheadWhatTheNextEntryHoldsForCertain) {
  storage::FrameCompressor compressor(storage::FrameTuning::kCommands);
  EntryBuilder builder(at(1000), "r", nullptr, &compressor);
  const Bytes set = build_command({"SET", "k", std::string(90'000, 'x')});
  Bytes stream;
  for (int i = 0; i < 20; ++i) stream += set;
  for (std::size_t from = 0; from < stream.size(); from += 70'000) add(builder, ByteView(stream).substr(from, 70'000));
  add(builder, set.substr(0, 10));
  EXPECT_EQ(builder.complete_bytes(), stream.size());
  EXPECT_EQ(builder.held_bytes(), stream.size() + 10);
  const storage::UnsealedEntry taken = builder.take(false, clock_.wall_now(), clock_.mono_now());
  EXPECT_EQ(taken.frames.size(), stream.size() / storage::kEntryFrameBytes);
  std::size_t ahead = 0;
  for (const storage::CompressedFrame& frame : taken.frames) {
    EXPECT_GE(frame.plain_bytes, storage::kEntryFrameBytes);
    EXPECT_LE(frame.plain_bytes, storage::kFrameBytes);
    ahead += frame.plain_bytes;
  }
  EXPECT_EQ(taken.entry.bytes, stream.substr(ahead));
  EXPECT_EQ(taken.entry.last.value, 1000 + stream.size());
  add(builder, set.substr(10));
  EXPECT_EQ(take(builder).bytes, set);
}

TEST_F(EntryBuilderTest, LeavesACommandLargerThanAFrameForItsEntry) {
  storage::FrameCompressor compressor(storage::FrameTuning::kCommands);
  EntryBuilder builder(at(0), "r", nullptr, &compressor);
  const Bytes set = build_command({"SET", "k", std::string(3 * storage::kEntryFrameBytes, 'x')});
  add(builder, set.substr(0, set.size() - 1));
  const storage::UnsealedEntry taken = builder.take(true, clock_.wall_now(), clock_.mono_now());
  EXPECT_TRUE(taken.frames.empty());
  EXPECT_EQ(taken.entry.bytes.size(), set.size() - 1);
}

TEST_F(EntryBuilderTest, TellsPingsAndAcknowledgementsApart) {
  EntryBuilder builder(at(0), "r");
  add(builder, build_command({"PING"}));
  EXPECT_TRUE(builder.only_pings());
  EXPECT_FALSE(builder.ack_wanted());
  add(builder, build_command({"REPLCONF", "getack", "*"}));
  EXPECT_FALSE(builder.only_pings());
  EXPECT_TRUE(builder.ack_wanted());
  take(builder);
  EXPECT_TRUE(builder.only_pings());
  EXPECT_FALSE(builder.ack_wanted());
}

TEST_F(EntryBuilderTest, MarksTheEndAndAtLeastEveryHundredMilliseconds) {
  EntryBuilder builder(at(0), "r");
  const Bytes set = build_command({"SET", "k", "v"});
  for (int i = 0; i < 100; ++i) {
    add(builder, set);
    clock_.advance(std::chrono::milliseconds(10));
  }
  const LogEntry entry = take(builder);
  EXPECT_EQ(entry.marks.front().offset.value, set.size());
  EXPECT_EQ(entry.marks.back().offset, entry.last);
  for (std::size_t i = 1; i < entry.marks.size(); ++i) {
    EXPECT_LE(entry.marks[i].mono - entry.marks[i - 1].mono, std::chrono::milliseconds(100));
    EXPECT_LT(entry.marks[i - 1].offset, entry.marks[i].offset);
  }
  EXPECT_EQ(take(builder).marks.size(), 1u);
}

TEST_F(EntryBuilderTest, KeepsWhatCameBeforeBytesThatAreNoCommand) {
  EntryBuilder builder(at(0), "r");
  const Bytes set = build_command({"SET", "k", "v"});
  const Status broken = builder.add(set + "nonsense\r\n", clock_.wall_now(), clock_.mono_now());
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().kind(), ErrorKind::kDataLoss);
  EXPECT_EQ(take(builder).bytes, set);
}

TEST_F(EntryBuilderTest, LosesNoByteWhateverTheChunksAndCuts) {
  SeededRandom random(20261124);
  for (int round = 0; round < 50; ++round) {
    Bytes stream;
    for (int i = 0; i < 60; ++i) {
      if (random.below(5) == 0) stream += build_command({"MULTI"});
      stream += build_command({"SET", "key", std::string(random.below(200), 'v')});
      if (random.below(5) == 0) stream += build_command({"EXEC"});
    }
    EntryBuilder builder(at(77), "r");
    Bytes rebuilt;
    Offset end{77};
    const auto collect = [&](const LogEntry& entry) {
      EXPECT_EQ(entry.first, end);
      EXPECT_EQ(entry.last - entry.first, entry.bytes.size());
      EXPECT_LE(entry.boundary, entry.last);
      if (entry.first_command) {
        EXPECT_EQ(stream[entry.first_command->value - 77], '*');
      }
      end = entry.last;
      rebuilt += entry.bytes;
    };
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = std::min<std::size_t>(1 + random.below(150), stream.size() - at);
      add(builder, ByteView(stream).substr(at, size));
      at += size;
      if (random.below(3) == 0) collect(take(builder, random.below(4) == 0));
    }
    collect(take(builder, true));
    EXPECT_EQ(rebuilt, stream);
  }
}

}  // namespace
}  // namespace anclora::protect
