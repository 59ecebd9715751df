#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "storage/journal/command_frame_decoder.h"
#include "storage/journal/command_frame_encoder.h"
#include "storage/journal/frame_compressor.h"

namespace anclora::storage {
namespace {

using Arguments = std::vector<std::string>;

Bytes command(const Arguments& arguments) {
  Bytes out = "*" + std::to_string(arguments.size()) + "\r\n";
  for (const std::string& each : arguments) out += "$" + std::to_string(each.size()) + "\r\n" + each + "\r\n";
  return out;
}

// A queue's jobs, as different as real ones are.
Bytes jobs(std::size_t size, std::uint64_t seed = 1) {
  SeededRandom random(seed);
  const std::vector<std::string> names = {"Ana", "Luis", "Marta", "Jordi", "Zoë"};
  Bytes stream;
  for (std::uint64_t id = 995; stream.size() < size; ++id) {
    const std::string job = std::to_string(id);
    const std::string text = "Hello " + names[random.below(names.size())] + ", order " +
                             std::to_string(random.below(1'000'000)) + " leaves at " + std::to_string(random.below(24));
    stream += command({"MULTI"});
    stream += command({"HSET", "bull:q:" + job, "to", "34" + std::to_string(100'000'000 + random.below(900'000'000)),
                       "text", text, "id", to_hex(random.bytes(4)) + "-" + to_hex(random.bytes(16)), "at",
                       std::to_string(1'767'225'600'000 + id)});
    stream += command({"LPUSH", "bull:q:wait", job});
    stream += command({"EXEC"});
  }
  return stream;
}

// The plain bytes behind a body.
std::optional<Bytes> decoded(ByteView body, std::size_t plain_bytes) {
  CommandFrameDecoder decoder;
  std::ranges::copy(body, decoder.body(body.size()));
  const auto plain = decoder.decode(plain_bytes);
  return plain ? std::optional(Bytes(*plain)) : std::nullopt;
}

void expect_round_trip(CommandFrameEncoder& encoder, const Bytes& plain, bool pays) {
  const auto body = encoder.encode(plain);
  ASSERT_EQ(body.has_value(), pays);
  if (body) {
    EXPECT_EQ(decoded((*body), plain.size()), plain);
  }
}

TEST(CommandFrame, HoldsCommandsThatRepeatEachOtherInAFewBytes) {
  CommandFrameEncoder encoder;
  const Bytes plain = jobs(256 * kKiB);
  const auto body = encoder.encode(plain);
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(decoded((*body), plain.size()), plain);
  EXPECT_LT(body->size(), plain.size() / 5);
}

TEST(CommandFrame, EachStandsAloneThoughItsWriterRemembers) {
  CommandFrameEncoder encoder;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) expect_round_trip(encoder, jobs(128 * kKiB, seed), true);
}

TEST(CommandFrame, MayBeginAndEndWithinACommand) {
  const Bytes plain = jobs(160 * kKiB);
  for (std::size_t cut = 0; cut < 300; cut += 7) {
    CommandFrameEncoder encoder;
    expect_round_trip(encoder, plain.substr(cut, 100 * kKiB + cut), true);
  }
}

TEST(CommandFrame, LeavesOtherBytesToZstdAndStopsTryingSoon) {
  SeededRandom random(1);
  CommandFrameEncoder encoder;
  for (const Bytes& plain : {random.bytes(128 * kKiB), Bytes(128 * kKiB, '*'), Bytes(128 * kKiB, '\n'), Bytes(),
                             Bytes("*1\r\n$4\r\nPING\r\n"), command({"SET", "k", random.bytes(128 * kKiB)})})
    expect_round_trip(encoder, plain, false);
  expect_round_trip(encoder, jobs(128 * kKiB), false);  // one of those that are passed over now
}

TEST(CommandFrame, TriesAgainAfterAWhile) {
  CommandFrameEncoder encoder;
  const Bytes noise(128 * kKiB, '*');
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(encoder.encode(noise).has_value());
  const Bytes plain = jobs(128 * kKiB);
  int tries = 0;
  while (!encoder.encode(plain).has_value()) ASSERT_LT(++tries, 64);
}

// Numbers at the borders of each kind of slot, between two commands that make slots of them.
TEST(CommandFrame, KeepsNumbersAndWordsAsTheyWereWritten) {
  const std::vector<Arguments> values = {
      {"0", "9", "10", "63", "64", "16383", "16384", "1073741823", "1073741824", "99999999", "100000000",
       "9999999999999999", "10000000000000000", "99999999999999999999", "00", "007", ""},
      {"00", "99", "0a", "a0", "ff", "FF", "0g", "zz"},
      {"00000000", "99999999", "deadbeef", "DEADBEEF", "dead_eef", "0000000g"},
      {"000000000", "123456789", "abcdef012", "abcdef01g"},
      {std::string(64, 'a'), std::string(64, '0'), std::string(63, 'a') + "g", std::string(65, '1')},
      {"Ana", std::string(15, 'x'), std::string(16, 'x'), std::string(17, 'x'), std::string(255, 'x'),
       std::string(256, 'x'), "x\r\ny", "\r", "\xff\xfe", std::string(1, '\0'), "t1", "t01", "t0x"}};
  for (const Arguments& each : values) {
    Bytes plain = jobs(100 * kKiB);
    for (std::size_t round = 0; round < 3; ++round)
      for (const std::string& value : each)
        plain += command({"SET", "key:" + value, value, "field:" + value + ":end"}) + jobs(1 * kKiB, round);
    CommandFrameEncoder encoder;
    expect_round_trip(encoder, plain + jobs(10 * kKiB), true);
  }
}

TEST(CommandFrame, KeepsCommandsThatAreWrittenInAnUnusualWay) {
  for (const ByteView odd :
       {"*2\r\n$03\r\nGET\r\n$1\r\nk\r\n", "*02\r\n$3\r\nGET\r\n$1\r\nk\r\n", "*2\r\n$3\r\nGET\r\n$-1\r\n", "*0\r\n",
        "*-1\r\n", "PING\r\n", "*2\r\n$3\r\nGET\r\n$1\r\nkk\r\n", "\r\n*", "*2000000000\r\n", "*1\r\n$999999999\r\n"}) {
    Bytes plain = jobs(70 * kKiB);
    for (int i = 0; i < 50; ++i) plain += Bytes(odd) + jobs(1 * kKiB, static_cast<std::uint64_t>(i));
    CommandFrameEncoder encoder;
    expect_round_trip(encoder, plain + jobs(1 * kKiB), true);
  }
}

// What is within it is not looked at a second time: with commands within commands that would take for ever.
TEST(CommandFrame, LeavesACommandThatBreaksOffAsItIs) {
  Bytes within = "*901\r\n";
  for (int i = 0; i < 900; ++i)
    within += "$29\r\n\r\n*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$1\r\n" + std::to_string(i % 10) + "\r\n";
  const Bytes plain = jobs(200 * kKiB) + within + "?" + jobs(10 * kKiB);
  CommandFrameEncoder encoder;
  const auto body = encoder.encode(plain);
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(decoded(*body, plain.size()), plain);
  EXPECT_NE(body->find(within), ByteView::npos);
}

// Each command makes a word slot of one more field, until the body has no room for another definition.
TEST(CommandFrame, LeavesACommandThatWouldNeedTooManySlotsAsItIs) {
  Bytes plain = jobs(100 * kKiB);
  for (std::size_t slots = 0; slots < 60; ++slots) {
    Arguments arguments = {"HSET", "p:x"};
    for (std::size_t field = 0; field < 45; ++field) {
      arguments.push_back("f" + std::to_string(field));
      arguments.emplace_back(field < slots ? "bb" : "a");
    }
    plain += command(arguments) + jobs(100, slots);
  }
  CommandFrameEncoder encoder;
  expect_round_trip(encoder, plain + jobs(1 * kKiB), true);
  expect_round_trip(encoder, plain + jobs(1 * kKiB), true);  // with what it learned
}

TEST(CommandFrame, TellsCommandsOfDifferentLengthsApart) {
  Bytes plain = jobs(100 * kKiB);
  for (const std::string& name :
       {std::string("LPUSH"), std::string("RPUSH"), std::string("SADD"), std::string("ZADD")}) {
    for (std::size_t size = 40; size > 2; --size) {
      Arguments arguments = {name, "bull:q:wait"};
      while (arguments.size() < size) arguments.push_back(std::to_string(arguments.size()));
      plain += command(arguments) + jobs(1 * kKiB, size);
    }
  }
  CommandFrameEncoder encoder;
  for (int i = 0; i < 3; ++i) expect_round_trip(encoder, plain, true);
}

TEST(CommandFrame, TakesLongWordsAsWholeArguments) {
  SeededRandom random(5);
  Bytes plain = jobs(70 * kKiB);
  for (std::uint64_t i = 0; i < 100; ++i)
    plain += command({"SET", "sig:" + std::to_string(i), "x" + to_hex(random.bytes(200))}) + jobs(3 * kKiB, i);
  CommandFrameEncoder encoder;
  const auto body = encoder.encode(plain);
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(decoded((*body), plain.size()), plain);
  EXPECT_LT(body->size(), plain.size() / 3);  // the jobs between them are templates still
}

TEST(CommandFrame, ForgetsBulkCommandsOfMoreAndMoreShapes) {
  CommandFrameEncoder encoder;
  for (std::size_t batch = 200; batch < 260; ++batch) {
    Arguments arguments = {"RPUSH", "l:x"};
    while (arguments.size() < batch) arguments.push_back("1,2,3,4,5,6,7,8,9");
    expect_round_trip(encoder, jobs(70 * kKiB, batch) + command(arguments) + jobs(1 * kKiB), true);
  }
}

// Any job may differ in any byte from those before it.
TEST(CommandFrame, HoldsEveryByteOfCommandsThatAlmostRepeat) {
  SeededRandom random(7);
  CommandFrameEncoder encoder;
  for (int round = 0; round < 60; ++round) {
    Bytes plain = jobs(70 * kKiB + random.below(100 * kKiB), random.next_u64());
    for (std::uint64_t changes = random.below(400); changes > 0; --changes) {
      const std::size_t at = random.below(plain.size() - 8);
      switch (random.below(4)) {
        case 0:
          plain[at] = static_cast<char>(random.below(256));
          break;
        case 1:
          plain.erase(at, 1 + random.below(3));
          break;
        case 2:
          plain.insert(at, std::to_string(random.below(100'000)));
          break;
        default:
          plain.insert(at, jobs(1, random.next_u64()));
      }
    }
    const auto body = encoder.encode(plain);
    if (body) {
      ASSERT_EQ(decoded((*body), plain.size()), plain) << "round " << round;
    }
  }
}

TEST(CommandFrame, ThatIsDamagedDoesNoHarm) {
  CommandFrameEncoder encoder;
  const Bytes plain = jobs(80 * kKiB);
  const Bytes body(encoder.encode(plain).value());
  EXPECT_EQ(decoded(body, plain.size() - 1), std::nullopt);
  EXPECT_EQ(decoded(body, plain.size() + 1), std::nullopt);
  for (std::size_t cut = 0; cut < body.size(); cut += 13)
    EXPECT_EQ(decoded(ByteView(body).substr(0, cut), plain.size()), std::nullopt);
  SeededRandom random(3);
  for (int round = 0; round < 2'000; ++round) {
    Bytes damaged = body;
    for (int i = 0; i < 3; ++i) damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
    const auto found = decoded(damaged, plain.size());
    EXPECT_TRUE(!found || found->size() == plain.size());
  }
}

TEST(CommandFrame, IsWhatTheCompressorMakesOfCommandsAndTheUnpackerReads) {
  const Bytes plain = jobs(600 * kKiB);
  for (const FrameTuning tuning : {FrameTuning::kCommands, FrameTuning::kCommandsByZstd}) {
    FrameCompressor compressor(tuning);
    const auto frames = compressor.compress(plain, 256 * kKiB);
    ASSERT_TRUE(frames.has_value());
    Bytes unpacked;
    FrameUnpacker unpacker;
    for (const CompressedFrame& frame : *frames) {
      EXPECT_EQ(frame.bytes.starts_with(kCommandFrameMagic), tuning == FrameTuning::kCommands);
      ASSERT_EQ(FrameUnpacker::plain_bytes(frame.bytes), frame.plain_bytes);
      unpacked += unpacker.unpack(frame.bytes).value();
    }
    EXPECT_EQ(unpacked, plain);
  }
}

TEST(CommandFrame, ThatDoesNotHoldItsCommandsIsMadeByZstd) {
  const Bytes plain = jobs(300 * kKiB);
  const Bytes other = jobs(300 * kKiB, 2);
  CommandFrameEncoder encoder;
  const auto put = [](Bytes body, std::size_t at, char byte) {
    body[at] = byte;
    return body;
  };
  const Bytes good(encoder.encode(plain).value());
  const Bytes of_others(encoder.encode(other).value());
  const Bytes an_unknown_template = put(good, good.size() - 1, '\xFF');
  for (const Bytes& body : {of_others, an_unknown_template, put(good, good.size() / 2, '\x7F'), good + good,
                            good.substr(0, good.size() - 1), Bytes()}) {
    FrameCompressor compressor(FrameTuning::kCommands, [&body](ByteView) { return ByteView(body); });
    const auto frames = compressor.compress(plain);
    ASSERT_TRUE(frames.has_value());
    ASSERT_EQ(frames->size(), 1);
    EXPECT_FALSE(is_command_frame(frames->front().bytes));
    EXPECT_EQ(FrameUnpacker().unpack(frames->front().bytes), plain);
  }
  FrameCompressor compressor(FrameTuning::kCommands, [&good](ByteView) { return ByteView(good); });
  EXPECT_TRUE(is_command_frame(compressor.compress(plain).value().front().bytes));
}

// One job's number in many commands.
Bytes moves(std::size_t size) {
  Bytes stream;
  for (std::uint64_t id = 1; stream.size() < size; ++id) {
    const std::string job = std::to_string(id);
    stream += command({"LPUSH", "bull:q:wait", job}) + command({"LREM", "bull:q:wait", "1", job}) +
              command({"ZADD", "bull:q:active", job, job}) + command({"HSET", "bull:q:" + job, "processedOn", job});
  }
  return stream;
}

// Small numbers are what an entropy coder is good at, and such jobs what a search for matches is.
TEST(CommandFrame, IsNotMadeWhereZstdNeedsLessRoom) {
  SeededRandom random(1);
  Bytes counters;
  while (counters.size() < 2 * kFrameBytes)
    counters += command({"INCR", "counter:page:" + std::to_string(random.below(1000))});
  const auto size = [](const Bytes& plain, FrameTuning tuning) {
    FrameCompressor compressor(tuning);
    std::size_t bytes = 0;
    const std::vector<CompressedFrame> frames = compressor.compress(plain).value();
    for (const CompressedFrame& frame : frames) bytes += frame.bytes.size();
    return bytes;
  };
  for (const Bytes& plain : {counters, moves(3 * kFrameBytes)})
    EXPECT_LE(size(plain, FrameTuning::kCommands), size(plain, FrameTuning::kCommandsByZstd) / 20 * 21);
}

TEST(CommandFrame, IsMadeAgainSoonAfterHoursOfWhatZstdDoesBetter) {
  constexpr int kNoise = 1100;
  constexpr int kSoon = 128;
  SeededRandom random(1);
  FrameCompressor compressor(FrameTuning::kCommands);
  const auto is_made_of = [&](const Bytes& plain) {
    return is_command_frame(compressor.compress(plain).value().front().bytes);
  };
  EXPECT_FALSE(is_made_of(moves(kFrameBytes - kKiB)));
  const Bytes noise = random.bytes(64 * kKiB);
  for (int i = 0; i < kNoise; ++i) ASSERT_FALSE(is_made_of(noise));
  const Bytes plain = jobs(100 * kKiB);
  int frames = 1;
  while (!is_made_of(plain)) ASSERT_LE(++frames, kSoon);
}

TEST(CommandFrame, ThatDeclaresTooMuchIsRefused) {
  const Bytes plain = jobs(100 * kKiB);
  FrameCompressor compressor(FrameTuning::kCommands);
  Bytes frame = compressor.compress(plain)->front().bytes;
  ASSERT_TRUE(frame.starts_with(kCommandFrameMagic));
  frame[7] = 1;  // 16 MiB and more
  EXPECT_EQ(FrameUnpacker::plain_bytes(frame), std::nullopt);
  EXPECT_EQ(FrameUnpacker().unpack(frame), std::nullopt);
  EXPECT_EQ(FrameUnpacker().unpack(kCommandFrameMagic), std::nullopt);
}

}  // namespace
}  // namespace anclora::storage
