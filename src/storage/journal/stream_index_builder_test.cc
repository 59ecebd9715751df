#include "storage/journal/stream_index_builder.h"

#include <gtest/gtest.h>

namespace anclora::storage {
namespace {

constexpr auto kStart = WallTime(Duration(1'767'225'600'000'000));

// Feeds commands of 10 bytes each, one after the other.
class Feed {
 public:
  StreamIndexBuilder builder;
  std::uint32_t database = 0;
  WallTime now = kStart;
  std::optional<redis::Offset> transaction;

  void command(const std::string& name, const std::vector<std::string>& arguments) {
    std::vector<std::string_view> views(arguments.begin(), arguments.end());
    builder.on_command(
        {name, views, views.size(), database, redis::Offset{next_}, redis::Offset{next_ + 9}, transaction, now});
    next_ += 10;
  }
  void delete_keys(int count, const std::string& prefix, Duration every) {
    for (int i = 0; i < count; ++i) {
      command("DEL", {prefix + std::to_string(i)});
      now += every;
    }
  }
  redis::Offset next() const { return redis::Offset{next_}; }
  redis::Offset before_next() const { return redis::Offset{next_ - 1}; }

 private:
  std::uint64_t next_ = 1001;
};

TEST(StreamIndexBuilder, CountsCommands) {
  Feed feed;
  for (int i = 0; i < 3; ++i) feed.command("SET", {"k", "v"});
  feed.command("SOMETHINGNEW", {"k"});
  const StreamIndex index = feed.builder.take();
  EXPECT_EQ(index.commands, (std::map<std::string, std::uint64_t>{{"SET", 3}, {"SOMETHINGNEW", 1}}));
  EXPECT_TRUE(feed.builder.take().commands.empty());
}

TEST(StreamIndexBuilder, KnowsWhichKeysWereTouched) {
  Feed feed;
  feed.command("HSET", {"bull:mail:1", "f", "v"});
  feed.command("RENAME", {"a", "b"});
  StreamIndex index = feed.builder.take();
  EXPECT_TRUE(may_contain_key(index, "bull:mail:1"));
  EXPECT_TRUE(may_contain_key(index, "bull:mail:"));
  EXPECT_TRUE(may_contain_key(index, "b"));
  EXPECT_FALSE(may_contain_key(index, "bull:mail:2"));
}

TEST(StreamIndexBuilder, ExcludesNoKeyOnceACommandIsUnknown) {
  Feed feed;
  feed.command("SOMETHINGNEW", {"k"});
  EXPECT_TRUE(may_contain_key(feed.builder.take(), "whatever"));
  EXPECT_FALSE(may_contain_key(feed.builder.take(), "whatever"));
  feed.builder.on_unreadable();
  EXPECT_TRUE(may_contain_key(feed.builder.take(), "whatever"));
}

TEST(StreamIndexBuilder, NamesThePointBeforeAFlush) {
  Feed feed;
  feed.command("SET", {"k", "v"});
  feed.database = 3;
  feed.command("FLUSHDB", {});
  feed.transaction = feed.next();
  feed.command("MULTI", {});
  feed.command("FLUSHALL", {"ASYNC"});
  feed.command("SWAPDB", {"2", "5"});
  const StreamIndex index = feed.builder.take();
  ASSERT_EQ(index.dangers.size(), 3u);
  EXPECT_EQ(index.dangers[0].kind, DangerKind::kFlushDb);
  EXPECT_EQ(index.dangers[0].before.value, 1010u);
  EXPECT_EQ(index.dangers[0].last.value, 1020u);
  EXPECT_EQ(index.dangers[0].database, 3u);
  EXPECT_EQ(index.dangers[1].kind, DangerKind::kFlushAll);
  EXPECT_EQ(index.dangers[1].before.value, 1020u) << "before the MULTI, never inside it";
  EXPECT_EQ(index.dangers[2].kind, DangerKind::kSwapDb);
  EXPECT_EQ(index.dangers[2].database, 2u);
  EXPECT_EQ(index.dangers[2].detail, "5");
}

TEST(StreamIndexBuilder, SeesAMassDeletionByPrefix) {
  Feed feed;
  feed.delete_keys(10, "other:", Duration(1000));
  const redis::Offset before = feed.before_next();
  const WallTime time = feed.now;
  feed.database = 0;
  feed.delete_keys(1500, "bull:mail:", Duration(1000));
  const redis::Offset last = feed.before_next();
  const StreamIndex index = feed.builder.take();
  ASSERT_EQ(index.dangers.size(), 1u);
  const Danger& danger = index.dangers[0];
  EXPECT_EQ(danger.kind, DangerKind::kMassDeletion);
  EXPECT_EQ(danger.detail, "bull:mail:");
  EXPECT_EQ(danger.keys, 1500u);
  EXPECT_EQ(danger.before, before);
  EXPECT_EQ(danger.last, last);
  EXPECT_EQ(danger.time, time);
}

TEST(StreamIndexBuilder, LetsSlowOrScatteredDeletionsPass) {
  Feed feed;
  feed.delete_keys(999, "few:", Duration(1000));
  feed.delete_keys(3000, "slow:", std::chrono::milliseconds(12));
  for (int i = 0; i < 3000; ++i) feed.command("DEL", {"p" + std::to_string(i % 10) + ":k"});
  for (int i = 0; i < 3000; ++i) feed.command("ZREMRANGEBYSCORE", {"z:k", "0", "1"});
  EXPECT_TRUE(feed.builder.take().dangers.empty());
}

TEST(StreamIndexBuilder, CountsEveryKeyOfACommandAlsoThoseItIsNotShown) {
  Feed feed;
  const std::vector<std::string_view> shown = {"x:1", "x:2"};
  feed.builder.on_command({"UNLINK", shown, 1200, 0, redis::Offset{500}, redis::Offset{900}, std::nullopt, kStart});
  const StreamIndex index = feed.builder.take();
  ASSERT_EQ(index.dangers.size(), 1u);
  EXPECT_EQ(index.dangers[0].keys, 1200u);
  EXPECT_FALSE(index.all_keys_known);
}

// One job is made and an older one let go, 5,000 times a second.
void churn(Feed& feed, int from, int to) {
  for (int job = from; job < to; ++job) {
    feed.command("HSET", {"bull:mail:" + std::to_string(job), "data", "x"});
    if (job >= 50) feed.command("DEL", {"bull:mail:" + std::to_string(job - 50)});
    feed.now += Duration(200);
  }
}

TEST(StreamIndexBuilder, TakesAQueueThatLetsItsFinishedJobsGoForNoDeletion) {
  Feed feed;
  churn(feed, 0, 50000);
  EXPECT_TRUE(feed.builder.take().dangers.empty());
}

// What BullMQ writes for a job, 2,000 times a second: it is made, locked, worked on, let go of, and later removed.
TEST(StreamIndexBuilder, TakesTheLocksOfABusyQueueForNoDeletion) {
  Feed feed;
  for (int job = 0; job < 40000; ++job) {
    const std::string key = "bull:mail:" + std::to_string(job);
    feed.command("HSET", {key, "data", "x"});
    feed.command("LPUSH", {"bull:mail:wait", std::to_string(job)});
    feed.command("SET", {key + ":lock", "token"});
    feed.command("LPUSH", {"bull:mail:active", std::to_string(job)});
    feed.command("HSET", {key, "processedOn", "1"});
    feed.command("DEL", {key + ":lock"});
    feed.command("ZADD", {"bull:mail:completed", "1", std::to_string(job)});
    feed.command("HSET", {key, "returnvalue", "1"});
    const std::string old = "bull:mail:" + std::to_string(job - 1000);
    if (job >= 1000) feed.command("DEL", {old, old + ":logs", old + ":dependencies", old + ":processed"});
    feed.now += Duration(500);
  }
  EXPECT_TRUE(feed.builder.take().dangers.empty());
}

// A name of its own for each number, which nobody takes for an identifier.
std::string word(int number) {
  std::string letters = "w";
  for (; number > 0; number /= 26) letters.push_back(static_cast<char>('a' + number % 26));
  return letters;
}

TEST(StreamIndexBuilder, TakesKeysOfManyPrefixesThatComeAndGoForNoDeletion) {
  Feed feed;
  for (int i = 0; i < 60000; ++i) {
    feed.command("SET", {"session:" + word(i) + ":token", "x"});
    feed.command("DEL", {"session:" + word(i) + ":token"});
    feed.now += Duration(200);
  }
  EXPECT_TRUE(feed.builder.take().dangers.empty());
}

TEST(StreamIndexBuilder, SeesAMassDeletionOfPartsOfManyThings) {
  Feed feed;
  for (int id = 0; id < 3000; ++id) feed.command("DEL", {"user:" + std::to_string(id) + ":profile"});
  const StreamIndex index = feed.builder.take();
  ASSERT_EQ(index.dangers.size(), 1u);
  EXPECT_EQ(index.dangers[0].detail, "user:");
  EXPECT_EQ(index.dangers[0].keys, 3000u);
}

TEST(StreamIndexBuilder, SeesAMassDeletionInTheMidstOfABusyQueue) {
  Feed feed;
  churn(feed, 0, 10000);
  const redis::Offset before = feed.before_next();
  feed.delete_keys(3000, "bull:mail:old-", Duration(10));
  churn(feed, 10000, 20000);
  const StreamIndex index = feed.builder.take();
  ASSERT_EQ(index.dangers.size(), 1u);
  EXPECT_NEAR(static_cast<double>(index.dangers[0].keys), 3000, 100);
  EXPECT_LE(index.dangers[0].before, before);
  EXPECT_LE(before - index.dangers[0].before, 100 * 20u);
}

TEST(StreamIndexBuilder, KeepsDatabasesApart) {
  Feed feed;
  for (feed.database = 0; feed.database < 2; ++feed.database) feed.delete_keys(600, "x:", Duration(1));
  EXPECT_TRUE(feed.builder.take().dangers.empty());
}

TEST(StreamIndexBuilder, JoinsWindowsThatFollowOnEachOther) {
  Feed feed;
  const redis::Offset before = feed.before_next();
  feed.delete_keys(30000, "x:", std::chrono::milliseconds(3));
  const StreamIndex index = feed.builder.take();
  ASSERT_EQ(index.dangers.size(), 1u);
  EXPECT_EQ(index.dangers[0].keys, 30000u);
  EXPECT_EQ(index.dangers[0].before, before);
}

TEST(StreamIndexBuilder, TellsTwoMassDeletionsApartAfterAPause) {
  Feed feed;
  feed.delete_keys(1200, "x:", Duration(1000));
  feed.now += std::chrono::minutes(2);
  const redis::Offset second = feed.before_next();
  feed.delete_keys(1300, "x:", Duration(1000));
  const StreamIndex index = feed.builder.take();
  ASSERT_EQ(index.dangers.size(), 2u);
  EXPECT_EQ(index.dangers[0].keys, 1200u);
  EXPECT_EQ(index.dangers[1].keys, 1300u);
  EXPECT_EQ(index.dangers[1].before, second);
}

TEST(StreamIndexBuilder, SeesAMassDeletionAcrossTwoPacks) {
  Feed feed;
  const redis::Offset before = feed.before_next();
  feed.delete_keys(700, "x:", Duration(1000));
  EXPECT_TRUE(feed.builder.take().dangers.empty());
  feed.delete_keys(700, "x:", Duration(1000));
  StreamIndex index = feed.builder.take();
  ASSERT_EQ(index.dangers.size(), 1u);
  EXPECT_EQ(index.dangers[0].before, before);
  EXPECT_EQ(index.dangers[0].keys, 1400u);
  feed.delete_keys(100, "x:", Duration(1000));
  index = feed.builder.take();
  ASSERT_EQ(index.dangers.size(), 1u);
  EXPECT_EQ(index.dangers[0].before, before);
  EXPECT_EQ(index.dangers[0].keys, 1500u);
  EXPECT_TRUE(feed.builder.take().dangers.empty());
}

TEST(StreamIndexBuilder, FindsAMassDeletionAmongMorePrefixesThanItTracks) {
  Feed feed;
  for (int i = 0; i < 20000; ++i) {
    feed.command("DEL", {"job:" + word(i) + ":logs"});
    feed.now += Duration(100);
  }
  const StreamIndex index = feed.builder.take();
  ASSERT_EQ(index.dangers.size(), 1u);
  EXPECT_EQ(index.dangers[0].detail, "");
}

TEST(StreamIndexBuilder, GoesOnAfterTheClockWasSetBack) {
  Feed feed;
  feed.delete_keys(10, "x:", Duration(1000));
  feed.now -= std::chrono::hours(1);
  feed.delete_keys(3000, "slow:", std::chrono::milliseconds(12));
  EXPECT_TRUE(feed.builder.take().dangers.empty());
}

TEST(StreamIndexBuilder, ThinsTimeMarks) {
  StreamIndexBuilder builder;
  LogEntry entry;
  for (int i = 0; i < 100; ++i) {
    const Duration at = std::chrono::milliseconds(10 * i);
    entry.marks.push_back({redis::Offset{static_cast<std::uint64_t>(i)}, kStart + at, MonoTime(at)});
  }
  entry.sequence = 8;
  entry.last.value = 100;
  builder.on_entry(entry, Hash256{7});
  const StreamIndex index = builder.take();
  EXPECT_EQ(index.marks.size(), 10u);
  EXPECT_EQ(index.marks[1].offset.value, 10u);
  ASSERT_EQ(index.entries.size(), 1u);
  EXPECT_EQ(index.entries[0].sequence, 8u);
  EXPECT_EQ(index.entries[0].time, kStart);
  EXPECT_EQ(index.entries[0].hash, Hash256{7});
}

// The same commands, indexed at once and entry by entry.
TEST(StreamIndexBuilder, MergesTheFragmentsOfEntriesToTheSameIndex) {
  const auto feed_part = [](Feed& feed, int part) {
    for (int i = 0; i < 50; ++i) feed.command("HSET", {"bull:mail:" + std::to_string(100 * part + i), "f", "v"});
    feed.command("NEW" + std::to_string(part), {});
    feed.command("RENAME", {"a:b:c:d:e:f" + std::to_string(part), ""});
    feed.delete_keys(400, "gone:", Duration(100));
    if (part == 1) feed.command("FLUSHDB", {});
  };
  Feed whole, parts;
  parts.builder.collect_fragments();
  StreamIndexBuilder merged;
  for (int part = 0; part < 6; ++part) {
    feed_part(whole, part);
    feed_part(parts, part);
    merged.add_fragment(parts.builder.take_fragment());
  }
  const StreamIndex expected = whole.builder.take();
  EXPECT_EQ(expected.dangers.size(), 2u);
  EXPECT_EQ(encode_stream_index(merged.take()), encode_stream_index(expected));
}

TEST(StreamIndexBuilder, SaysWhenItKeptNotAllDangers) {
  Feed feed;
  for (std::size_t i = 0; i <= kMaxIndexDangers; ++i) feed.command("FLUSHDB", {});
  const StreamIndex index = feed.builder.take();
  EXPECT_EQ(index.dangers.size(), kMaxIndexDangers);
  EXPECT_FALSE(index.all_dangers_kept);
}

TEST(StreamIndexBuilder, WritesAnIndexThatCanBeReadWhateverCommandsItSaw) {
  Feed feed;
  for (int i = 0; i < 5000; ++i) feed.command("NEW" + std::to_string(i), {});
  feed.delete_keys(2000, std::string(2000, 'p') + ":", Duration(1));
  const auto decoded = decode_stream_index(encode_stream_index(feed.builder.take()));
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message();
  EXPECT_GT(decoded->commands.at("(others)"), 2000u);
}

}  // namespace
}  // namespace anclora::storage
