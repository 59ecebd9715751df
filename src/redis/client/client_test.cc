#include "redis/client/client.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/testing/tls_authority.h"
#include "redis/testing/redis_server.h"

namespace anclora::redis {
namespace {

Result<std::unique_ptr<Client>> connect(const RedisUrl& url, ClientOptions options = {}) {
  return Client::connect(url, system_dialer(), system_clock(), options);
}

RedisUrl with_sign_in(RedisUrl url, std::string user, std::string password) {
  url.user = std::move(user);
  url.password = Secret(std::move(password));
  return url;
}

// Accepts one connection, sends `answer` and closes or holds it.
class Stranger {
 public:
  Stranger(Bytes answer, bool close) : listener_(*listen_on({"127.0.0.1", 0})) {
    thread_ = std::thread([this, answer = std::move(answer), close] {
      auto connection = listener_->accept(std::chrono::seconds(10));
      if (!connection) return;
      if (!answer.empty()) ignore_result((*connection)->write_all(answer, std::chrono::seconds(5)));
      Bytes in;
      // The request is read first: closing with unread bytes would reset the connection.
      ignore_result((*connection)->read_some(in, 4096, std::chrono::seconds(5)));
      if (!close) ignore_result((*connection)->read_some(in, 4096, std::chrono::seconds(5)));
    });
  }
  ~Stranger() { thread_.join(); }
  RedisUrl url() const {
    RedisUrl url;
    url.endpoint = listener_->local();
    return url;
  }

 private:
  std::unique_ptr<Listener> listener_;
  std::thread thread_;
};

TEST(Client, RunsCommandsAgainstARealServer) {
  const auto server = RedisServer::start();
  const auto client = server->client();
  EXPECT_EQ(client->command({"SET", "k", "v\r\n"})->text, "OK");
  EXPECT_EQ(client->command({"GET", "k"})->text, "v\r\n");
  EXPECT_TRUE(client->command({"GET", "absent"})->is_null());
  EXPECT_EQ(client->command({"DBSIZE"})->integer, 1);
  EXPECT_EQ(client->config_get("appendonly").value(), "no");
  EXPECT_EQ(client->config_get("no-such-setting").error().kind(), ErrorKind::kNotFound);
  EXPECT_TRUE(client->info()->is_primary());
}

TEST(Client, KeepsTheConnectionAfterAnErrorReply) {
  const auto server = RedisServer::start();
  const auto client = server->client();
  const auto refused = client->command({"LPUSH"});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kFailedPrecondition);
  EXPECT_EQ(client->command({"NOSUCH"}).error().kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(client->command({"PING"})->text, "PONG");
}

TEST(Client, PipelinesManyCommandsInOrder) {
  const auto server = RedisServer::start();
  const auto client = server->client();
  std::vector<std::vector<std::string>> commands;
  for (int i = 0; i < 20000; ++i) commands.push_back({"RPUSH", "list", std::to_string(i)});
  commands.push_back({"INCR", "list"});
  const auto replies = client->pipeline(commands);
  ASSERT_TRUE(replies.has_value());
  ASSERT_EQ(replies->size(), commands.size());
  EXPECT_EQ((*replies)[19999].integer, 20000);
  EXPECT_EQ((*replies)[20000].error_code(), "WRONGTYPE");
}

TEST(Client, SelectsTheDatabaseOfTheUrl) {
  const auto server = RedisServer::start();
  RedisUrl url = server->url();
  url.database = 5;
  ASSERT_TRUE((*connect(url))->command({"SET", "k", "v"}).has_value());
  EXPECT_EQ(server->info("keyspace").keyspaces().at(0).database, 5u);
  url.database = 99;
  EXPECT_EQ(connect(url).error().kind(), ErrorKind::kFailedPrecondition);
}

TEST(Client, TellsAWrongPasswordFromAMissingAndAnUnwantedOne) {
  const auto open = RedisServer::start();
  RedisServerOptions options;
  options.config = {"requirepass s3cret-pw", "user limited on >other-pw ~* -@all +ping +get"};
  options.password = "s3cret-pw";
  const auto locked = RedisServer::start(options);
  EXPECT_TRUE(connect(with_sign_in(locked->url(), "", "s3cret-pw")).has_value());
  EXPECT_TRUE(connect(with_sign_in(locked->url(), "default", "s3cret-pw")).has_value());
  for (const RedisUrl& url : {with_sign_in(locked->url(), "", ""), with_sign_in(locked->url(), "", "wrong-pw"),
                              with_sign_in(locked->url(), "nobody", "s3cret-pw"),
                              with_sign_in(open->url(), "", "unwanted-pw"), with_sign_in(open->url(), "user", "")}) {
    const auto refused = connect(url);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind(), ErrorKind::kUnauthenticated) << refused.error().to_string();
    EXPECT_FALSE(refused.error().hint().empty());
    EXPECT_EQ(refused.error().to_string().find("-pw"), std::string::npos) << refused.error().to_string();
  }
  const auto limited = connect(with_sign_in(locked->url(), "limited", "other-pw"));
  ASSERT_TRUE(limited.has_value());
  EXPECT_EQ((*limited)->command({"DBSIZE"}).error().kind(), ErrorKind::kPermissionDenied);
}

TEST(Client, SaysWhatAnswersInsteadOfARedis) {
  for (const auto& [answer, words] :
       std::vector<std::pair<Bytes, std::string>>{{"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP"},
                                                  {"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "SSH"},
                                                  {Bytes("\x15\x03\x01\x00\x02\x02\x0a", 7), "TLS"},
                                                  {Bytes("\x4a\x00\x00\x00\x0a"
                                                         "8.0.36",
                                                         11),
                                                   "another kind"}}) {
    const Stranger stranger(answer, true);
    const auto client = connect(stranger.url());
    ASSERT_FALSE(client.has_value());
    EXPECT_EQ(client.error().kind(), ErrorKind::kFailedPrecondition);
    EXPECT_NE(client.error().message().find(words), std::string::npos) << client.error().message();
  }
}

TEST(Client, GivesUpOnASilentPeer) {
  const Stranger stranger("", false);
  const auto client = connect(
      stranger.url(), {.connect_timeout = std::chrono::milliseconds(200), .command_timeout = std::chrono::seconds(2)});
  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().kind(), ErrorKind::kDeadlineExceeded);
}

TEST(Client, HintsAtTlsWhenThePeerHangsUp) {
  const Stranger stranger("", true);
  const auto client = connect(stranger.url());
  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().kind(), ErrorKind::kUnavailable);
  EXPECT_NE(client.error().hint().find("rediss://"), std::string::npos);
}

TEST(Client, SaysThatNobodyListens) {
  RedisUrl url;
  url.endpoint = {"127.0.0.1", free_loopback_port()};
  const auto client = connect(url);
  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().kind(), ErrorKind::kUnavailable);
}

TEST(Client, IsBrokenAfterAnAnswerThatDidNotComeInTime) {
  const auto server = RedisServer::start();
  const auto client = server->client();
  server->pause();
  const auto late = client->command({"PING"}, std::chrono::milliseconds(100));
  server->resume();
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind(), ErrorKind::kDeadlineExceeded);
  EXPECT_EQ(client->command({"GET", "k"}).error().kind(), ErrorKind::kUnavailable);
}

TEST(Client, IsWokenByAnotherThread) {
  const auto server = RedisServer::start();
  const auto client = server->client();
  std::thread other([&] {
    system_clock().sleep_for(std::chrono::milliseconds(50));
    client->interrupt();
  });
  const auto woken = client->command({"BLPOP", "absent", "0"}, std::chrono::seconds(20));
  other.join();
  ASSERT_FALSE(woken.has_value());
  EXPECT_EQ(woken.error().kind(), ErrorKind::kCancelled);
}

TEST(Client, ConnectsToAServerThatIsLoading) {
  RedisServerOptions options;
  options.config = {"key-load-delay 20000", "loading-process-events-interval-bytes 1024", "dbfilename dump.rdb"};
  const auto server = RedisServer::start(options);
  for (int i = 0; i < 2000; ++i) server->command({"SET", std::to_string(i), std::string(100, 'x')});
  server->command({"SAVE"});
  server->kill9();
  std::thread starter([&] { server->start_again(); });
  // It loads until it is told to hurry.
  Result<std::unique_ptr<Client>> client = Error(ErrorKind::kUnavailable, "not yet");
  while (!client) client = connect(server->url());
  const auto info = (*client)->info("persistence");
  const auto reply = (*client)->command({"GET", "1"});
  const auto hurried = (*client)->command({"CONFIG", "SET", "key-load-delay", "0"});
  starter.join();
  EXPECT_TRUE(hurried.has_value());
  ASSERT_TRUE(info.has_value());
  EXPECT_TRUE(info->loading());
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().kind(), ErrorKind::kUnavailable) << reply.error().message();
}

TEST(Client, SpeaksTlsAndChecksTheName) {
  const TemporaryDirectory folder;
  const TlsAuthority authority(folder.path(), "test");
  const TlsOptions issued = authority.issue("server", "DNS:localhost,IP:127.0.0.1");
  RedisServerOptions options;
  options.config = {"tls-cert-file " + issued.certificate_file, "tls-key-file " + issued.key_file,
                    "tls-ca-cert-file " + authority.ca_file(), "tls-auth-clients no"};
  options.tls = TlsOptions{};
  options.tls->ca_file = authority.ca_file();
  const auto server = RedisServer::start(options);
  EXPECT_EQ(server->command({"SET", "k", "v"}).text, "OK");
  RedisUrl wrong = server->url();
  wrong.tls->server_name = "elsewhere.example";
  const auto refused = connect(wrong);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kUnauthenticated) << refused.error().to_string();
  RedisUrl untrusted = server->url();
  untrusted.tls->ca_file = TlsAuthority(folder.path(), "other").ca_file();
  EXPECT_EQ(connect(untrusted).error().kind(), ErrorKind::kUnauthenticated);
  RedisUrl plain = server->url();
  plain.tls.reset();
  const auto spoken_plainly =
      connect(plain, {.connect_timeout = std::chrono::seconds(60), .command_timeout = std::chrono::seconds(60)});
  ASSERT_FALSE(spoken_plainly.has_value());
  EXPECT_NE(spoken_plainly.error().to_string().find("rediss://"), std::string::npos)
      << spoken_plainly.error().to_string();
}

TEST(Client, SpeaksOverAUnixSocket) {
  const TemporaryDirectory folder;
  const auto server = RedisServer::start({"unixsocket " + folder / "redis.sock"});
  const auto url = RedisUrl::parse("unix://" + folder / "redis.sock");
  const auto client = connect(*url);
  ASSERT_TRUE(client.has_value()) << client.error().to_string();
  EXPECT_EQ((*client)->command({"PING"})->text, "PONG");
}

}  // namespace
}  // namespace anclora::redis
