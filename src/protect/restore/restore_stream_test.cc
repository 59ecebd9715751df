#include "protect/restore/restore_stream.h"

#include <gtest/gtest.h>

#include "protect/restore/replay_source.h"
#include "protect/restore/restore_base.h"
#include "protect/testing/source_builder.h"
#include "redis/resp/reply.h"

namespace anclora::protect {
namespace {

using storage::Position;
using storage::TimelineId;

WallTime at(int seconds) { return WallTime(std::chrono::seconds(1'790'000'000 + seconds)); }

struct Sample {
  SourceBuilder source;
  Bytes expected = redis::build_command({"SELECT", "3"});

  Sample() {
    source.open_timeline(redis::Offset{1000}, at(0));
    source.base(empty_rdb(), at(0), 3);
    SeededRandom random(5);
    for (int i = 0; i < 400; ++i) {
      const Bytes command = redis::build_command({"SET", "k" + std::to_string(i), Bytes(random.below(3000), 'v')});
      source.stream(command, at(i));
      expected += command;
      if (i % 50 == 7) source.command({"PUBLISH", "__sentinel__:hello", "x"}, at(i));
      if (i % 9 == 0) source.seal();
      if (i == 200) source.pack();
    }
    source.seal();
  }
  Position end() { return {TimelineId{1}, source.end()}; }
};

Bytes read_all(RestoreStream& stream) {
  Bytes out;
  while (true) {
    const auto size = stream.read(out);
    EXPECT_TRUE(size.has_value()) << size.error().to_string();
    if (!size.has_value() || *size == 0) return out;
  }
}

TEST(RestoreStream, BeginsWithTheDatabaseInForceAndGivesTheSourcesBytes) {
  Sample sample;
  RestoreStream stream(sample.source.input(sample.end()));
  EXPECT_EQ(read_all(stream), sample.expected);
  EXPECT_EQ(stream.database(), 3u);
  EXPECT_EQ(stream.commands(), 400u);
  EXPECT_EQ(stream.stream_bytes_read(), sample.source.end() - redis::Offset{1000});
}

TEST(RestoreStream, GoesOnFromAnyByteItHasEverGiven) {
  Sample sample;
  RestoreStream stream(sample.source.input(sample.end()));
  SeededRandom random(9);
  for (int i = 0; i < 60; ++i) {
    const std::uint64_t from = random.below(sample.expected.size() + 1);
    ASSERT_TRUE(stream.seek(from).has_value());
    Bytes out;
    if (random.below(2) == 0) {
      out = read_all(stream);
      ASSERT_EQ(out, sample.expected.substr(from)) << "from " << from;
    } else {
      ASSERT_TRUE(stream.read(out).has_value());
      ASSERT_TRUE(ByteView(sample.expected).substr(from).starts_with(out)) << "from " << from;
    }
  }
  ASSERT_TRUE(stream.seek(sample.expected.size() + 1).has_value());
  Bytes out;
  Result<std::size_t> size = std::size_t{1};
  while (size.has_value() && *size != 0) size = stream.read(out);
  EXPECT_FALSE(size.has_value());
}

TEST(RestoreStream, GoesOnWhereExpireMovedTheBytesToAPackMeanwhile) {
  Sample sample;
  RestoreStream stream(sample.source.input(sample.end()));
  Bytes out;
  while (out.size() < sample.expected.size() * 3 / 4) ASSERT_TRUE(stream.read(out).has_value());
  const storage::PackInfo pack = sample.source.pack();
  for (std::uint64_t i = pack.first_sequence; i <= pack.last_sequence; ++i)
    ASSERT_TRUE(sample.source.store().remove(storage::layout::log_entry("default", TimelineId{1}, i)).has_value());
  out += read_all(stream);
  EXPECT_EQ(out, sample.expected);
}

TEST(RestoreStream, SaysThatTheLogHasAHole) {
  Sample sample;
  const RestoreInput input = sample.source.input(sample.end());
  const std::uint64_t head = input.state.head->sequence;
  ASSERT_TRUE(sample.source.store().remove(storage::layout::log_entry("default", TimelineId{1}, head - 5)).has_value());
  RestoreStream stream(input);
  Bytes out;
  Result<std::size_t> size = std::size_t{1};
  while (size.has_value() && *size != 0) size = stream.read(out);
  ASSERT_FALSE(size.has_value());
  EXPECT_EQ(size.error().kind(), ErrorKind::kDataLoss);
}

TEST(ReplaySource, ServesTheBaseAndTheStreamAgainAndAgain) {
  Sample sample;
  ReplaySource source(sample.source.input(sample.end()));
  for (int round = 0; round < 2; ++round) {
    auto base = source.open_base();
    ASSERT_TRUE(base.has_value());
    Bytes rdb;
    while (*(*base)->read_some(rdb, 7) != 0) {
    }
    EXPECT_EQ(rdb, empty_rdb());
    EXPECT_EQ(rdb.size(), source.base_size_bytes());
    const std::uint64_t after = round == 0 ? 0 : 12345;
    auto stream = source.open_stream(source.base_offset() + after);
    ASSERT_TRUE(stream.has_value());
    Bytes bytes;
    while (*(*stream)->read_some(bytes, 1000) != 0) {
    }
    EXPECT_EQ(bytes, sample.expected.substr(after));
    EXPECT_TRUE(source.at_end());
    EXPECT_EQ(source.end_offset(), source.base_offset() + sample.expected.size());
  }
}

TEST(RestoreBase, NamesAPartThatIsGoneAsDamageAndTheNextStep) {
  Sample sample;
  const RestoreInput input = sample.source.input(sample.end());
  const std::string part = storage::layout::base_part("default", TimelineId{1}, input.route.base.name, 0);
  ASSERT_TRUE(sample.source.store().remove(part).has_value());
  auto base = RestoreBase::open(input);
  ASSERT_TRUE(base.has_value());
  Bytes rdb;
  const auto size = base->read(rdb);
  ASSERT_FALSE(size.has_value());
  EXPECT_EQ(size.error().kind(), ErrorKind::kDataLoss);
  EXPECT_NE(size.error().message().find(part), std::string::npos) << size.error().message();
  EXPECT_NE(size.error().hint().find("anclora verify"), std::string::npos) << size.error().hint();
}

TEST(RestoreStream, StopsBeforeItSelectsADatabaseThatTheTargetLacks) {
  SourceBuilder source;
  source.open_timeline(redis::Offset{1000}, at(0));
  source.base(empty_rdb(), at(0), 1);
  source.command({"SET", "a", "1"}, at(1));
  source.seal();
  source.command({"SELECT", "7"}, at(2));
  source.command({"SELECT", "0"}, at(2));
  source.command({"SET", "b", "2"}, at(2));
  source.seal();
  const RestoreInput input = source.input({TimelineId{1}, source.end()});
  RestoreStream whole(input);
  const Bytes all = read_all(whole);
  EXPECT_NE(all.find("$1\r\n7\r\n"), Bytes::npos);
  EXPECT_EQ(whole.databases_used(), 8u);

  RestoreStream enough(input);
  enough.limit_databases(8);
  EXPECT_EQ(read_all(enough), all);

  RestoreStream limited(input);
  limited.limit_databases(7);
  Bytes served;
  while (true) {
    Bytes piece;
    const auto size = limited.read(piece);
    if (!size.has_value()) {
      EXPECT_EQ(size.error().kind(), ErrorKind::kFailedPrecondition);
      EXPECT_NE(size.error().message().find("database 7"), std::string::npos);
      EXPECT_NE(size.error().hint().find("databases 8"), std::string::npos);
      break;
    }
    ASSERT_NE(*size, 0u);
    served += piece;
  }
  EXPECT_EQ(served, redis::build_command({"SELECT", "1"}) + redis::build_command({"SET", "a", "1"}));

  RestoreStream narrow(input);
  narrow.limit_databases(1);
  Bytes nothing;
  EXPECT_FALSE(narrow.read(nothing).has_value());
}

}  // namespace
}  // namespace anclora::protect
