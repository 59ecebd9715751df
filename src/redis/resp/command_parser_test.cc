#include "redis/resp/command_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "redis/resp/reply.h"

namespace anclora::redis {
namespace {

struct Seen {
  std::uint64_t first, last;
  std::string name;
  std::vector<std::string> kept;
  std::vector<std::uint64_t> lengths;
  std::uint64_t count;
  std::uint32_t database;
  std::optional<Offset> transaction;
  bool at_boundary;
  bool operator==(const Seen&) const = default;
};

class Recorder : public CommandVisitor {
 public:
  void on_command(const Command& command) override {
    Seen one{command.first.value, command.last.value,  std::string(command.name), {}, {}, command.argument_count,
             command.database,    command.transaction, command.at_boundary};
    for (const Argument& argument : command.arguments) {
      one.kept.emplace_back(argument.kept);
      one.lengths.push_back(argument.length);
    }
    seen.push_back(one);
  }
  std::vector<Seen> seen;
};

// Asks for all arguments of DEL and for every other one of MSET.
class GreedyRecorder : public Recorder {
 public:
  unsigned further_argument_step(std::string_view name) override {
    asked.emplace_back(name);
    return name == "DEL" ? 1 : name == "MSET" ? 2 : 0;
  }
  std::vector<std::string> asked;
};

template <class Visitor = Recorder>
std::vector<Seen> parse(const Bytes& stream, std::size_t chunk, StreamState start = {}) {
  CommandParser parser(start);
  Visitor recorder;
  for (std::size_t at = 0; at < stream.size(); at += chunk) {
    const Status status = parser.feed(ByteView(stream).substr(at, chunk), recorder);
    EXPECT_TRUE(status.has_value()) << status.error().message();
  }
  EXPECT_EQ(parser.state().offset.value, start.offset.value + stream.size());
  return recorder.seen;
}

TEST(CommandParser, NamesACommandByItsFirstAndLastByte) {
  StreamState start;
  start.offset = Offset{100};
  const auto seen = parse("*1\r\n$4\r\nping\r\n" + build_command({"SET", "k", "v"}), 4096, start);
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].first, 101u);
  EXPECT_EQ(seen[0].last, 114u);
  EXPECT_EQ(seen[0].name, "PING");
  EXPECT_EQ(seen[1].first, 115u);
  EXPECT_EQ(seen[1].kept, (std::vector<std::string>{"k", "v"}));
}

TEST(CommandParser, SeesTheSameCommandsWhateverTheChunks) {
  const Bytes stream = build_command({"SELECT", "3"}) + "\n" + build_command({"MULTI"}) +
                       build_command({"lpush", "list", std::string(2000, 'x'), ""}) + "\r\n" + "*0\r\n" +
                       build_command({"EXEC"}) + build_command({"PING"}) +
                       build_command({"MSET", "1",  "2",  "3",  "4",  "5",  "6",  "7",  "8",  "9",
                                      "10",   "11", "12", "13", "14", "15", "16", "17", "18", "19"});
  const auto whole = parse(stream, stream.size());
  ASSERT_EQ(whole.size(), 6u);
  EXPECT_EQ(whole[2].lengths, (std::vector<std::uint64_t>{4, 2000, 0}));
  EXPECT_EQ(whole[2].kept[1].size(), CommandParser::kKeptArgumentBytes);
  EXPECT_EQ(whole[5].count, 19u);
  EXPECT_EQ(whole[5].kept.size(), CommandParser::kKeptArguments);
  for (std::size_t chunk = 1; chunk < stream.size(); chunk += chunk < 40 ? 1 : 37) {
    EXPECT_EQ(parse(stream, chunk), whole) << "chunks of " << chunk;
  }
}

Bytes command_of(const std::string& name, std::size_t arguments, const std::string& prefix) {
  std::vector<std::string> words{name};
  for (std::size_t i = 0; i < arguments; ++i) words.push_back(prefix + std::to_string(i));
  Bytes bytes = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) bytes += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return bytes;
}

TEST(CommandParser, ReadsLengthsAnewWhenTheyDifferFromTheCommandBefore) {
  Bytes stream;
  std::vector<std::vector<std::uint64_t>> expected;
  for (const std::size_t size : {3u, 3u, 30u, 300u, 3u, 99'999u, 100'000u, 99'999u, 0u, 12u}) {
    stream += build_command({"SET", std::string(size, 'k'), std::string(size / 2, 'v')});
    expected.push_back({size, size / 2});
  }
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{1000}, stream.size()}) {
    const std::vector<Seen> seen = parse(stream, chunk);
    ASSERT_EQ(seen.size(), expected.size());
    for (std::size_t i = 0; i < seen.size(); ++i) {
      EXPECT_EQ(seen[i].name, "SET");
      EXPECT_EQ(seen[i].lengths, expected[i]);
    }
  }
}

TEST(CommandParser, TellsNamesApartThatBeginAlike) {
  Bytes stream;
  const std::vector<std::string> names = {"set", "SET", "setex", "se", "SeT", "set"};
  for (const std::string& name : names) stream += build_command({name, "k"});
  const std::vector<Seen> seen = parse(stream, stream.size());
  ASSERT_EQ(seen.size(), names.size());
  const std::vector<std::string> upper = {"SET", "SET", "SETEX", "SE", "SET", "SET"};
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i].name, upper[i]);
}

TEST(CommandParser, KeepsTheFurtherArgumentsThatAreAskedForWhateverTheChunks) {
  const Bytes stream = command_of("del", 16, "few:") + command_of("del", 5000, "key:") + command_of("MSET", 40, "m:") +
                       command_of("HSET", 40, "h:") + command_of("DEL", 17, std::string(600, 'x')) +
                       command_of("DEL", 1, "last");
  const auto whole = parse<GreedyRecorder>(stream, stream.size());
  ASSERT_EQ(whole.size(), 6u);
  EXPECT_EQ(whole[0].kept.size(), 16u);
  ASSERT_EQ(whole[1].kept.size(), 5000u);
  EXPECT_EQ(whole[1].kept[0], "key:0");
  EXPECT_EQ(whole[1].kept[4999], "key:4999");
  ASSERT_EQ(whole[2].kept.size(), 40u);
  EXPECT_EQ(whole[2].kept[15], "m:15");
  EXPECT_EQ(whole[2].kept[38], "m:38");
  EXPECT_EQ(whole[2].kept[39], "") << "not asked for";
  EXPECT_EQ(whole[2].lengths[39], 4u);
  EXPECT_EQ(whole[3].kept.size(), CommandParser::kKeptArguments);
  EXPECT_EQ(whole[4].kept[16].size(), CommandParser::kKeptArgumentBytes);
  for (const std::size_t chunk : {1, 7, 64, 4096}) {
    EXPECT_EQ(parse<GreedyRecorder>(stream, chunk), whole) << "chunks of " << chunk;
  }
}

TEST(CommandParser, AsksOnceForEachCommandOfManyArgumentsAndForNoOther) {
  GreedyRecorder recorder;
  CommandParser parser;
  ASSERT_TRUE(parser.feed(command_of("SET", 16, "a") + command_of("hset", 17, "b"), recorder).has_value());
  EXPECT_EQ(recorder.asked, (std::vector<std::string>{"HSET"}));
}

TEST(CommandParser, BoundsWhatItKeepsOfAnAbsurdCommand) {
  const std::size_t count = CommandParser::kMaxKeptArguments + 10;
  const Bytes stream = command_of("DEL", count, "");
  for (const std::size_t chunk : {stream.size(), std::size_t{100'000}}) {
    CommandParser parser;
    GreedyRecorder recorder;
    for (std::size_t at = 0; at < stream.size(); at += chunk)
      ASSERT_TRUE(parser.feed(ByteView(stream).substr(at, chunk), recorder).has_value());
    ASSERT_EQ(recorder.seen.size(), 1u);
    EXPECT_EQ(recorder.seen[0].count, count);
    EXPECT_EQ(recorder.seen[0].kept.size(), CommandParser::kMaxKeptArguments);
  }
}

TEST(CommandParser, GoesOnFromItsSavedStateInACommandOfManyArguments) {
  const Bytes stream = command_of("DEL", 30, "key:") + command_of("MSET", 24, "m:");
  const auto whole = parse<GreedyRecorder>(stream, stream.size());
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    CommandParser before;
    GreedyRecorder recorder;
    ASSERT_TRUE(before.feed(ByteView(stream).substr(0, cut), recorder).has_value());
    auto after = CommandParser::load(before.save());
    ASSERT_TRUE(after.has_value()) << cut;
    ASSERT_TRUE(after->feed(ByteView(stream).substr(cut), recorder).has_value());
    EXPECT_EQ(recorder.seen, whole) << "cut at " << cut;
  }
}

TEST(CommandParser, FollowsSelectAndMulti) {
  const Bytes select = build_command({"select", "7"});
  const Bytes multi = build_command({"MULTI"});
  const Bytes set = build_command({"SET", "a", "b"});
  CommandParser parser;
  Recorder recorder;
  ASSERT_TRUE(parser.feed(select + multi + set, recorder).has_value());
  EXPECT_EQ(parser.state().database, 7u);
  EXPECT_EQ(parser.state().open_multi, Offset{select.size() + 1});
  EXPECT_EQ(parser.state().boundary, Offset{select.size()});
  EXPECT_FALSE(parser.in_command());
  const Bytes exec = build_command({"EXEC"});
  ASSERT_TRUE(parser.feed(exec, recorder).has_value());
  EXPECT_FALSE(parser.state().open_multi.has_value());
  EXPECT_EQ(parser.state().boundary, parser.state().offset);
  EXPECT_EQ(recorder.seen[3].transaction, Offset{select.size() + 1});
  EXPECT_TRUE(recorder.seen[3].at_boundary);
  EXPECT_FALSE(recorder.seen[2].at_boundary);
  EXPECT_EQ(recorder.seen[0].database, 0u);
  EXPECT_EQ(recorder.seen[1].database, 7u);
}

TEST(CommandParser, PassesAHugeArgumentThroughInPieces) {
  CommandParser parser;
  Recorder recorder;
  const std::uint64_t length = 3'000'000'000;
  ASSERT_TRUE(parser.feed("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$" + std::to_string(length) + "\r\n", recorder).has_value());
  const Bytes piece(kMiB, 'z');
  std::uint64_t left = length;
  while (left > 0) {
    EXPECT_EQ(parser.bytes_pending(), left + 2);
    const std::size_t now = std::min<std::uint64_t>(left, piece.size());
    ASSERT_TRUE(parser.feed(ByteView(piece).substr(0, now), recorder).has_value());
    left -= now;
  }
  EXPECT_TRUE(recorder.seen.empty());
  ASSERT_TRUE(parser.feed("\r\n", recorder).has_value());
  ASSERT_EQ(recorder.seen.size(), 1u);
  EXPECT_EQ(recorder.seen[0].lengths[1], length);
  EXPECT_EQ(parser.bytes_pending(), 0u);
}

TEST(CommandParser, GoesOnFromItsSavedStateAtEveryByte) {
  const Bytes stream = build_command({"SELECT", "2"}) + build_command({"MULTI"}) +
                       build_command({"SET", "key", "value"}) + build_command({"EXEC"}) + "\r\n" +
                       build_command({"DEL", "key"});
  const auto whole = parse(stream, stream.size());
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    CommandParser before;
    Recorder recorder;
    ASSERT_TRUE(before.feed(ByteView(stream).substr(0, cut), recorder).has_value());
    auto after = CommandParser::load(before.save());
    ASSERT_TRUE(after.has_value()) << cut;
    EXPECT_EQ(after->state(), before.state());
    EXPECT_EQ(after->bytes_pending(), before.bytes_pending());
    ASSERT_TRUE(after->feed(ByteView(stream).substr(cut), recorder).has_value());
    EXPECT_EQ(recorder.seen, whole) << "cut at " << cut;
  }
}

TEST(CommandParser, NeverPromisesMoreBytesThanCome) {
  const Bytes stream = build_command({"SET", "key", "value"});
  for (std::size_t cut = 1; cut < stream.size(); ++cut) {
    CommandParser parser;
    Recorder recorder;
    ASSERT_TRUE(parser.feed(ByteView(stream).substr(0, cut), recorder).has_value());
    EXPECT_TRUE(parser.in_command());
    EXPECT_GT(parser.bytes_pending(), 0u);
    EXPECT_LE(parser.bytes_pending(), stream.size() - cut) << cut;
  }
}

TEST(CommandParser, RefusesASavedStateThatIsCut) {
  CommandParser parser;
  Recorder recorder;
  ASSERT_TRUE(parser.feed("*2\r\n$3\r\nDEL\r\n$5\r\nab", recorder).has_value());
  const Bytes saved = parser.save();
  for (std::size_t size = 0; size < saved.size(); ++size) {
    EXPECT_FALSE(CommandParser::load(ByteView(saved).substr(0, size)).has_value()) << size;
  }
}

TEST(CommandParser, NamesTheOffsetOfMalformedBytes) {
  for (const auto& [bytes, offset] :
       std::vector<std::pair<Bytes, std::string>>{{"*1\r\n$4\r\nPING\r\nHTTP/1.1", "offset 15"},
                                                  {"*-1\r\n", "offset 2"},
                                                  {"*1\r\n$-1\r\n", "offset 6"},
                                                  {"*99999999999999999999\r\n", "offset 20"},
                                                  {"*3000000000\r\n", "offset 13"},
                                                  {"*1\r\n$9999999999999999\r\n", "offset 23"},
                                                  {"*1\r\n$4\r\nPINGX\n", "offset 13"},
                                                  {"*1\r\n+4\r\n", "offset 5"},
                                                  {"*\r\n", "offset 2"},
                                                  {"\rx", "offset 2"}}) {
    for (const std::size_t chunk : {bytes.size(), std::size_t{1}}) {
      CommandParser parser;
      Recorder recorder;
      Status status;
      for (std::size_t at = 0; at < bytes.size() && status.has_value(); at += chunk) {
        status = parser.feed(ByteView(bytes).substr(at, chunk), recorder);
      }
      ASSERT_FALSE(status.has_value()) << bytes;
      EXPECT_EQ(status.error().kind(), ErrorKind::kDataLoss);
      EXPECT_NE(status.error().message().find(offset + ":"), std::string::npos) << status.error().message() << bytes;
      EXPECT_FALSE(parser.feed("*1\r\n$4\r\nPING\r\n", recorder).has_value());
    }
  }
}

TEST(CommandParser, SurvivesRandomBytesInRandomChunks) {
  SeededRandom random(20261124);
  for (int round = 0; round < 3000; ++round) {
    Bytes stream = build_command({"SET", random.bytes(random.below(30)), random.bytes(random.below(700))}) +
                   build_command({"DEL", "x"});
    const auto at = random.below(stream.size());
    stream[at] = static_cast<char>(random.below(256));
    CommandParser whole;
    CommandParser parts;
    Recorder from_whole;
    Recorder from_parts;
    const Status expected = whole.feed(stream, from_whole);
    Status actual;
    for (std::size_t begin = 0; begin < stream.size() && actual.has_value();) {
      const std::size_t size = 1 + random.below(90);
      actual = parts.feed(ByteView(stream).substr(begin, size), from_parts);
      begin += size;
    }
    ASSERT_EQ(actual.has_value(), expected.has_value()) << "round " << round;
    EXPECT_EQ(from_parts.seen, from_whole.seen) << "round " << round;
    EXPECT_EQ(parts.state(), whole.state()) << "round " << round;
  }
}

}  // namespace
}  // namespace anclora::redis
