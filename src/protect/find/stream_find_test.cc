#include "protect/find/stream_find.h"

#include <gtest/gtest.h>

#include "protect/restore/recovery_point.h"
#include "protect/testing/source_builder.h"
#include "redis/resp/reply.h"

namespace anclora::protect {
namespace {

using storage::Position;
using storage::TimelineId;

WallTime at(int seconds) { return WallTime(std::chrono::seconds(1'790'000'000 + seconds)); }

// Three stretches: jobs, a disaster, other keys; the first two packed when asked for.
struct Sample {
  SourceBuilder source;
  std::uint64_t flush_at = 0;
  std::uint64_t swap_multi_at = 0;

  explicit Sample(bool packed) {
    source.open_timeline(redis::Offset{0}, at(0));
    source.base(empty_rdb(), at(0));
    source.command({"SELECT", "0"}, at(1));
    for (int i = 0; i < 50; ++i) source.command({"HSET", "bull:mail:" + std::to_string(i), "data", "x"}, at(2));
    source.command({"LPUSH", "bull:mail:wait", "7", Bytes("\x00\xff\n", 3)}, at(3));
    source.seal();
    if (packed) source.pack();
    for (int i = 0; i < 1500; ++i) source.command({"DEL", "session:" + std::to_string(i)}, at(10));
    source.command({"SELECT", "2"}, at(11));
    flush_at = source.end().value + 1;
    source.command({"flushall"}, at(12));
    swap_multi_at = source.end().value + 1;
    source.command({"MULTI"}, at(13));
    source.command({"SWAPDB", "0", "1"}, at(13));
    source.command({"EXEC"}, at(13));
    source.seal();
    if (packed) source.pack();
    source.command({"MSET", "cow:1", "a", "bull:mail:9", "b"}, at(20));
    source.stream("*22\r\n$3\r\nDEL\r\n", at(21));
    for (int i = 0; i < 21; ++i)
      source.stream("$7\r\nmany:" + std::string(i < 10 ? "0" : "") + std::to_string(i) + "\r\n", at(21));
    source.command({"SOME.MODULE.CMD", "deep:key", "1"}, at(22));
    source.seal();
  }

  std::vector<FoundCommand> find(const FindQuery& query, FindSummary* summary = nullptr) {
    std::vector<FoundCommand> found;
    const auto result = find_commands(source.view(), query, [&](const FoundCommand& each) -> Status {
      found.push_back(each);
      return {};
    });
    EXPECT_TRUE(result.has_value()) << result.error().to_string();
    if (summary != nullptr && result.has_value()) *summary = *result;
    return found;
  }
};

// While the clock stood wrong for two packs, the commands before and after it are still found by their times.
TEST(StreamFindClock, MissesNothingAroundPacksOfAWrongTime) {
  for (const int wrong : {-86400, 86400}) {
    SourceBuilder source;
    source.open_timeline(redis::Offset{0}, at(0));
    source.base(empty_rdb(), at(0));
    for (const int time : {10, 20, wrong, wrong + 10, 30, 40, 50}) {
      source.command({"SET", "k", std::to_string(time)}, at(time));
      source.command({"FLUSHALL"}, at(time));
      source.pack();
    }
    for (const bool dangerous : {true, false}) {
      FindQuery query;
      query.dangerous = dangerous;
      if (!dangerous) query.command = "SET";
      query.since = at(15);
      query.until = at(45);
      std::vector<WallTime> times;
      const auto result = find_commands(source.view(), query, [&](const FoundCommand& each) -> Status {
        times.push_back(each.time);
        return {};
      });
      ASSERT_TRUE(result.has_value()) << result.error().to_string();
      EXPECT_EQ(times, (std::vector<WallTime>{at(20), at(30), at(40)})) << wrong << ' ' << dangerous;
    }
  }
}

class StreamFindTest : public testing::TestWithParam<bool> {};

TEST_P(StreamFindTest, FindsWhatIsDangerousFromIndexesAloneWithTheCommandToCopy) {
  Sample sample(GetParam());
  FindQuery query;
  query.dangerous = true;
  FindSummary summary;
  const auto found = sample.find(query, &summary);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(summary.stretches_scanned, 0u);
  EXPECT_EQ(found[0].kind, "mass-deletion");
  EXPECT_GE(found[0].keys, 1000u);
  EXPECT_NE(found[0].command.find("session:"), std::string::npos);
  EXPECT_EQ(found[1].kind, "flushall");
  EXPECT_EQ(found[1].position, (Position{TimelineId{1}, redis::Offset{sample.flush_at}}));
  EXPECT_EQ(found[1].restore, "anclora restore --at before:1/" + std::to_string(sample.flush_at) + " --to TARGET");
  EXPECT_EQ(found[1].database, 2u);
  EXPECT_EQ(found[1].time, at(12));
  EXPECT_EQ(found[2].kind, "swapdb");
  EXPECT_EQ(found[2].restore_before.offset.value, sample.swap_multi_at);
  ASSERT_TRUE(sample.source.store().put_if_absent("sources/jobs/x", {}));
  EXPECT_TRUE(sample.find(query)[1].restore.starts_with("anclora restore --name default --at ")) << found[1].restore;
  // What it prints can be restored to.
  for (const FoundCommand& each : found) {
    const auto point = resolve(sample.source.view(), WhenBefore{TimelineId{1}, each.restore_before.offset}, at(60));
    EXPECT_TRUE(point.has_value()) << point.error().to_string();
  }
}

TEST_P(StreamFindTest, FindsByCommandNameInAnyCase) {
  Sample sample(GetParam());
  FindQuery query;
  query.command = "LPush";
  const auto found = sample.find(query);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].command, "LPUSH bull:mail:wait 7 \"\\x00\\xff\\x0a\"");
  EXPECT_EQ(found[0].time, at(3));
}

TEST_P(StreamFindTest, FindsByExactKeyAndByGlob) {
  Sample sample(GetParam());
  FindQuery query;
  query.key = KeyPattern("bull:mail:9");
  FindSummary summary;
  EXPECT_EQ(sample.find(query, &summary).size(), 2u);
  query.key = KeyPattern("bull:*:4?");
  EXPECT_EQ(sample.find(query).size(), 10u);
  query.key = KeyPattern("many:20");  // the 21st key of its command
  const auto many = sample.find(query);
  ASSERT_EQ(many.size(), 1u);
  EXPECT_EQ(many[0].keys, 21u);
  query.key = KeyPattern("deep:key");  // of a command that nobody knows
  EXPECT_EQ(sample.find(query).size(), 1u);
  query.key = KeyPattern("nobody:has:this");
  EXPECT_EQ(sample.find(query).size(), 0u);
}

TEST(StreamFind, ReadsOnlyTheStretchesThatMayHoldTheKey) {
  Sample sample(true);
  FindQuery query;
  query.key = KeyPattern("session:77");
  FindSummary summary;
  EXPECT_EQ(sample.find(query, &summary).size(), 1u);
  EXPECT_EQ(summary.indexes_read, 3u);
  EXPECT_LE(summary.stretches_scanned, 2u);
}

TEST_P(StreamFindTest, KeepsToTheTimeAndTheLimit) {
  Sample sample(GetParam());
  FindQuery query;
  query.command = "DEL";
  query.limit = 10;
  FindSummary summary;
  EXPECT_EQ(sample.find(query, &summary).size(), 10u);
  EXPECT_TRUE(summary.cut_off);
  query.since = at(15);
  EXPECT_EQ(sample.find(query, &summary).size(), 1u);
  EXPECT_FALSE(summary.cut_off);
  query.since.reset();
  query.until = at(9);
  EXPECT_EQ(sample.find(query).size(), 0u);
}

INSTANTIATE_TEST_SUITE_P(PackedOrNot, StreamFindTest, testing::Bool());

Bytes deletion_of(int keys) {
  Bytes bytes = "*" + std::to_string(keys + 1) + "\r\n$6\r\nUNLINK\r\n";
  for (int i = 0; i < keys; ++i) {
    const std::string key = "gone:" + std::to_string(i);
    bytes += "$" + std::to_string(key.size()) + "\r\n" + key + "\r\n";
  }
  return bytes;
}

// One command deletes 5,000 keys; around it are packs of other keys. `parts`: entries it spans.
struct LargeDeletion {
  SourceBuilder source;
  std::uint64_t first = 0;

  explicit LargeDeletion(std::size_t parts) {
    source.open_timeline(redis::Offset{0}, at(0));
    source.base(empty_rdb(), at(0));
    source.command({"SET", "before", "1"}, at(1));
    source.pack();
    first = source.end().value + 1;
    const Bytes deletion = deletion_of(5000);
    const std::size_t size = deletion.size() / parts + 1;
    for (std::size_t from = 0; from < deletion.size(); from += size) {
      source.stream(ByteView(deletion).substr(from, size), at(2));
      source.seal();
    }
    source.pack();
    source.command({"SET", "after", "1"}, at(3));
    source.pack();
  }
};

class LargeDeletionTest : public testing::TestWithParam<std::size_t> {};

TEST_P(LargeDeletionTest, IsFoundByEachOfItsKeysThroughTheFilterAlone) {
  LargeDeletion sample(GetParam());
  for (const auto& [key, finds] : std::vector<std::pair<std::string, std::size_t>>{
           {"gone:0", 1}, {"gone:17", 1}, {"gone:4999", 1}, {"gone:50*", 1}, {"gone:5000", 0}, {"stays:1", 0}}) {
    FindQuery query;
    query.key = KeyPattern(key);
    std::vector<FoundCommand> found;
    const auto summary = find_commands(sample.source.view(), query, [&](const FoundCommand& each) -> Status {
      found.push_back(each);
      return {};
    });
    ASSERT_TRUE(summary.has_value()) << summary.error().to_string();
    ASSERT_EQ(found.size(), finds) << key;
    EXPECT_LE(summary->stretches_scanned, finds) << key << ": the filter must keep packs without it out";
    if (finds == 0) continue;
    EXPECT_EQ(found[0].position, (Position{TimelineId{1}, redis::Offset{sample.first}}));
    EXPECT_EQ(found[0].keys, 5000u);
  }
}

TEST_P(LargeDeletionTest, IsAMassDeletionOfAllItsKeys) {
  LargeDeletion sample(GetParam());
  FindQuery query;
  query.dangerous = true;
  std::vector<FoundCommand> found;
  ASSERT_TRUE(find_commands(sample.source.view(), query, [&](const FoundCommand& each) -> Status {
                found.push_back(each);
                return {};
              }).has_value());
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, "mass-deletion");
  EXPECT_EQ(found[0].keys, 5000u);
  EXPECT_NE(found[0].command.find("under gone:"), std::string::npos) << found[0].command;
  EXPECT_EQ(found[0].restore_before, (Position{TimelineId{1}, redis::Offset{sample.first}}));
}

INSTANTIATE_TEST_SUITE_P(InOneEntryAndInThree, LargeDeletionTest, testing::Values(1, 3));

TEST(StreamFind, FindsACommandThatSpansEntriesAndPacks) {
  SourceBuilder source;
  source.open_timeline(redis::Offset{0}, at(0));
  source.base(empty_rdb(), at(0));
  const Bytes large = redis::build_command({"SET", "large:key", Bytes(50'000, 'x')});
  source.command({"SET", "small", "1"}, at(1));
  const std::uint64_t first = source.end().value + 1;
  source.stream(ByteView(large).substr(0, 20'000), at(2));
  source.pack();
  source.stream(ByteView(large).substr(20'000, 20'000), at(3));
  source.pack();
  source.stream(ByteView(large).substr(40'000), at(4));
  source.command({"SET", "other", "1"}, at(5));
  source.pack();
  FindQuery query;
  query.key = KeyPattern("large:key");
  std::vector<FoundCommand> found;
  const auto result = find_commands(source.view(), query, [&](const FoundCommand& each) -> Status {
    found.push_back(each);
    return {};
  });
  ASSERT_TRUE(result.has_value()) << result.error().to_string();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].position.offset.value, first);
}

// Four packs, each with a FLUSHALL and a key of its own.
struct FourPacks {
  SourceBuilder source;
  std::vector<std::string> names;

  FourPacks() {
    source.open_timeline(redis::Offset{0}, at(0));
    source.base(empty_rdb(), at(0));
    for (int i = 0; i < 4; ++i) {
      source.command({"SET", "key:" + std::to_string(i), "x"}, at(i));
      source.command({"FLUSHALL"}, at(i));
      const storage::PackInfo pack = source.pack();
      names.push_back(storage::layout::pack(source.source(), pack.timeline, pack.first_sequence, pack.last_sequence));
    }
  }

  // Changes one byte, `from_end` before the end or else that far behind the beginning.
  void damage(std::size_t pack, bool from_end, std::size_t distance) {
    Bytes bytes = *source.store().get(names[pack], kMiB);
    bytes[from_end ? bytes.size() - 1 - distance : distance] ^= 1;
    ASSERT_TRUE(source.store().remove(names[pack]).has_value());
    ASSERT_TRUE(source.store().put_if_absent(names[pack], bytes).has_value());
  }

  std::vector<std::string> find(const FindQuery& query, FindSummary& summary) {
    std::vector<std::string> found;
    const auto result = find_commands(source.view(), query, [&](const FoundCommand& each) -> Status {
      found.push_back(each.command);
      return {};
    });
    EXPECT_TRUE(result.has_value()) << result.error().to_string();
    if (result) summary = *result;
    return found;
  }
};

TEST(StreamFind, TellsADamagedIndexByNameAndGoesOnWithTheOthers) {
  FourPacks packs;
  packs.damage(1, true, 20);
  ASSERT_TRUE(packs.source.store().remove(packs.names[2]).has_value());
  FindQuery query;
  query.dangerous = true;
  FindSummary summary;
  EXPECT_EQ(packs.find(query, summary).size(), 2U);
  ASSERT_EQ(summary.unread.size(), 2U);
  EXPECT_EQ(summary.unread[0].object, packs.names[1]);
  EXPECT_EQ(summary.unread[1].object, packs.names[2]);
  EXPECT_NE(summary.unread[1].problem.find("is missing"), std::string::npos) << summary.unread[1].problem;
}

TEST(StreamFind, TellsADamagedPackByNameAndReadsTheCommandsOfTheOthers) {
  FourPacks packs;
  packs.damage(1, false, 100);  // its entries: the index says what it holds, and cannot show it
  FindQuery query;
  query.key = KeyPattern("key:*");
  FindSummary summary;
  EXPECT_EQ(packs.find(query, summary), (std::vector<std::string>{"SET key:0 x", "SET key:2 x", "SET key:3 x"}));
  ASSERT_EQ(summary.unread.size(), 1U);
  EXPECT_EQ(summary.unread[0].object, packs.names[1]);
  EXPECT_NE(summary.unread[0].problem.find("not searched from 1/"), std::string::npos) << summary.unread[0].problem;
}

TEST(StreamFind, TellsALostEntryThatIsInNoPackYetAndGoesOnBehindIt) {
  SourceBuilder source;
  source.open_timeline(redis::Offset{0}, at(0));
  source.base(empty_rdb(), at(0));
  const storage::PackInfo pack = source.pack();
  for (int i = 0; i < 4; ++i) {
    source.command({"FLUSHALL"}, at(i));
    source.seal();
  }
  const std::string lost = storage::layout::log_entry(source.source(), pack.timeline, pack.last_sequence + 2);
  const SourceView view = source.view();
  ASSERT_TRUE(source.store().remove(lost).has_value());
  FindQuery query;
  query.dangerous = true;
  int found = 0;
  const auto summary = find_commands(view, query, [&](const FoundCommand&) -> Status {
    ++found;
    return {};
  });
  ASSERT_TRUE(summary.has_value()) << summary.error().to_string();
  EXPECT_EQ(found, 3);
  ASSERT_EQ(summary->unread.size(), 1U);
  EXPECT_EQ(summary->unread[0].object, lost);
}

TEST(StreamFind, SaysWhenAPatternReadsEverythingAndRefusesAnEmptyQuestion) {
  FindQuery query;
  query.key = KeyPattern("*:wait");
  EXPECT_NE(scan_note(query).find("every command"), std::string::npos);
  query.key = KeyPattern("bull:*");
  EXPECT_TRUE(scan_note(query).empty());
  Sample sample(false);
  const auto nothing =
      find_commands(sample.source.view(), FindQuery{}, [](const FoundCommand&) -> Status { return {}; });
  ASSERT_FALSE(nothing.has_value());
  EXPECT_EQ(nothing.error().kind(), ErrorKind::kInvalidArgument);
}

TEST(FoundCommand, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(escape_argument("plain:key", 9), "plain:key");
  EXPECT_EQ(escape_argument("", 0), "\"\"");
  EXPECT_EQ(escape_argument("a b", 3), "\"a b\"");
  EXPECT_EQ(escape_argument("\x1b[2J", 4), "\"\\x1b[2J\"");
  EXPECT_EQ(escape_argument(std::string(100, 'x'), 100, 4), "xxxx...(100 bytes)");
}

}  // namespace
}  // namespace anclora::protect
