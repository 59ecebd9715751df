#include "redis/replication/replication_link.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <thread>

#include "base/testing/tls_authority.h"
#include "base/testing/witness.h"
#include "redis/rdb/rdb_summary.h"
#include "redis/resp/command_parser.h"
#include "redis/testing/redis_server.h"

namespace anclora::redis {
namespace {

constexpr Duration kPatience = std::chrono::seconds(150);

void wait_until(const std::function<bool()>& reached, const char* what) {
  const MonoTime deadline = system_clock().mono_now() + kPatience;
  while (!reached()) {
    if (system_clock().mono_now() > deadline) throw std::runtime_error(std::string("waited in vain: ") + what);
    system_clock().sleep_for(std::chrono::milliseconds(2));
  }
}

class Recorder : public ReplicaSink {
 public:
  Status on_base_started(const FullResyncStarted& event) override {
    const std::lock_guard lock(mutex_);
    started_ = event;
    return {};
  }
  Status on_base_bytes(ByteView bytes) override {
    const std::lock_guard lock(mutex_);
    base_ += bytes;
    return {};
  }
  Status on_base_complete() override {
    const std::lock_guard lock(mutex_);
    complete_ = true;
    return {};
  }
  Status on_continue(const ContinueAccepted& event) override {
    const std::lock_guard lock(mutex_);
    continued_ = event;
    return {};
  }
  Status on_stream_bytes(ByteView bytes, Offset first) override {
    const std::lock_guard lock(mutex_);
    if (stream_.empty()) first_ = first;
    EXPECT_EQ(first, first_ + stream_.size());
    stream_ += bytes;
    return stream_.size() >= cancel_at_ ? Status(Error(ErrorKind::kCancelled, "enough")) : Status();
  }
  bool complete() { return locked(complete_); }
  Bytes base() { return locked(base_); }
  Bytes stream() { return locked(stream_); }
  Offset first() { return locked(first_); }
  std::optional<FullResyncStarted> started() { return locked(started_); }
  std::optional<ContinueAccepted> continued() { return locked(continued_); }
  void cancel_at(std::size_t bytes) { cancel_at_ = bytes; }
  // As long as it is held, the link's thread stands still in its next call.
  std::unique_lock<std::mutex> hold() { return std::unique_lock(mutex_); }

 private:
  template <class T>
  T locked(const T& value) {
    const std::lock_guard lock(mutex_);
    return value;
  }
  std::mutex mutex_;
  std::optional<FullResyncStarted> started_;
  std::optional<ContinueAccepted> continued_;
  bool complete_ = false;
  Bytes base_, stream_;
  Offset first_;
  std::atomic<std::size_t> cancel_at_{SIZE_MAX};
};

// A link in its own thread.
class Attached {
 public:
  explicit Attached(const RedisUrl& url, std::optional<ResumePoint> resume = {},
                    std::function<void(FollowerOptions&)> change = {}) {
    FollowerOptions options;
    options.user = url.user;
    options.password = url.password;
    options.announced_version = "7.0.15";
    options.resume = std::move(resume);
    if (change) change(options);
    auto connection = system_dialer().dial(url.endpoint, url.tls_or_null(), std::chrono::seconds(5));
    if (!connection) throw std::runtime_error(connection.error().to_string());
    link_ = std::make_unique<ReplicationLink>(std::move(*connection), options, system_clock());
    thread_ = std::thread([this] {
      status_ = link_->run(sink);
      ended_ = true;
    });
  }
  ~Attached() {
    link_->stop();
    if (thread_.joinable()) thread_.join();
  }
  Status stop() {
    link_->stop();
    return wait();
  }
  Status wait() {
    thread_.join();
    return status_;
  }
  bool ended() const { return ended_; }
  ReplicationLink& link() { return *link_; }
  Recorder sink;

 private:
  std::unique_ptr<ReplicationLink> link_;
  std::thread thread_;
  Status status_;
  std::atomic<bool> ended_{false};
};

void wait_for_offset(Attached& attached, RedisServer& server) {
  wait_until([&] { return attached.sink.complete() || attached.sink.continued(); }, "the base");
  const Offset target = *server.info("replication").offset();
  wait_until([&] { return attached.link().received() >= target; }, "the stream");
  EXPECT_EQ(attached.link().received(), target);
}

void expect_exact(const std::vector<std::string>& more_config) {
  std::vector<std::string> config = {"repl-ping-replica-period 3600"};
  config.insert(config.end(), more_config.begin(), more_config.end());
  const auto server = RedisServer::start(config);
  for (int i = 0; i < 2000; ++i) server->command({"SET", "before:" + std::to_string(i), std::string(300, 'b')});
  Attached attached(server->url());
  wait_until([&] { return attached.sink.complete(); }, "the base");
  const Bytes big(3 * kMiB, 'x');
  server->command({"SET", "after", "1"});
  server->command({"SELECT", "4"});
  server->command({"SET", "big", big});
  server->command({"EVAL", "redis.call('incr','a') redis.call('incr','b')", "0"});
  wait_for_offset(attached, *server);
  const Bytes expected = build_command({"SELECT", "0"}) + build_command({"SET", "after", "1"}) +
                         build_command({"SELECT", "4"}) + build_command({"SET", "big", big}) +
                         build_command({"MULTI"}) + build_command({"incr", "a"}) + build_command({"incr", "b"}) +
                         build_command({"EXEC"});
  EXPECT_EQ(attached.sink.stream(), expected);
  EXPECT_EQ(attached.sink.first(), attached.sink.started()->offset + 1);
  EXPECT_EQ(attached.sink.started()->replid, server->info("replication").replid());
  const Bytes base = attached.sink.base();
  RdbSummary summary;
  ASSERT_TRUE(summary.feed(base).has_value());
  const auto facts = summary.finish();
  ASSERT_TRUE(facts.has_value()) << facts.error().message();
  EXPECT_EQ(facts->checksum, RdbChecksum::kVerified);
  if (attached.sink.started()->length_bytes) {
    EXPECT_EQ(base.size(), attached.sink.started()->length_bytes);
    std::ifstream file(server->directory() + "/dump.rdb", std::ios::binary);
    EXPECT_EQ(base, Bytes(std::istreambuf_iterator<char>(file), {}));
  }
  EXPECT_TRUE(attached.stop().has_value());
}

TEST(ReplicationLink, StillTakesAfterStopWhatTheSourceHadSent) {
  const auto server = RedisServer::start({"repl-ping-replica-period 3600"});
  Attached attached(server->url());
  server->command({"SET", "before", "1"});
  wait_for_offset(attached, *server);
  const MonoTime heard = attached.link().last_heard();
  {
    const auto held = attached.sink.hold();
    server->command({"SET", "held", "1"});
    wait_until([&] { return attached.link().last_heard() > heard; }, "the first of two");
    server->command({"SET", "sent", "1"});
    attached.link().stop();
  }
  EXPECT_TRUE(attached.wait().has_value());
  EXPECT_TRUE(
      attached.sink.stream().ends_with(build_command({"SET", "held", "1"}) + build_command({"SET", "sent", "1"})));
}

TEST(ReplicationLink, TakesADiskBackedBaseAndTheStreamByteForByte) { expect_exact({"repl-diskless-sync no"}); }

TEST(ReplicationLink, TakesADisklessBaseAndTheStreamByteForByte) { expect_exact({"repl-diskless-sync yes"}); }

TEST(ReplicationLink, LooksLikeAReplicaThatNobodyCanPromote) {
  const auto server = RedisServer::start();
  Attached attached(server->url());
  wait_until([&] { return attached.sink.complete(); }, "the base");
  wait_until([&] { return server->info("replication").replicas().at(0).state == "online"; }, "online");
  EXPECT_EQ(server->info("replication").replicas().at(0).port, 0);
}

TEST(ReplicationLink, ResumesWhereItStopped) {
  const auto server = RedisServer::start();
  ResumePoint resume;
  {
    Attached attached(server->url());
    wait_until([&] { return attached.sink.complete(); }, "the base");
    server->command({"SET", "one", "1"});
    wait_for_offset(attached, *server);
    resume = {attached.sink.started()->replid, attached.link().received()};
  }
  server->command({"SET", "two", "2"});
  Attached again(server->url(), resume);
  wait_for_offset(again, *server);
  ASSERT_TRUE(again.sink.continued().has_value());
  EXPECT_FALSE(again.sink.continued()->renamed);
  EXPECT_EQ(again.sink.first(), resume.last_received + 1);
  EXPECT_TRUE(again.sink.stream().starts_with(build_command({"SET", "two", "2"}))) << again.sink.stream();
}

TEST(ReplicationLink, FollowsAPromotedReplicaUnderItsNewId) {
  const auto old_primary = RedisServer::start();
  const auto replica = RedisServer::start({"replicaof 127.0.0.1 " + old_primary->port_text()});
  replica->wait_for_link_up();
  ResumePoint resume;
  {
    Attached attached(old_primary->url());
    wait_until([&] { return attached.sink.complete(); }, "the base");
    old_primary->command({"SET", "one", "1"});
    wait_for_offset(attached, *old_primary);
    resume = {attached.sink.started()->replid, attached.link().received()};
    wait_until([&] { return replica->info("replication").offset() >= resume.last_received; }, "the replica");
  }
  old_primary->kill9();
  replica->command({"REPLICAOF", "NO", "ONE"});
  replica->command({"SET", "two", "2"});
  Attached again(replica->url(), resume);
  wait_for_offset(again, *replica);
  ASSERT_TRUE(again.sink.continued().has_value());
  EXPECT_TRUE(again.sink.continued()->renamed);
  EXPECT_EQ(again.sink.continued()->replid, replica->info("replication").replid());
  EXPECT_NE(again.sink.stream().find(build_command({"SET", "two", "2"})), Bytes::npos);
}

TEST(ReplicationLink, StartsOverWhenTheSourceForgot) {
  const auto server = RedisServer::start();
  Attached attached(server->url(), ResumePoint{std::string(40, 'a'), Offset{12345}});
  wait_until([&] { return attached.sink.complete(); }, "the base");
  EXPECT_FALSE(attached.sink.continued().has_value());
  EXPECT_EQ(attached.sink.started()->replid, server->info("replication").replid());
}

TEST(ReplicationLink, MakesWaitCountWhatIsDurable) {
  const auto server = RedisServer::start();
  Attached attached(server->url());
  wait_until([&] { return attached.sink.complete(); }, "the base");
  const auto client = server->client();
  ASSERT_TRUE(client->command({"SET", "k", "v"}).has_value());
  EXPECT_EQ(client->command({"WAIT", "1", "300"})->integer, 0);
  ASSERT_TRUE(client->command({"SET", "k", "w"}).has_value());
  wait_for_offset(attached, *server);
  std::thread storing([&] {
    system_clock().sleep_for(std::chrono::milliseconds(50));
    attached.link().acknowledge(attached.link().received());
  });
  Witness witness;
  const MonoTime before = system_clock().mono_now();
  EXPECT_EQ(client->command({"WAIT", "1", "60000"}, kPatience)->integer, 1);
  EXPECT_LT(system_clock().mono_now() - before, witness.limit(std::chrono::milliseconds(500)));
  storing.join();
}

TEST(ReplicationLink, EndsCleanlyWhenTheSinkHasEnough) {
  const auto server = RedisServer::start();
  Attached attached(server->url());
  attached.sink.cancel_at(10);
  wait_until([&] { return attached.sink.complete(); }, "the base");
  server->command({"SET", "k", "v"});
  wait_until([&] { return attached.ended(); }, "the end");
  EXPECT_TRUE(attached.wait().has_value());
}

TEST(ReplicationLink, SurvivesAcknowledgementsFromManyThreads) {
  const auto server = RedisServer::start();
  Attached attached(server->url());
  wait_until([&] { return attached.sink.complete(); }, "the base");
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) attached.link().acknowledge(attached.link().received());
    });
  }
  for (int i = 0; i < 2000; ++i) server->command({"SET", std::to_string(i), "v"});
  for (std::thread& thread : threads) thread.join();
  wait_for_offset(attached, *server);
  EXPECT_FALSE(attached.ended());
  EXPECT_TRUE(attached.stop().has_value());
}

TEST(ReplicationLink, SignsInWithTheFewestRights) {
  RedisServerOptions options;
  options.config = {"requirepass admin-pw", "user dr on >dr-pw -@all +ping +psync +replconf",
                    "user bare on >bare-pw -@all +psync +replconf", "user poor on >poor-pw -@all +ping"};
  options.password = "admin-pw";
  const auto server = RedisServer::start(options);
  const auto as = [&](std::string user, std::string password) {
    RedisUrl url = server->url();
    url.user = std::move(user);
    url.password = Secret(std::move(password));
    return url;
  };
  for (const RedisUrl& url : {as("dr", "dr-pw"), as("bare", "bare-pw"), as("", "admin-pw")}) {
    Attached attached(url);
    wait_until([&] { return attached.sink.complete() || attached.ended(); }, "the base");
    EXPECT_TRUE(attached.sink.complete()) << url.user;
  }
  for (const auto& [url, kind] :
       std::vector<std::pair<RedisUrl, ErrorKind>>{{as("dr", "wrong"), ErrorKind::kUnauthenticated},
                                                   {as("", ""), ErrorKind::kUnauthenticated},
                                                   {as("poor", "poor-pw"), ErrorKind::kPermissionDenied}}) {
    Attached attached(url);
    const Status status = attached.wait();
    ASSERT_FALSE(status.has_value());
    EXPECT_EQ(status.error().kind(), kind) << status.error().to_string();
    EXPECT_FALSE(status.error().hint().empty());
  }
}

TEST(ReplicationLink, AsksAReplicaInMidSyncToBeTriedLater) {
  const auto replica = RedisServer::start({"replicaof 127.0.0.1 " + std::to_string(free_loopback_port())});
  Attached attached(replica->url());
  const Status status = attached.wait();
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().kind(), ErrorKind::kUnavailable) << status.error().to_string();
  EXPECT_NE(status.error().hint().find("replica"), std::string::npos);
}

TEST(ReplicationLink, AsksALoadingSourceToBeTriedLater) {
  const auto server =
      RedisServer::start({"key-load-delay 20000", "loading-process-events-interval-bytes 1024", "rdbcompression no"});
  for (int i = 0; i < 2000; ++i) server->command({"SET", std::to_string(i), std::string(100, 'x')});
  server->command({"SAVE"});
  server->kill9();
  std::thread starter([&] { server->start_again(); });
  // It loads until it is told to hurry.
  Result<std::unique_ptr<Client>> client = Error(ErrorKind::kUnavailable, "not yet");
  while (!client) client = Client::connect(server->url(), system_dialer(), system_clock());
  const Status status = Attached(server->url()).wait();
  const auto hurried = (*client)->command({"CONFIG", "SET", "key-load-delay", "0"}, kPatience);
  starter.join();
  EXPECT_TRUE(hurried.has_value());
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().kind(), ErrorKind::kUnavailable) << status.error().to_string();
  EXPECT_NE(status.error().message().find("LOADING"), std::string::npos) << status.error().to_string();
}

TEST(ReplicationLink, ChainsBehindAReplica) {
  const auto primary = RedisServer::start();
  const auto replica = RedisServer::start({"replicaof 127.0.0.1 " + primary->port_text()});
  replica->wait_for_link_up();
  Attached attached(replica->url());
  wait_until([&] { return attached.sink.complete(); }, "the base");
  primary->command({"SET", "k", "v"});
  wait_until([&] { return attached.sink.stream().find(build_command({"SET", "k", "v"})) != Bytes::npos; }, "the write");
  EXPECT_EQ(attached.sink.started()->replid, primary->info("replication").replid());
}

TEST(ReplicationLink, ReportsASourceThatDies) {
  const auto server = RedisServer::start();
  Attached attached(server->url());
  wait_until([&] { return attached.sink.complete(); }, "the base");
  server->kill9();
  const Status status = attached.wait();
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().kind(), ErrorKind::kUnavailable);
}

TEST(ReplicationLink, ReportsASourceThatFreezes) {
  const auto server = RedisServer::start();
  Attached attached(server->url(), {}, [](FollowerOptions& o) { o.silence_limit = std::chrono::milliseconds(300); });
  server->pause();
  const Status status = attached.wait();
  server->resume();
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().kind(), ErrorKind::kDeadlineExceeded);
}

TEST(ReplicationLink, LetsAPlannedShutdownWaitForTheLastByte) {
  const auto server = RedisServer::start({"shutdown-timeout 150"});
  Attached attached(server->url(), {}, [](FollowerOptions& o) { o.acknowledge_received = true; });
  wait_until([&] { return attached.sink.complete(); }, "the base");
  server->command({"SET", "last", "write"});
  Witness witness;
  const MonoTime before = system_clock().mono_now();
  EXPECT_EQ(server->stop(kPatience), 0);
  EXPECT_LT(system_clock().mono_now() - before, witness.limit(std::chrono::seconds(5)));
  EXPECT_NE(attached.sink.stream().find("write"), Bytes::npos);
}

TEST(ReplicationLink, ReplicatesOverTls) {
  const TemporaryDirectory folder;
  const TlsAuthority authority(folder.path(), "test");
  const TlsOptions issued = authority.issue("server", "IP:127.0.0.1");
  RedisServerOptions options;
  options.config = {"tls-cert-file " + issued.certificate_file, "tls-key-file " + issued.key_file,
                    "tls-ca-cert-file " + authority.ca_file(), "tls-auth-clients no", "tls-replication yes"};
  options.tls = TlsOptions{};
  options.tls->ca_file = authority.ca_file();
  const auto server = RedisServer::start(options);
  for (int i = 0; i < 500; ++i) server->command({"SET", std::to_string(i), std::string(4000, 'x')});
  Attached attached(server->url());
  wait_until([&] { return attached.sink.complete(); }, "the base");
  for (int i = 0; i < 500; ++i) server->command({"SET", std::to_string(i), std::string(4000, 'y')});
  wait_for_offset(attached, *server);
  EXPECT_TRUE(attached.stop().has_value());
}

TEST(ReplicationLink, StreamParsesToTheEnd) {
  const auto server = RedisServer::start({"repl-ping-replica-period 1"});
  Attached attached(server->url());
  wait_until([&] { return attached.sink.complete(); }, "the base");
  for (int i = 0; i < 300; ++i) {
    server->command({"SELECT", std::to_string(i % 16)});
    server->command({"EVAL", "redis.call('set', KEYS[1], 1, 'EX', 100) redis.call('lpush', KEYS[2], 1)", "2",
                     "s" + std::to_string(i), "l" + std::to_string(i)});
  }
  wait_for_offset(attached, *server);
  struct Count : CommandVisitor {
    void on_command(const Command& command) override { last = command.last; }
    Offset last;
  } count;
  StreamState start;
  start.offset = attached.sink.started()->offset;
  CommandParser parser(start);
  const Bytes stream = attached.sink.stream();
  ASSERT_TRUE(parser.feed(stream, count).has_value());
  EXPECT_FALSE(parser.in_command());
  EXPECT_EQ(parser.state().boundary, count.last);
  EXPECT_EQ(parser.state().offset, start.offset + stream.size());
  EXPECT_EQ(parser.state().database, 299u % 16);
}

}  // namespace
}  // namespace anclora::redis
