// Against real redis-servers: what they loaded is compared by DEBUG DIGEST.
#include "redis/replication/feeder.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>

#include "base/testing/temporary_directory.h"
#include "base/testing/tls_authority.h"
#include "base/testing/witness.h"
#include "redis/rdb/crc64.h"
#include "redis/testing/random_commands.h"
#include "redis/testing/recording.h"

namespace anclora::redis {
namespace {

using namespace std::chrono_literals;

// Cuts a connection once it has written so many bytes, the last write half way.
class CuttingConnection final : public Connection {
 public:
  CuttingConnection(std::unique_ptr<Connection> inner, std::uint64_t bytes) : inner_(std::move(inner)), left_(bytes) {}
  Result<std::size_t> read_some(Bytes& out, std::size_t limit, Duration timeout) override {
    if (cut_) return Error(ErrorKind::kUnavailable, "cut");
    return inner_->read_some(out, limit, timeout);
  }
  Status write_all(ByteView bytes, Duration timeout) override {
    const ByteView passing = bytes.substr(0, std::min<std::uint64_t>(left_, bytes.size()));
    left_ -= passing.size();
    if (!cut_) RETURN_IF_ERROR(inner_->write_all(passing, timeout));
    cut_ = passing.size() < bytes.size();
    if (cut_) return Error(ErrorKind::kUnavailable, "cut");
    return {};
  }
  void interrupt() override { inner_->interrupt(); }
  Endpoint peer() const override { return inner_->peer(); }
  Endpoint local() const override { return inner_->local(); }

 private:
  std::unique_ptr<Connection> inner_;
  std::uint64_t left_;
  bool cut_ = false;
};

// The first connections are cut after the given numbers of bytes; later ones live.
class CuttingListener final : public Listener {
 public:
  CuttingListener(std::unique_ptr<Listener> inner, std::vector<std::uint64_t> cuts)
      : inner_(std::move(inner)), cuts_(std::move(cuts)) {}
  Result<std::unique_ptr<Connection>> accept(Duration timeout) override {
    ASSIGN_OR_RETURN(auto connection, inner_->accept(timeout));
    if (accepted_ == cuts_.size()) return connection;
    return std::make_unique<CuttingConnection>(std::move(connection), cuts_[accepted_++]);
  }
  void interrupt() override { inner_->interrupt(); }
  Endpoint local() const override { return inner_->local(); }

 private:
  std::unique_ptr<Listener> inner_;
  std::vector<std::uint64_t> cuts_;
  std::size_t accepted_ = 0;
};

std::unique_ptr<Listener> listener() { return listen_on({"127.0.0.1", 0}).value(); }

std::unique_ptr<Feeder> feed(FeedSource& source, FeederOptions options = {}) {
  return Feeder::start(source, listener(), system_clock(), system_random(), std::move(options));
}

void follow(RedisServer& target, const Feeder& feeder) {
  target.command({"REPLICAOF", "127.0.0.1", std::to_string(feeder.local().port)});
}

std::string digest(RedisServer& server) { return server.command({"DEBUG", "DIGEST"}).text; }

// A source server with random data, the recording of its base and of more random writes, and its digest at the end.
struct History {
  explicit History(std::uint64_t seed, std::size_t before = 3000, std::size_t after = 4000)
      : source(RedisServer::start({"repl-ping-replica-period 3600"})) {
    SeededRandom random(seed);
    run_random_commands(*source, random, before);
    recording = std::make_unique<Recording>(*source);
    recording->wait_for_base();
    run_random_commands(*source, random, after);
    recording->finish();
    expected = digest(*source);
  }
  std::unique_ptr<RedisServer> source;
  std::unique_ptr<Recording> recording;
  std::string expected;
};

void expect_restored(History& history, RedisServer& target, Feeder& feeder) {
  const Offset end = history.recording->end_offset();
  const Status done = feeder.wait_until_acknowledged(end, 150s);
  ASSERT_TRUE(done.has_value()) << done.error().to_string() << "\n" << target.log();
  EXPECT_EQ(digest(target), history.expected);
  EXPECT_EQ(target.info("replication").offset(), end);
  EXPECT_EQ(target.info("stats").number("unexpected_error_replies"), 0);
  target.command({"REPLICAOF", "NO", "ONE"});
  EXPECT_TRUE(target.info("replication").is_primary());
  EXPECT_EQ(target.info("replication").replid2(), feeder.replication_id());
  EXPECT_EQ(digest(target), history.expected);
}

class FeederToRealTarget : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(LoadModes, FeederToRealTarget, testing::Values("disabled", "swapdb", "on-empty-db"));

TEST_P(FeederToRealTarget, BringsAllTypesOverExactly) {
  History history(42);
  const auto target = RedisServer::start({std::string("repl-diskless-load ") + GetParam()});
  const auto feeder = feed(*history.recording);
  follow(*target, *feeder);
  expect_restored(history, *target, *feeder);
  EXPECT_EQ(feeder->progress().full_syncs, 1);
}

TEST_P(FeederToRealTarget, ReplacesWhatTheTargetHeld) {
  History history(43, 500, 500);
  const auto target = RedisServer::start({std::string("repl-diskless-load ") + GetParam()});
  SeededRandom random(1);
  run_random_commands(*target, random, 1000);
  const auto feeder = feed(*history.recording);
  follow(*target, *feeder);
  expect_restored(history, *target, *feeder);
}

TEST_P(FeederToRealTarget, ResumesAfterCutsInTheBaseAndInTheStream) {
  History history(44);
  const std::uint64_t base = history.recording->base_size_bytes();
  const std::uint64_t stream = history.recording->stream().size();
  const auto target = RedisServer::start({std::string("repl-diskless-load ") + GetParam()});
  FeederOptions options;
  options.chunk_bytes = 4096;
  // Cut in the base, in the stream, in the stream again, and before the answer to PSYNC.
  const auto feeder =
      Feeder::start(*history.recording,
                    std::make_unique<CuttingListener>(
                        listener(), std::vector<std::uint64_t>{base / 2, base + stream / 3, stream / 3, 10}),
                    system_clock(), system_random(), options);
  follow(*target, *feeder);
  expect_restored(history, *target, *feeder);
  EXPECT_EQ(feeder->progress().full_syncs, 2);
  EXPECT_GE(feeder->progress().continuations, 2);
}

TEST_P(FeederToRealTarget, NeverDeliversTheEndOfADamagedBase) {
  History history(45, 1000, 10);
  Bytes damaged = history.recording->base();
  // In what a server does not use. Over a damaged key it may fall itself, long before the end: one that is there twice
  // is a panic (Redis, rdbLoadRioWithLoadingCtx).
  const std::string_view unused = "redis-ver";
  ASSERT_NE(damaged.find(unused), Bytes::npos);
  const std::size_t place = damaged.find(unused) + unused.size() + 1;  // behind the length of the value
  damaged[place] = static_cast<char>(damaged[place] ^ 1);
  history.recording->replace_base(std::move(damaged));
  const auto target = RedisServer::start({std::string("repl-diskless-load ") + GetParam()});
  FeederOptions options;
  options.chunk_bytes = 1024;
  const auto feeder = feed(*history.recording, options);
  follow(*target, *feeder);
  const Status done = feeder->wait_until_done(150s);
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().kind(), ErrorKind::kDataLoss);
  system_clock().sleep_for(300ms);
  EXPECT_EQ(target->command({"PING"}).text, "PONG");  // it is alive
}

TEST(Feeder, KeepsATimeToLiveThatThePrimaryStillHonoured) {
  // The base holds a counter whose time to live is past when it is loaded, but was not when it was incremented: a start
  // from that file drops the counter first, and INCR then gives 1.
  const auto source = RedisServer::start({"repl-ping-replica-period 3600"});
  source->command({"DEBUG", "SET-ACTIVE-EXPIRE", "0"});
  std::unique_ptr<Recording> recording;
  // As short as this machine allows: it has to last from SET to INCR.
  for (auto lives = 400ms; source->command({"GET", "counter"}).text != "11"; lives *= 2) {
    ASSERT_LT(lives, 60s);
    source->command({"SET", "counter", "10", "PX", std::to_string(lives.count())});
    const MonoTime set = system_clock().mono_now();
    recording = std::make_unique<Recording>(*source);
    recording->wait_for_base();
    source->command({"INCR", "counter"});
    source->command({"PERSIST", "counter"});
    recording->finish();
    while (system_clock().mono_now() - set < lives) system_clock().sleep_for(10ms);
  }
  const auto target = RedisServer::start();
  const auto feeder = feed(*recording);
  follow(*target, *feeder);
  ASSERT_TRUE(feeder->wait_until_acknowledged(recording->end_offset(), 150s).has_value());
  EXPECT_EQ(target->command({"GET", "counter"}).text, "11");
}

TEST(Feeder, AsksForThePasswordAndServesOnlyWithIt) {
  History history(46, 100, 100);
  const auto target = RedisServer::start();
  FeederOptions options;
  options.password = Secret("s3cret");
  const auto feeder = feed(*history.recording, options);
  follow(*target, *feeder);
  system_clock().sleep_for(300ms);
  EXPECT_EQ(feeder->progress().full_syncs, 0);
  target->command({"CONFIG", "SET", "masterauth", "s3cret"});
  expect_restored(history, *target, *feeder);
}

TEST(Feeder, RefusesPeersThatAreNotAllowedAndSaysWho) {
  History history(47, 100, 100);
  const auto target = RedisServer::start();
  FeederOptions options;
  options.allowed_peers = {"10.1.2.3"};
  const auto feeder = feed(*history.recording, options);
  follow(*target, *feeder);
  for (int i = 0; i < 15'000 && feeder->progress().refused_peers == 0; ++i) system_clock().sleep_for(10ms);
  const Status done = feeder->wait_until_done(500ms);
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().kind(), ErrorKind::kDeadlineExceeded);
  EXPECT_NE(done.error().message().find("refused: 127.0.0.1"), std::string::npos) << done.error().message();
  EXPECT_GE(feeder->progress().refused_peers, 1);
}

TEST(Feeder, TellsThatTheTargetDiedOnTheWay) {
  History history(48, 2000, 100);
  const auto target = RedisServer::start(
      {"repl-diskless-load swapdb", "key-load-delay 20000", "loading-process-events-interval-bytes 1024"});
  FeederOptions options;
  options.chunk_bytes = 1024;
  const auto feeder = feed(*history.recording, options);
  follow(*target, *feeder);
  while (feeder->progress().full_syncs == 0) system_clock().sleep_for(5ms);
  target->kill9();
  for (int i = 0; i < 15'000 && !feeder->progress().last_link_error; ++i) system_clock().sleep_for(10ms);
  EXPECT_TRUE(feeder->progress().last_link_error.has_value());
  const Status done = feeder->wait_until_done(500ms);
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().kind(), ErrorKind::kDeadlineExceeded);
  EXPECT_NE(done.error().message().find("acknowledged nothing"), std::string::npos) << done.error().message();
}

TEST(Feeder, GivesUpOnATargetThatCannotLoadTheBase) {
  History history(49, 200, 10);
  // A version that no server knows, with a right checksum: the target takes all of it, refuses, and asks again at once.
  Bytes base = history.recording->base();
  base.replace(5, 4, "9999");
  base.resize(base.size() - 8);
  ByteWriter crc;
  crc.u64(crc64(0, base));
  history.recording->replace_base(base + crc.bytes());
  const auto target = RedisServer::start({"repl-diskless-load swapdb"});
  const auto feeder = feed(*history.recording);
  follow(*target, *feeder);
  const Status done = feeder->wait_until_done(150s);
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().kind(), ErrorKind::kFailedPrecondition) << done.error().to_string();
}

TEST(Feeder, IsNotHeldUpByHostileConnections) {
  History history(50, 500, 500);
  FeederOptions options;
  options.handshake_timeout = 3s;
  const auto feeder = feed(*history.recording, options);
  std::vector<std::unique_ptr<Connection>> hostile;
  const auto connect = [&](ByteView bytes) {
    hostile.push_back(system_dialer().dial(feeder->local(), nullptr, 60s).value());
    ignore_result(hostile.back()->write_all(bytes, 60s));  // it may be cut meanwhile
  };
  connect("GET / HTTP/1.1\r\n\r\n");
  connect("*1000000000\r\n");
  connect(Bytes(1 * kMiB, 'x'));
  connect("*3\r\n$5\r\nPSYNC");  // and no more
  const auto target = RedisServer::start();
  follow(*target, *feeder);
  expect_restored(history, *target, *feeder);
  // The slow one is gone after its time.
  Bytes rest;
  EXPECT_EQ(hostile.back()->read_some(rest, 100, 150s).value_or(99), 0U);
}

// Yields its bytes in small pieces with long pauses.
class SlowSource final : public ByteSource {
 public:
  explicit SlowSource(std::unique_ptr<ByteSource> inner) : inner_(std::move(inner)) {}
  Result<std::size_t> read_some(Bytes& out, std::size_t limit) override {
    system_clock().sleep_for(120ms);
    return inner_->read_some(out, std::min<std::size_t>(limit, 20'000));
  }

 private:
  std::unique_ptr<ByteSource> inner_;
};

class SlowFeed final : public FeedSource {
 public:
  explicit SlowFeed(FeedSource& inner) : inner_(inner) {}
  std::uint64_t base_size_bytes() const override { return inner_.base_size_bytes(); }
  Offset base_offset() const override { return inner_.base_offset(); }
  Result<std::unique_ptr<ByteSource>> open_base() override {
    ASSIGN_OR_RETURN(auto base, inner_.open_base());
    return std::make_unique<SlowSource>(std::move(base));
  }
  Result<std::unique_ptr<ByteSource>> open_stream(Offset after) override {
    if (failing_) return Error(ErrorKind::kDataLoss, "log entry 7 does not decode");
    ASSIGN_OR_RETURN(auto stream, inner_.open_stream(after));
    return std::make_unique<SlowSource>(std::move(stream));
  }
  void fail_the_stream() { failing_ = true; }

 private:
  FeedSource& inner_;
  std::atomic<bool> failing_ = false;
};

TEST(Feeder, WaitsForASlowSourceWithoutLosingTheTarget) {
  History history(52, 600, 600);
  SlowFeed slow(*history.recording);
  const auto target = RedisServer::start();
  const auto feeder = feed(slow);
  follow(*target, *feeder);
  expect_restored(history, *target, *feeder);
  EXPECT_EQ(feeder->progress().full_syncs, 1);
}

TEST(Feeder, EndsWithTheErrorOfItsSource) {
  History history(53, 100, 100);
  SlowFeed source(*history.recording);
  source.fail_the_stream();
  const auto target = RedisServer::start();
  const auto feeder = feed(source);
  follow(*target, *feeder);
  const Status done = feeder->wait_until_done(150s);
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().message(), "log entry 7 does not decode");
}

TEST(Feeder, ServesOverTls) {
  History history(54, 500, 500);
  const TemporaryDirectory folder;
  const TlsAuthority authority(folder.path(), "ours");
  const TlsOptions ours = authority.issue("feeder", "IP:127.0.0.1");
  // tls-replication makes the target dial us with TLS; it shows and wants certificates of the same authority.
  const TlsOptions its = authority.issue("target", "IP:127.0.0.1");
  const auto target = RedisServer::start({"tls-replication yes", "tls-cert-file " + its.certificate_file,
                                          "tls-key-file " + its.key_file, "tls-ca-cert-file " + authority.ca_file()});
  auto tls_listener = listen_on({"127.0.0.1", 0}, &ours);
  ASSERT_TRUE(tls_listener.has_value()) << tls_listener.error().to_string();
  const auto feeder = Feeder::start(*history.recording, std::move(*tls_listener), system_clock(), system_random());
  follow(*target, *feeder);
  expect_restored(history, *target, *feeder);
}

TEST(Feeder, StopsAtOnceWhileATargetIsAttached) {
  History history(51, 100, 100);
  const auto target = RedisServer::start();
  auto feeder = feed(*history.recording);
  follow(*target, *feeder);
  ASSERT_TRUE(feeder->wait_until_acknowledged(history.recording->end_offset(), 150s).has_value());
  Witness witness;
  const MonoTime begin = system_clock().mono_now();
  feeder->stop();
  EXPECT_EQ(feeder->wait_until_acknowledged(Offset{1ULL << 60}, 10s).error().kind(), ErrorKind::kCancelled);
  feeder.reset();
  EXPECT_LT(system_clock().mono_now() - begin, witness.limit(1s));
}

}  // namespace
}  // namespace anclora::redis
