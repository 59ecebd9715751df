#include "protect/restore/stream_filter.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "redis/resp/reply.h"

namespace anclora::protect {
namespace {

using redis::build_command;

redis::StreamState at(std::uint64_t offset) {
  redis::StreamState state;
  state.offset = state.boundary = redis::Offset{offset};
  return state;
}

struct Sample {
  Bytes stream;    // as it came from the source
  Bytes replayed;  // what of it is to be replayed
};

Sample sample() {
  Sample made;
  const auto both = [&](const Bytes& command) {
    made.stream += command;
    made.replayed += command;
  };
  both(build_command({"SELECT", "0"}));
  made.stream += build_command({"PUBLISH", "__sentinel__:hello", "127.0.0.1,26379,abc,0,mymaster,127.0.0.1,6379,0"});
  both(build_command({"SET", "k", Bytes(10000, 'v')}));
  made.stream += build_command({"REPLCONF", "GETACK", "*"});
  made.stream += build_command({"replconf", "getack", "*"});
  both(build_command({"MULTI"}));
  both(build_command({"PUBLISH", "news", "__sentinel__:hello"}));
  made.stream += build_command({"publish", "__sentinel__:hello", "x"});
  both(build_command({"EXEC"}));
  both(build_command({"PING"}));
  made.stream += build_command({"PUBLISH", "__sentinel__:hello", "last"});
  return made;
}

TEST(StreamFilter, DropsSentinelGreetingsAndDemandsForAcknowledgementsWhateverTheChunks) {
  const Sample given = sample();
  SeededRandom random(7);
  for (int round = 0; round < 300; ++round) {
    StreamFilter filter(at(1000));
    Bytes out;
    ByteView rest = given.stream;
    while (!rest.empty()) {
      const std::size_t limit = round % 3 == 0 ? 7 : round % 3 == 1 ? 200 : 9000;
      const std::size_t size = std::min<std::size_t>(rest.size(), 1 + random.below(limit));
      ASSERT_TRUE(filter.feed(rest.substr(0, size), out).has_value());
      rest.remove_prefix(size);
    }
    ASSERT_EQ(out, given.replayed) << "round " << round;
    EXPECT_TRUE(filter.at_point());
    EXPECT_EQ(filter.state().offset, redis::Offset{1000} + given.stream.size());
    EXPECT_EQ(filter.commands(), 6u);
  }
}

TEST(StreamFilter, GoesOnFromAnyCommandBoundaryThroughANewOne) {
  const Sample given = sample();
  Bytes out;
  StreamFilter filter(at(0));
  for (const char byte : given.stream) {
    ASSERT_TRUE(filter.feed(ByteView(&byte, 1), out).has_value());
    if (filter.at_command_boundary()) filter = StreamFilter(filter.state());
  }
  EXPECT_EQ(out, given.replayed);
}

TEST(StreamFilter, HoldsBackOnlyALittleOfALongCommand) {
  StreamFilter filter(at(0));
  const Bytes command = build_command({"SET", "k", Bytes(1 << 20, 'v')});
  Bytes out;
  ASSERT_TRUE(filter.feed(ByteView(command).substr(0, 100), out).has_value());
  EXPECT_TRUE(out.empty());
  ASSERT_TRUE(filter.feed(ByteView(command).substr(100, 5000), out).has_value());
  EXPECT_EQ(out.size(), 5100u);
  EXPECT_FALSE(filter.at_point());
  ASSERT_TRUE(filter.feed(ByteView(command).substr(5100), out).has_value());
  EXPECT_EQ(out, command);
}

TEST(StreamFilter, RefusesBytesThatAreNoCommand) {
  StreamFilter filter(at(0));
  Bytes out;
  EXPECT_EQ(filter.feed("GET k\r\n", out).error().kind(), ErrorKind::kDataLoss);
}

}  // namespace
}  // namespace anclora::protect
