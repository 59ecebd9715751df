#include "redis/replication/feeder_protocol.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace anclora::redis {
namespace {

const std::string kId = "0123456789abcdef0123456789abcdef01234567";

FeederIdentity identity(std::string password = "") {
  return {.replication_id = kId, .base_offset = Offset{1000}, .user = "", .password = Secret(std::move(password))};
}

Bytes command(const std::vector<std::string>& words) {
  Bytes out = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) out += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return out;
}

TEST(FeederProtocol, AnswersTheHandshakeOfARealTargetInAnyPieces) {
  // AUTH and the REPLCONFs arrive pipelined; a former primary gives its own id.
  const Bytes said = command({"PING"}) + command({"AUTH", "s3cret"}) + command({"REPLCONF", "listening-port", "6380"}) +
                     command({"REPLCONF", "ip-address", "10.0.0.7"}) +
                     command({"REPLCONF", "capa", "eof", "capa", "psync2", "capa", "rdb-channel-repl"}) +
                     command({"REPLCONF", "version", "8.0.1"}) +
                     command({"PSYNC", "ffffffffffffffffffffffffffffffffffffffff", "1"});
  const FeederIdentity who = identity("s3cret");
  for (std::size_t piece = 1; piece < said.size(); piece += 3) {
    FeederProtocol protocol(who, Offset{1000});
    for (std::size_t at = 0; at < said.size(); at += piece)
      ASSERT_TRUE(protocol.receive(ByteView(said).substr(at, piece)).has_value());
    EXPECT_EQ(protocol.take_output(), "-NOAUTH Authentication required.\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n");
    const auto request = protocol.take_sync_request();
    ASSERT_TRUE(request.has_value());
    EXPECT_TRUE(request->full);
    EXPECT_EQ(protocol.answer(*request), "+FULLRESYNC " + kId + " 1000\r\n");
    EXPECT_EQ(protocol.target().listening_port, 6380);
    EXPECT_EQ(protocol.target().version, "8.0.1");
    EXPECT_EQ(protocol.target().announced_address, "10.0.0.7");
    EXPECT_FALSE(protocol.take_sync_request().has_value());
  }
}

TEST(FeederProtocol, NotesAcknowledgementsAndAnswersNothingOnceSynchronizing) {
  const FeederIdentity who = identity();
  FeederProtocol protocol(who, Offset{1000});
  ASSERT_TRUE(protocol.receive(command({"PSYNC", "?", "-1"})).has_value());
  EXPECT_TRUE(protocol.take_sync_request()->full);
  EXPECT_FALSE(protocol.acknowledged().has_value());
  ASSERT_TRUE(protocol.receive("\n\n\n" + command({"REPLCONF", "ACK", "1000"}) + "\n").has_value());
  EXPECT_EQ(protocol.acknowledged(), Offset{1000});
  ASSERT_TRUE(protocol.receive(command({"replconf", "ack", "1234", "FACK", "1200"})).has_value());
  EXPECT_EQ(protocol.acknowledged(), Offset{1234});
  EXPECT_EQ(protocol.take_output(), "");
  EXPECT_FALSE(protocol.receive(command({"INFO"})).has_value());
}

TEST(FeederProtocol, ContinuesOnlyWhereItHasSent) {
  const FeederIdentity who = identity();
  const auto asked = [&](const std::string& id, const std::string& next) {
    FeederProtocol protocol(who, Offset{5000});
    EXPECT_TRUE(protocol.receive(command({"PSYNC", id, next})).has_value());
    return *protocol.take_sync_request();
  };
  EXPECT_FALSE(asked(kId, "1001").full);
  EXPECT_EQ(asked(kId, "1001").after, Offset{1000});
  EXPECT_EQ(asked(kId, "5001").after, Offset{5000});
  EXPECT_TRUE(asked(kId, "5002").full);
  EXPECT_TRUE(asked(kId, "1000").full);
  EXPECT_TRUE(asked(kId, "0").full);
  EXPECT_TRUE(asked(kId, "-1").full);
  EXPECT_TRUE(asked("?", "1001").full);
  EXPECT_TRUE(asked(kId, "18446744073709551616").full);
}

TEST(FeederProtocol, ServesNobodyWithoutThePassword) {
  const FeederIdentity who = identity("s3cret");
  FeederProtocol protocol(who, Offset{1000});
  ASSERT_TRUE(protocol.receive(command({"PSYNC", "?", "-1"}) + command({"AUTH", "default", "wrong"})).has_value());
  EXPECT_FALSE(protocol.take_sync_request().has_value());
  EXPECT_EQ(protocol.take_output(),
            "-NOAUTH Authentication required.\r\n-WRONGPASS invalid username-password pair or user is disabled.\r\n");
  ASSERT_TRUE(protocol.receive(command({"AUTH", "wrong"})).has_value());
  const Status third = protocol.receive(command({"AUTH", "wrong"}));
  ASSERT_FALSE(third.has_value());
  EXPECT_EQ(third.error().kind(), ErrorKind::kUnauthenticated);
}

TEST(FeederProtocol, AcceptsAPasswordThatItDoesNotNeed) {
  const FeederIdentity who = identity();
  FeederProtocol protocol(who, Offset{1000});
  ASSERT_TRUE(protocol.receive(command({"AUTH", "default", "masterauth"})).has_value());
  EXPECT_EQ(protocol.take_output(), "+OK\r\n");
}

TEST(FeederProtocol, RefusesWhatNoReplicaSends) {
  const FeederIdentity who = identity();
  const auto receives = [&](const Bytes& bytes) {
    return FeederProtocol(who, Offset{1000}).receive(bytes).has_value();
  };
  EXPECT_FALSE(receives("*2000000000\r\n"));
  EXPECT_FALSE(receives("*2\r\n$2000000000\r\n"));
  EXPECT_FALSE(receives("*-1\r\n"));
  EXPECT_FALSE(receives("*1\r\n+PING\r\n"));
  EXPECT_FALSE(receives("*1\r\n$4\r\nPINGPONG\r\n"));
  EXPECT_FALSE(receives(Bytes(2000, 'x')));
  EXPECT_FALSE(receives("*" + Bytes(2000, '1')));
  EXPECT_FALSE(receives("*64\r\n" + [] {
    Bytes many;
    for (int i = 0; i < 63; ++i) many += "$4096\r\n" + Bytes(4096, 'x') + "\r\n";
    return many;
  }()));
}

TEST(FeederProtocol, AnswersOtherClientsWithoutServingThem) {
  const FeederIdentity who = identity();
  FeederProtocol protocol(who, Offset{1000});
  ASSERT_TRUE(protocol.receive("INFO replication\r\nSYNC\r\nREPLCONF rdb-only 1\r\n").has_value());
  const Bytes out = protocol.take_output();
  EXPECT_TRUE(out.starts_with("-ERR unknown command"));
  EXPECT_NE(out.find("-ERR SYNC"), Bytes::npos);
  EXPECT_NE(out.find("-ERR Unrecognized REPLCONF option: rdb-only"), Bytes::npos);
  EXPECT_FALSE(protocol.take_sync_request().has_value());
}

TEST(FeederProtocol, SurvivesRandomBytes) {
  SeededRandom random(5);
  const FeederIdentity who = identity();
  static constexpr std::string_view kAlphabet = "*$\r\n0123456789PINGSYCREPLOFACK ";
  for (int round = 0; round < 3000; ++round) {
    FeederProtocol protocol(who, Offset{1000});
    Bytes noise;
    for (std::uint64_t i = random.below(300); i > 0; --i)
      noise.push_back(kAlphabet[static_cast<std::size_t>(random.below(kAlphabet.size()))]);
    ignore_result(protocol.receive(noise));  // only that it returns, with bounded memory
    EXPECT_LT(protocol.take_output().size(), 64 * kKiB);
  }
}

}  // namespace
}  // namespace anclora::redis
