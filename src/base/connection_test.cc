// What holds for every Connection: plain TCP, Unix socket, TLS.
#include <gtest/gtest.h>

#include <thread>

#include "base/random.h"
#include "base/socket.h"
#include "base/testing/connection_pair.h"
#include "base/testing/temporary_directory.h"
#include "base/testing/tls_authority.h"

namespace anclora {
namespace {

using namespace std::chrono_literals;

struct OverTcp {
  ConnectionPair make() {
    listener = listen_on({"127.0.0.1", 0}).value();
    return connect_pair(*listener).value();
  }
  std::unique_ptr<Listener> listener;
};

struct OverUnixSocket {
  ConnectionPair make() {
    listener = listen_on({directory / "socket", 0}).value();
    return connect_pair(*listener).value();
  }
  TemporaryDirectory directory;
  std::unique_ptr<Listener> listener;
};

struct OverTls {
  ConnectionPair make() {
    const TlsAuthority authority(directory.path(), "good");
    const TlsOptions server = authority.issue("server", "IP:127.0.0.1");
    listener = listen_on({"127.0.0.1", 0}, &server).value();
    TlsOptions client;
    client.ca_file = authority.ca_file();
    return connect_pair(*listener, &client).value();
  }
  TemporaryDirectory directory;
  std::unique_ptr<Listener> listener;
};

template <class T>
class EveryConnection : public ::testing::Test {
 protected:
  T kind_;
  ConnectionPair pair_ = kind_.make();
};

using Kinds = ::testing::Types<OverTcp, OverUnixSocket, OverTls>;
TYPED_TEST_SUITE(EveryConnection, Kinds);

TYPED_TEST(EveryConnection, AppendsWhatIsThere) {
  ASSERT_TRUE(this->pair_.client->write_all("hello", 60s).has_value());
  Bytes out = "> ";
  EXPECT_EQ(this->pair_.server->read_some(out, 100, 60s).value(), 5U);
  EXPECT_EQ(out, "> hello");
}

TYPED_TEST(EveryConnection, ReadsNoMoreThanTheLimit) {
  ASSERT_TRUE(this->pair_.client->write_all("hello", 60s).has_value());
  Bytes out;
  EXPECT_EQ(this->pair_.server->read_some(out, 2, 60s).value(), 2U);
  EXPECT_EQ(this->pair_.server->read_some(out, 2, 60s).value(), 2U);
  EXPECT_EQ(this->pair_.server->read_some(out, 2, 60s).value(), 1U);
  EXPECT_EQ(out, "hello");
}

TYPED_TEST(EveryConnection, CarriesMegabytesUnchanged) {
  const Bytes sent = SeededRandom(1).bytes(8 * kMiB);
  std::thread writer([&] { EXPECT_TRUE(this->pair_.client->write_all(sent, 60s).has_value()); });
  Bytes got;
  while (got.size() < sent.size()) {
    const auto part = this->pair_.server->read_some(got, kMiB, 60s);
    ASSERT_TRUE(part.has_value()) << part.error().message();
    ASSERT_GT(*part, 0U);
  }
  writer.join();
  EXPECT_EQ(got, sent);
}

TYPED_TEST(EveryConnection, AnswersZeroWhenThePeerCloses) {
  ASSERT_TRUE(this->pair_.client->write_all("bye", 60s).has_value());
  this->pair_.client.reset();
  Bytes out;
  EXPECT_EQ(this->pair_.server->read_some(out, 100, 60s).value(), 3U);
  EXPECT_EQ(this->pair_.server->read_some(out, 100, 60s).value(), 0U);
  EXPECT_EQ(out, "bye");
}

TYPED_TEST(EveryConnection, StopsReadingAtTheDeadline) {
  const MonoTime before = system_clock().mono_now();
  Bytes out;
  EXPECT_EQ(this->pair_.server->read_some(out, 100, 50ms).error().kind(), ErrorKind::kDeadlineExceeded);
  EXPECT_GE(system_clock().mono_now() - before, 50ms);
  EXPECT_EQ(this->pair_.server->read_some(out, 100, 0ms).error().kind(), ErrorKind::kDeadlineExceeded);
  ASSERT_TRUE(this->pair_.client->write_all("x", 60s).has_value());
  EXPECT_EQ(this->pair_.server->read_some(out, 100, 60s).value(), 1U);
}

TYPED_TEST(EveryConnection, StopsWritingAtTheDeadlineAndRefusesATornStream) {
  const Bytes much(64 * kMiB, 'x');
  EXPECT_EQ(this->pair_.client->write_all(much, 100ms).error().kind(), ErrorKind::kDeadlineExceeded);
  EXPECT_EQ(this->pair_.client->write_all("more", 100ms).error().kind(), ErrorKind::kUnavailable);
}

TYPED_TEST(EveryConnection, IsInterruptedFromAnotherThreadOnce) {
  std::thread other([&] {
    std::this_thread::sleep_for(50ms);
    this->pair_.server->interrupt();
  });
  Bytes out;
  EXPECT_EQ(this->pair_.server->read_some(out, 100, 60s).error().kind(), ErrorKind::kCancelled);
  other.join();
  ASSERT_TRUE(this->pair_.client->write_all("x", 60s).has_value());
  EXPECT_EQ(this->pair_.server->read_some(out, 100, 60s).value(), 1U);
}

TYPED_TEST(EveryConnection, TakesAnInterruptThatCameBeforeTheRead) {
  ASSERT_TRUE(this->pair_.client->write_all("x", 60s).has_value());
  this->pair_.server->interrupt();
  Bytes out;
  EXPECT_EQ(this->pair_.server->read_some(out, 100, 60s).error().kind(), ErrorKind::kCancelled);
  EXPECT_EQ(this->pair_.server->read_some(out, 100, 60s).value(), 1U);
  EXPECT_EQ(this->pair_.server->read_some(out, 100, 20ms).error().kind(), ErrorKind::kDeadlineExceeded);
}

// A SIGPIPE would end the test program.
TYPED_TEST(EveryConnection, SaysThatItWasCutWithoutASignal) {
  this->pair_.server.reset();
  Status status;
  for (int i = 0; i < 200 && status.has_value(); ++i) {
    status = this->pair_.client->write_all(Bytes(64 * kKiB, 'x'), 60s);
    std::this_thread::sleep_for(1ms);
  }
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().kind(), ErrorKind::kUnavailable);
}

TYPED_TEST(EveryConnection, KeepsALargeBufferSmallAroundAFewBytes) {
  ASSERT_TRUE(this->pair_.client->write_all("x", 60s).has_value());
  Bytes out;
  EXPECT_EQ(this->pair_.server->read_some(out, std::size_t{1} << 40, 60s).value(), 1U);
  EXPECT_LE(out.capacity(), kMiB);
}

}  // namespace
}  // namespace anclora
