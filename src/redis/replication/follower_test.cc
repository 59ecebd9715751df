#include "redis/replication/follower.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "redis/resp/reply.h"

namespace anclora::redis {
namespace {

const std::string kReplid = "8c1f0e0c5e4b3b0d9a9e7a0f7d5a3b2c1d0e9f8a";
const std::string kOtherId = "0123456789abcdef0123456789abcdef01234567";
const std::string kMark = "abcdefabcdefabcdefabcdefabcdefabcdef0123";

// A Follower with everything it asked for kept.
class Session {
 public:
  explicit Session(FollowerOptions options = {}) : follower(std::move(options)) { follower.start(now, actions); }

  void receive(ByteView bytes, std::size_t chunk = 1 << 20) {
    for (std::size_t at = 0; at < bytes.size(); at += chunk) {
      FollowerActions some;
      follower.receive(bytes.substr(at, chunk), now, some);
      keep(some);
    }
  }
  void advance(Duration by) {
    now += by;
    FollowerActions some;
    follower.tick(now, some);
    keep(some);
  }
  void keep(FollowerActions& some) {
    for (FollowerAction& action : some) {
      if (const auto* bytes = std::get_if<BaseBytes>(&action)) base += bytes->bytes;
      if (const auto* bytes = std::get_if<StreamBytes>(&action)) {
        if (stream.empty()) stream_first = bytes->first;
        stream += bytes->bytes;
      }
      if (std::holds_alternative<BaseComplete>(action)) ++completions;
      actions.push_back(std::move(action));
    }
  }
  // To the answer of PSYNC.
  void shake_hands(std::size_t replies) {
    for (std::size_t i = 0; i < replies; ++i) receive(i == 0 ? "+PONG\r\n" : "+OK\r\n");
    EXPECT_EQ(follower.phase(), Follower::Phase::kPsync);
  }
  template <class Action>
  const Action* last() const {
    const Action* found = nullptr;
    for (const FollowerAction& action : actions) {
      if (const auto* one = std::get_if<Action>(&action)) found = one;
    }
    return found;
  }
  std::vector<Bytes> sent() const {
    std::vector<Bytes> all;
    for (const FollowerAction& action : actions) {
      if (const auto* send = std::get_if<SendBytes>(&action)) all.push_back(send->bytes);
    }
    return all;
  }

  MonoTime now{std::chrono::seconds(100)};
  FollowerActions actions;
  Follower follower;
  Bytes base, stream;
  Offset stream_first;
  int completions = 0;
};

TEST(Follower, AsksInTheOrderOfAReplica) {
  FollowerOptions options;
  options.user = "u";
  options.password = Secret("p");
  options.announced_version = "7.0.15";
  Session session(options);
  session.receive("-NOAUTH Authentication required.\r\n");
  for (int i = 0; i < 3; ++i) session.receive("+OK\r\n");
  session.receive("-ERR Unrecognized REPLCONF option: version\r\n");
  EXPECT_EQ(session.sent(), (std::vector<Bytes>{build_command({"PING"}), build_command({"AUTH", "u", "p"}),
                                                build_command({"REPLCONF", "listening-port", "0"}),
                                                build_command({"REPLCONF", "capa", "eof", "capa", "psync2"}),
                                                build_command({"REPLCONF", "version", "7.0.15"}),
                                                build_command({"PSYNC", "?", "-1"})}));
}

TEST(Follower, TakesADiskBackedBaseAndTheStreamGluedToIt) {
  const Bytes wire = "\n\n+FULLRESYNC " + kReplid + " 1000\r\n\n\n$9\r\nREDIS0011*1\r\n$4\r\nPING\r\n";
  for (std::size_t chunk = 1; chunk <= wire.size(); ++chunk) {
    Session session;
    session.shake_hands(3);
    session.receive(wire, chunk);
    ASSERT_NE(session.last<FullResyncStarted>(), nullptr) << chunk;
    EXPECT_EQ(session.last<FullResyncStarted>()->replid, kReplid);
    EXPECT_EQ(session.last<FullResyncStarted>()->offset, Offset{1000});
    EXPECT_EQ(session.last<FullResyncStarted>()->length_bytes, 9u);
    EXPECT_EQ(session.base, "REDIS0011");
    EXPECT_EQ(session.completions, 1);
    EXPECT_EQ(session.stream, "*1\r\n$4\r\nPING\r\n");
    EXPECT_EQ(session.stream_first, Offset{1001});
    EXPECT_EQ(session.follower.received(), Offset{1014});
  }
}

TEST(Follower, TakesADisklessBaseWhateverTheReads) {
  const Bytes base = "REDIS0011" + kMark.substr(0, 20) + "x" + kMark.substr(0, 39);
  const Bytes wire = "+FULLRESYNC " + kReplid + " 0\r\n$EOF:" + kMark + "\r\n" + base + kMark + "*1\r\n$4\r\nPING\r\n";
  for (std::size_t chunk = 1; chunk <= wire.size(); ++chunk) {
    Session session;
    session.shake_hands(3);
    session.receive(wire, chunk);
    EXPECT_EQ(session.base, base) << chunk;
    EXPECT_EQ(session.completions, 1);
    EXPECT_EQ(session.stream, "*1\r\n$4\r\nPING\r\n");
    EXPECT_FALSE(session.last<FullResyncStarted>()->length_bytes.has_value());
  }
}

TEST(Follower, RepeatsTheAcknowledgementUntilADisklessSourceBeginsTheStream) {
  Session session;
  session.shake_hands(3);
  session.receive("+FULLRESYNC " + kReplid + " 7\r\n$EOF:" + kMark + "\r\nbase" + kMark);
  const std::size_t before = session.sent().size();
  for (int i = 0; i < 10; ++i) session.advance(std::chrono::milliseconds(100));
  EXPECT_EQ(session.sent().size() - before, 10u);
  EXPECT_EQ(session.sent().back(), build_command({"REPLCONF", "ACK", "0"}));
  session.receive("\n");
  session.advance(std::chrono::milliseconds(100));
  const std::size_t begun = session.sent().size();
  for (int i = 0; i < 10; ++i) session.advance(std::chrono::milliseconds(100));
  EXPECT_EQ(session.sent().size() - begun, 1u);
}

TEST(Follower, AcknowledgesWhatIsDurableAtOnceAndEachSecond) {
  FollowerOptions options;
  options.resume = ResumePoint{kReplid, Offset{500}};
  Session session(options);
  session.shake_hands(3);
  EXPECT_EQ(session.sent().back(), build_command({"PSYNC", kReplid, "501"}));
  FollowerActions early;
  session.follower.acknowledge(Offset{500}, {}, session.now, early);
  EXPECT_TRUE(early.empty());
  session.receive("+CONTINUE\r\n*1\r\n");
  ASSERT_NE(session.last<ContinueAccepted>(), nullptr);
  EXPECT_FALSE(session.last<ContinueAccepted>()->renamed);
  EXPECT_EQ(session.last<ContinueAccepted>()->offset, Offset{500});
  EXPECT_EQ(session.stream_first, Offset{501});
  EXPECT_EQ(session.sent().back(), build_command({"REPLCONF", "ACK", "500"}));
  FollowerActions at_once;
  session.follower.acknowledge(Offset{504}, Offset{504}, session.now, at_once);
  ASSERT_EQ(at_once.size(), 1u);
  EXPECT_EQ(std::get<SendBytes>(at_once[0]).bytes, build_command({"REPLCONF", "ACK", "504", "FACK", "504"}));
  const std::size_t before = session.sent().size();
  session.advance(std::chrono::milliseconds(999));
  EXPECT_EQ(session.sent().size(), before);
  session.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(session.sent().size(), before + 1);
}

TEST(Follower, AcknowledgesWhatItReceivedWhenToldSo) {
  FollowerOptions options;
  options.acknowledge_received = true;
  Session session(options);
  session.shake_hands(3);
  session.receive("+FULLRESYNC " + kReplid + " 10\r\n$1\r\nbstream");
  session.advance(std::chrono::seconds(1));
  EXPECT_EQ(session.sent().back(), build_command({"REPLCONF", "ACK", "16"}));
}

TEST(Follower, AcknowledgesNothingOfAnOldTimelineAfterAFullResync) {
  FollowerOptions options;
  options.resume = ResumePoint{kReplid, Offset{500}};
  Session session(options);
  session.shake_hands(3);
  FollowerActions early;
  session.follower.acknowledge(Offset{500}, Offset{500}, session.now, early);
  session.receive("+FULLRESYNC " + kOtherId + " 20\r\n$1\r\nb");
  EXPECT_EQ(session.sent().back(), build_command({"REPLCONF", "ACK", "0"}));
}

TEST(Follower, TakesTheNewIdOfAPromotedSource) {
  FollowerOptions options;
  options.resume = ResumePoint{kReplid, Offset{500}};
  Session session(options);
  session.shake_hands(3);
  session.receive("+CONTINUE " + kOtherId + "\r\n");
  ASSERT_NE(session.last<ContinueAccepted>(), nullptr);
  EXPECT_TRUE(session.last<ContinueAccepted>()->renamed);
  EXPECT_EQ(session.last<ContinueAccepted>()->replid, kOtherId);
}

TEST(Follower, SortsRefusalsOfPsync) {
  for (const auto& [line, kind] : std::vector<std::pair<Bytes, ErrorKind>>{
           {"-LOADING Redis is loading the dataset in memory\r\n", ErrorKind::kUnavailable},
           {"-NOMASTERLINK Can't SYNC while not connected with my master\r\n", ErrorKind::kUnavailable},
           {"-NOPERM this user has no permissions to run the 'psync' command\r\n", ErrorKind::kPermissionDenied},
           {"-ERR unknown command 'PSYNC'\r\n", ErrorKind::kUnsupported},
           {"-SYNC and PSYNC are invalid with pending output\r\n", ErrorKind::kFailedPrecondition},
           {"+CONTINUE\r\n", ErrorKind::kDataLoss},
           {"+RDBCHANNELSYNC 7\r\n", ErrorKind::kUnsupported},
           {"+FULLRESYNC abc 1\r\n", ErrorKind::kDataLoss},
           {"+FULLRESYNC " + kReplid + "\r\n", ErrorKind::kDataLoss},
           {"+FULLRESYNC " + kReplid + " -1\r\n", ErrorKind::kDataLoss},
           {"+FULLRESYNC " + kReplid + " 99999999999999999999\r\n", ErrorKind::kDataLoss},
           {"+FULLRESYNC " + kReplid.substr(1) + "\x1b 1\r\n", ErrorKind::kDataLoss},
           {"+WHAT\r\n", ErrorKind::kDataLoss},
           {"HTTP/1.1 200 OK\r\n", ErrorKind::kFailedPrecondition},
           {Bytes("\x15\x03\x03\x00\x02\x02\x0a", 7), ErrorKind::kFailedPrecondition},
           {"+" + Bytes(10000, 'x'), ErrorKind::kDataLoss}}) {
    for (const std::size_t chunk : {std::size_t{1} << 20, std::size_t{1}}) {
      Session session;
      session.shake_hands(3);
      session.receive(line, chunk);
      ASSERT_NE(session.last<Refused>(), nullptr) << line;
      EXPECT_EQ(session.last<Refused>()->error.kind(), kind) << line << session.last<Refused>()->error.message();
      EXPECT_EQ(session.last<Refused>()->error.message().find('\x1b'), std::string::npos);
      session.receive("+CONTINUE\r\nmore");
      EXPECT_TRUE(session.stream.empty());
    }
  }
}

TEST(Follower, RefusesABaseOfAnImpossibleLength) {
  for (const Bytes& header :
       {Bytes("$-1\r\n"), Bytes("$0\r\n"), Bytes("$999999999999999999\r\n"), Bytes("$12a\r\n"),
        Bytes("$99999999999999999999999\r\n"), Bytes("$EOF:short\r\n"), Bytes("+OK\r\n"), "$" + Bytes(5000, '1')}) {
    Session session;
    session.shake_hands(3);
    session.receive("+FULLRESYNC " + kReplid + " 1\r\n" + header);
    ASSERT_NE(session.last<Refused>(), nullptr) << header;
    EXPECT_EQ(session.last<FullResyncStarted>(), nullptr) << header;
  }
}

TEST(Follower, RefusesAnEndlessDisklessBase) {
  FollowerOptions options;
  options.base_limit_bytes = 1000;
  Session session(options);
  session.shake_hands(3);
  session.receive("+FULLRESYNC " + kReplid + " 1\r\n$EOF:" + kMark + "\r\n" + Bytes(1001, 'x'), 100);
  ASSERT_NE(session.last<Refused>(), nullptr);
  EXPECT_EQ(session.last<Refused>()->error.kind(), ErrorKind::kResourceExhausted);
}

TEST(Follower, SaysWhenTheSourceGaveUpOnTheBase) {
  Session session;
  session.shake_hands(3);
  session.receive("+FULLRESYNC " + kReplid + " 1\r\n-ERR BGSAVE failed, replication can't continue\r\n");
  EXPECT_EQ(session.last<Refused>()->error.kind(), ErrorKind::kUnavailable);
  EXPECT_NE(session.last<Refused>()->error.message().find("BGSAVE failed"), std::string::npos);
}

TEST(Follower, SaysHowFarTheBaseCameWhenTheLinkIsClosed) {
  Session session;
  session.shake_hands(3);
  session.receive("+FULLRESYNC " + kReplid + " 1\r\n$100\r\n0123456789");
  session.follower.closed(session.actions);
  EXPECT_EQ(session.last<Refused>()->error.kind(), ErrorKind::kUnavailable);
  EXPECT_NE(session.last<Refused>()->error.message().find("10 of 100 bytes"), std::string::npos);
}

TEST(Follower, RefusesASilentSource) {
  Session session;
  session.shake_hands(3);
  session.advance(std::chrono::seconds(59));
  session.receive("\n");
  session.advance(std::chrono::seconds(59));
  EXPECT_EQ(session.last<Refused>(), nullptr);
  session.advance(std::chrono::seconds(1));
  ASSERT_NE(session.last<Refused>(), nullptr);
  EXPECT_EQ(session.last<Refused>()->error.kind(), ErrorKind::kDeadlineExceeded);
}

TEST(Follower, SurvivesAHostileSource) {
  SeededRandom random(42);
  const std::vector<Bytes> pieces = {"+PONG\r\n",
                                     "+OK\r\n",
                                     "\n",
                                     "-NOAUTH x\r\n",
                                     "+FULLRESYNC " + kReplid + " 5\r\n",
                                     "$EOF:" + kMark + "\r\n",
                                     "$7\r\n",
                                     kMark,
                                     "REDIS0011",
                                     "+CONTINUE\r\n",
                                     "+CONTINUE " + kOtherId + "\r\n",
                                     "-LOADING\r\n",
                                     "*1\r\n$4\r\nPING\r\n"};
  for (int round = 0; round < 5000; ++round) {
    Bytes wire = "+PONG\r\n+OK\r\n+OK\r\n";
    for (int i = 0; i < 6; ++i) wire += pieces[random.below(pieces.size())];
    if (round % 3 == 0) wire[random.below(wire.size())] = static_cast<char>(random.below(256));
    FollowerOptions options;
    if (round % 2 == 0) options.resume = ResumePoint{kReplid, Offset{9}};
    Session whole(options);
    whole.receive(wire);
    Session parts(options);
    parts.receive(wire, 1 + random.below(50));
    EXPECT_EQ(parts.follower.phase(), whole.follower.phase()) << wire;
    EXPECT_EQ(parts.base, whole.base) << wire;
    EXPECT_EQ(parts.stream, whole.stream) << wire;
    EXPECT_LE(whole.completions, 1);
    EXPECT_EQ(whole.follower.received().value, parts.follower.received().value);
  }
}

TEST(Follower, SortsRefusalsOfTheHandshake) {
  const auto refusal = [](FollowerOptions options, std::vector<Bytes> lines) -> std::optional<ErrorKind> {
    Session session(std::move(options));
    for (const Bytes& line : lines) session.receive(line);
    return session.last<Refused>() ? std::optional(session.last<Refused>()->error.kind()) : std::nullopt;
  };
  FollowerOptions with_password;
  with_password.password = Secret("p");
  EXPECT_EQ(refusal({}, {"-NOAUTH Authentication required.\r\n"}), ErrorKind::kUnauthenticated);
  EXPECT_EQ(refusal({}, {"-LOADING Redis is loading\r\n"}), ErrorKind::kUnavailable);
  EXPECT_EQ(refusal(with_password, {"-NOAUTH x\r\n", "-WRONGPASS invalid\r\n"}), ErrorKind::kUnauthenticated);
  EXPECT_EQ(refusal({}, {"-NOPERM no ping\r\n", "-NOPERM no replconf\r\n"}), ErrorKind::kPermissionDenied);
  EXPECT_EQ(refusal({}, {"+PONG\r\n", "-ERR Unrecognized REPLCONF option: capa\r\n"}), std::nullopt);
}

TEST(Follower, ForABaseAloneSaysSoAndNeverAcknowledges) {
  for (const std::string& header : {std::string("$4\r\n"), "$EOF:" + kMark + "\r\n"}) {
    FollowerOptions options;
    options.base_only = true;
    Session session(options);
    session.receive("+PONG\r\n+OK\r\n+OK\r\n-ERR Unrecognized REPLCONF option: rdb-only\r\n");
    const auto sent = session.sent();
    ASSERT_GE(sent.size(), 2u);
    EXPECT_EQ(sent[sent.size() - 2], build_command({"REPLCONF", "rdb-only", "1"}));
    EXPECT_EQ(sent.back(), build_command({"PSYNC", "?", "-1"}));
    const bool marked = header.starts_with("$EOF");
    session.receive("+FULLRESYNC " + kReplid + " 10\r\n" + header + "base" + (marked ? kMark : "") + "stream");
    session.advance(std::chrono::seconds(100));
    EXPECT_EQ(session.base, "base");
    EXPECT_EQ(session.completions, 1);
    EXPECT_EQ(session.stream, "");
    EXPECT_EQ(session.sent().size(), sent.size());
    EXPECT_EQ(session.follower.phase(), Follower::Phase::kBaseTaken);
  }
}

}  // namespace
}  // namespace anclora::redis
