#include "app/server/metrics_server.h"

#include <gtest/gtest.h>

#include <atomic>

#include "base/clock.h"

namespace anclora::app {
namespace {

std::string fetch(std::uint16_t port, const std::string& path) {
  auto connection = system_dialer().dial({"127.0.0.1", port}, nullptr, std::chrono::seconds(60));
  EXPECT_TRUE(connection.has_value());
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  EXPECT_TRUE((*connection)->write_all(request, std::chrono::seconds(60)).has_value());
  Bytes reply;
  for (;;) {
    auto read = (*connection)->read_some(reply, 65536, std::chrono::seconds(60));
    if (!read || *read == 0) return reply;
  }
}

TEST(MetricsServer, AnswersWhatIsRenderedAtThatMoment) {
  std::atomic<int> calls = 0;  // counted by whichever thread serves
  auto server = MetricsServer::start({"127.0.0.1", 0}, [&] { return "calls " + std::to_string(++calls) + "\n"; });
  ASSERT_TRUE(server.has_value()) << server.error().to_string();
  EXPECT_NE(fetch((*server)->port(), "/metrics").find("calls 1\n"), std::string::npos);
  EXPECT_NE(fetch((*server)->port(), "/metrics").find("calls 2\n"), std::string::npos);
  EXPECT_NE(fetch((*server)->port(), "/other").find("404"), std::string::npos);
}

TEST(MetricsServer, SaysThatAPortIsTaken) {
  auto listener = listen_on({"127.0.0.1", 0});
  ASSERT_TRUE(listener.has_value());
  auto server = MetricsServer::start((*listener)->local(), [] { return std::string(); });
  ASSERT_FALSE(server.has_value());
  EXPECT_EQ(server.error().kind(), ErrorKind::kAlreadyExists);
}

}  // namespace
}  // namespace anclora::app
