#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/socket.h"
#include "base/subprocess.h"
#include "base/testing/connection_pair.h"
#include "base/testing/temporary_directory.h"
#include "base/testing/tls_authority.h"

namespace anclora {
namespace {

using namespace std::chrono_literals;

class Tls : public ::testing::Test {
 protected:
  Result<ConnectionPair> connect(const TlsOptions& server, const TlsOptions& client) {
    listener_ = listen_on({"127.0.0.1", 0}, &server).value();
    return connect_pair(*listener_, &client);
  }
  TlsOptions trusting(const TlsAuthority& authority) const {
    TlsOptions options;
    options.ca_file = authority.ca_file();
    return options;
  }
  void expect_refusal(const Result<ConnectionPair>& pair, std::initializer_list<std::string> words) {
    ASSERT_FALSE(pair.has_value());
    EXPECT_EQ(pair.error().kind(), ErrorKind::kUnauthenticated);
    for (const std::string& word : words)
      EXPECT_NE(pair.error().message().find(word), std::string::npos) << pair.error().message();
    EXPECT_FALSE(pair.error().hint().empty());
  }

  TemporaryDirectory directory_;
  TlsAuthority good_{directory_.path(), "good"};
  TlsAuthority other_{directory_.path(), "other"};
  std::unique_ptr<Listener> listener_;
};

TEST_F(Tls, AcceptsATrustedCertificateWithTheRightName) {
  EXPECT_TRUE(connect(good_.issue("server", "IP:127.0.0.1"), trusting(good_)).has_value());
}

TEST_F(Tls, RefusesACertificateOfAnotherAuthority) {
  expect_refusal(connect(good_.issue("server", "IP:127.0.0.1"), trusting(other_)), {"127.0.0.1", "not trusted"});
}

TEST_F(Tls, RefusesATestCertificateUnderTheSystemsStore) {
  expect_refusal(connect(good_.issue("server", "IP:127.0.0.1"), TlsOptions()), {"not trusted"});
}

TEST_F(Tls, RefusesAnotherNameAndNamesBoth) {
  TlsOptions client = trusting(good_);
  client.server_name = "redis.example";
  expect_refusal(connect(good_.issue("server", "DNS:cache.example,IP:127.0.0.1"), client),
                 {"cache.example, 127.0.0.1", "not for redis.example"});
  expect_refusal(connect(good_.issue("server2", "IP:127.0.0.2"), trusting(good_)), {"127.0.0.2", "not for 127.0.0.1"});
}

TEST_F(Tls, ChecksTheGivenServerName) {
  TlsOptions client = trusting(good_);
  client.server_name = "redis.example";
  EXPECT_TRUE(connect(good_.issue("server", "DNS:redis.example"), client).has_value());
}

TEST_F(Tls, RefusesAnExpiredCertificate) {
  expect_refusal(connect(good_.issue("server", "IP:127.0.0.1", -1h), trusting(good_)), {"expired"});
}

TEST_F(Tls, DemandsAClientCertificateOfItsAuthority) {
  TlsOptions server = good_.issue("server", "IP:127.0.0.1");
  server.ca_file = good_.ca_file();
  TlsOptions client = good_.issue("client", "DNS:client.example");
  client.ca_file = good_.ca_file();
  EXPECT_TRUE(connect(server, client).has_value());
  EXPECT_EQ(connect(server, trusting(good_)).error().kind(), ErrorKind::kUnauthenticated);
  TlsOptions stranger = other_.issue("stranger", "DNS:client.example");
  stranger.ca_file = good_.ca_file();
  EXPECT_EQ(connect(server, stranger).error().kind(), ErrorKind::kUnauthenticated);
}

TEST_F(Tls, TellsAClientWithoutACertificateWhatIsMissing) {
  TlsOptions server = good_.issue("server", "IP:127.0.0.1");
  server.ca_file = good_.ca_file();
  const auto listener = listen_on({"127.0.0.1", 0}, &server).value();
  std::thread acceptor([&] { EXPECT_FALSE(listener->accept(60s).value()->handshake(60s)); });
  const TlsOptions client_options = trusting(good_);
  const auto client = system_dialer().dial(listener->local(), &client_options, 60s);
  ASSERT_TRUE(client.has_value());  // TLS 1.3 tells the client only with its first read
  Bytes out;
  const auto got = (*client)->read_some(out, 10, 60s);
  acceptor.join();
  EXPECT_EQ(got.error().kind(), ErrorKind::kUnauthenticated);
  EXPECT_NE(got.error().message().find("certificate required"), std::string::npos) << got.error().message();
}

TEST_F(Tls, NamesAFileThatCannotBeUsed) {
  TlsOptions client;
  client.ca_file = directory_ / "none.pem";
  const auto connection = system_dialer().dial({"127.0.0.1", 1}, &client, 60s);
  EXPECT_EQ(connection.error().kind(), ErrorKind::kInvalidArgument);
  EXPECT_NE(connection.error().message().find("none.pem"), std::string::npos);
  EXPECT_EQ(listen_on({"127.0.0.1", 0}, &client).error().kind(), ErrorKind::kInvalidArgument);
}

TEST_F(Tls, GivesUpOnAServerThatDoesNotSpeakTls) {
  const auto listener = listen_on({"127.0.0.1", 0}).value();
  const TlsOptions client = trusting(good_);
  EXPECT_EQ(system_dialer().dial(listener->local(), &client, 100ms).error().kind(), ErrorKind::kDeadlineExceeded);
}

// A relay that passes the handshake on and then cuts, as a machine in between would.
TEST_F(Tls, DoesNotTakeACutStreamForAClosedOne) {
  const TlsOptions server_options = good_.issue("server", "IP:127.0.0.1");
  const auto server = listen_on({"127.0.0.1", 0}, &server_options).value();
  const auto relay = listen_on({"127.0.0.1", 0}).value();
  std::thread acceptor([&] {
    const auto accepted = server->accept(60s);
    ASSERT_TRUE(accepted.has_value());
    EXPECT_TRUE((*accepted)->write_all("half", 60s).has_value());
    Bytes out;
    ignore_result((*accepted)->read_some(out, 10, 60s));  // until the relay cuts
  });
  std::atomic<bool> cut{false};
  std::thread between([&] {
    const auto near = relay->accept(60s).value();
    const auto far = system_dialer().dial(server->local(), nullptr, 60s).value();
    while (!cut) {
      Bytes out;
      if (near->read_some(out, kMiB, 5ms).has_value()) {
        ASSERT_TRUE(far->write_all(out, 60s).has_value());
      }
      out.clear();
      if (far->read_some(out, kMiB, 5ms).has_value()) {
        ASSERT_TRUE(near->write_all(out, 60s).has_value());
      }
    }
  });
  const TlsOptions client_options = trusting(good_);
  const auto client = system_dialer().dial(relay->local(), &client_options, 60s);
  ASSERT_TRUE(client.has_value()) << client.error().message();
  Bytes out;
  EXPECT_EQ((*client)->read_some(out, 100, 60s).value(), 4U);
  cut = true;
  EXPECT_EQ((*client)->read_some(out, 100, 60s).error().kind(), ErrorKind::kUnavailable);
  between.join();
  acceptor.join();
}

TEST_F(Tls, AClientThatNeverSpeaksHoldsUpNobodyElse) {
  const TlsOptions server_options = good_.issue("server", "IP:127.0.0.1");
  const auto listener = listen_on({"127.0.0.1", 0}, &server_options).value();
  const auto silent = system_dialer().dial(listener->local(), nullptr, 60s).value();
  const auto of_the_silent = listener->accept(60s);
  ASSERT_TRUE(of_the_silent.has_value()) << of_the_silent.error().message();
  const TlsOptions client_options = trusting(good_);
  const auto pair = connect_pair(*listener, &client_options);
  ASSERT_TRUE(pair.has_value()) << pair.error().message();
  EXPECT_EQ((*of_the_silent)->handshake(10ms).error().kind(), ErrorKind::kDeadlineExceeded);
}

TEST_F(Tls, RefusesOldVersions) {
  const TlsOptions server = good_.issue("server", "IP:127.0.0.1");
  const auto listener = listen_on({"127.0.0.1", 0}, &server).value();
  const std::string address = listener->local().to_string();
  const auto old_client = Subprocess::start(
      {.argv = {"openssl", "s_client", "-connect", address, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"},
       .working_directory = {},
       .output_file = directory_ / "s_client"});
  ASSERT_TRUE(old_client.has_value()) << old_client.error().message();
  EXPECT_FALSE(listener->accept(60s).value()->handshake(60s));
  EXPECT_NE((*old_client)->wait(60s), 0);
}

}  // namespace
}  // namespace anclora
