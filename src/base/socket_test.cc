#include "base/socket.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "base/testing/connection_pair.h"
#include "base/testing/temporary_directory.h"

namespace anclora {
namespace {

using namespace std::chrono_literals;

TEST(Endpoint, IsWrittenAsPeopleWriteIt) {
  EXPECT_EQ((Endpoint{"redis.example", 6379}.to_string()), "redis.example:6379");
  EXPECT_EQ((Endpoint{"::1", 6379}.to_string()), "[::1]:6379");
  EXPECT_EQ((Endpoint{"/run/redis.sock", 0}.to_string()), "/run/redis.sock");
}

TEST(Dialer, TriesAllAddressesOfAName) {
  // "localhost" is ::1 first on most machines, where nobody listens here.
  const auto listener = listen_on({"127.0.0.1", 0}).value();
  const Endpoint by_name{"localhost", listener->local().port};
  const auto pair = connect_pair(*listener, nullptr, &by_name);
  ASSERT_TRUE(pair.has_value()) << pair.error().message();
  EXPECT_EQ(pair->client->peer().to_string(), by_name.to_string());
  EXPECT_EQ(pair->server->peer().to_string(), pair->client->local().to_string());
}

TEST(Dialer, SaysThatNobodyListens) {
  auto listener = listen_on({"127.0.0.1", 0}).value();
  const Endpoint endpoint = listener->local();
  listener.reset();
  const auto connection = system_dialer().dial(endpoint, nullptr, 60s);
  EXPECT_EQ(connection.error().kind(), ErrorKind::kUnavailable);
  EXPECT_NE(connection.error().message().find(endpoint.to_string()), std::string::npos);
}

TEST(Dialer, SaysThatANameIsUnknown) {
  const auto connection = system_dialer().dial({"no-such-host.invalid", 1}, nullptr, 60s);
  EXPECT_EQ(connection.error().kind(), ErrorKind::kUnavailable);
  EXPECT_NE(connection.error().message().find("no-such-host.invalid"), std::string::npos);
}

TEST(Dialer, SaysThatAUnixSocketIsNotThere) {
  const TemporaryDirectory directory;
  EXPECT_EQ(system_dialer().dial({directory / "none", 0}, nullptr, 60s).error().kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(system_dialer().dial({"/" + std::string(200, 'x'), 0}, nullptr, 60s).error().kind(),
            ErrorKind::kInvalidArgument);
}

TEST(Listener, IsInterruptedWhileItWaits) {
  const auto listener = listen_on({"127.0.0.1", 0}).value();
  std::thread other([&] {
    std::this_thread::sleep_for(30ms);
    listener->interrupt();
  });
  EXPECT_EQ(listener->accept(60s).error().kind(), ErrorKind::kCancelled);
  other.join();
  EXPECT_EQ(listener->accept(20ms).error().kind(), ErrorKind::kDeadlineExceeded);
}

TEST(Listener, RefusesATakenPort) {
  const auto first = listen_on({"127.0.0.1", 0}).value();
  EXPECT_EQ(listen_on(first->local()).error().kind(), ErrorKind::kAlreadyExists);
}

TEST(Listener, ReplacesADeadUnixSocketButNotALiveOne) {
  const TemporaryDirectory directory;
  const Endpoint endpoint{directory / "s", 0};
  auto first = listen_on(endpoint).value();
  EXPECT_EQ(listen_on(endpoint).error().kind(), ErrorKind::kAlreadyExists);
  EXPECT_TRUE(connect_pair(*first).has_value());
  // A hard link keeps the name of a socket whose listener goes.
  ASSERT_EQ(::link((directory / "s").c_str(), (directory / "kept").c_str()), 0);
  first.reset();
  const auto second = listen_on({directory / "kept", 0});
  ASSERT_TRUE(second.has_value()) << second.error().message();
  EXPECT_TRUE(connect_pair(**second).has_value());
}

}  // namespace
}  // namespace anclora
