#include "app/server/api_server.h"

#include <gtest/gtest.h>

#include <vector>

#include "app/server/testing/fake_api.h"
#include "base/testing/witness.h"

namespace anclora::app {
namespace {

using std::chrono::seconds;
constexpr Duration kPatience = seconds(120);

class ApiServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = ApiServer::start({"127.0.0.1", 0}, api, {{}, Secret(), true, {"127.0.0.1"}});
    ASSERT_TRUE(started.has_value()) << started.error().to_string();
    server = std::move(*started);
  }
  std::unique_ptr<Connection> send(const std::string& bytes) {
    auto connection = system_dialer().dial({"127.0.0.1", server->port()}, nullptr, kPatience);
    EXPECT_TRUE(connection.has_value());
    if (!bytes.empty()) {
      EXPECT_TRUE((*connection)->write_all(bytes, kPatience).has_value());
    }
    return std::move(*connection);
  }
  std::string ask(const std::string& bytes) {
    const auto connection = send(bytes);
    Bytes reply;
    for (;;) {
      const auto read = connection->read_some(reply, 65536, kPatience);
      if (!read || *read == 0) return reply;
    }
  }
  FakeApi api;
  std::unique_ptr<ApiServer> server;
};

const std::string kHealth = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

TEST_F(ApiServerTest, AnswersWhileSlowClientsHoldMoreConnectionsThanItHasThreads) {
  std::vector<std::unique_ptr<Connection>> slow;
  for (int i = 0; i < 50; ++i) {
    slow.push_back(send(""));
    slow.push_back(send("GET /health HTTP/1.1\r\nHost:"));
  }
  Witness witness;
  const MonoTime begun = system_clock().mono_now();
  EXPECT_NE(ask(kHealth).find("200 OK"), std::string::npos);
  const Duration took = system_clock().mono_now() - begun;
  EXPECT_LE(took, witness.limit(seconds(3)));
}

TEST_F(ApiServerTest, TellsWhatTheLibraryRefusesAsAnyOtherError) {
  const std::string host = " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
  const std::pair<std::string, std::string> cases[] = {
      {"POST /alerts" + host + "Content-Length: 2000000\r\n\r\n" + std::string(2'000'000, 'x'), "413"},
      {"GET /" + std::string(9000, 'a') + host + "\r\n", "414"},
      {"PUT /nothing" + host + "Content-Length: 0\r\n\r\n", "404"},
      {"what is this\r\n\r\n", "400"}};
  for (const auto& [request, status] : cases) {
    const std::string reply = ask(request);
    EXPECT_EQ(reply.substr(9, 3), status) << reply.substr(0, 300);
    for (const char* part : {"application/json", "\"message\": ", "\"hint\": \"", "\"exit_code\": "})
      EXPECT_NE(reply.find(part), std::string::npos) << reply.substr(0, 600);
  }
}

TEST_F(ApiServerTest, RefusesAnAnnouncedBodyWithoutWaitingForIt) {
  const std::string post = "POST /alerts HTTP/1.1\r\nHost: 127.0.0.1\r\n";
  const std::pair<std::string, std::string> cases[] = {{"Content-Length: 99999999999\r\n", "413"},
                                                       {"Content-Length: 99999999999999999999999\r\n", "413"},
                                                       {"Content-Length: -5\r\n", "400"},
                                                       {"Content-Length: 1e3\r\n", "400"},
                                                       {"Content-Length:\r\n", "411"},
                                                       {"", "411"},
                                                       {"Content-Length: 5\r\nContent-Encoding: gzip\r\n", "415"}};
  for (const auto& [header, status] : cases) {
    Witness witness;
    const MonoTime begun = system_clock().mono_now();
    const std::string reply = ask(post + header + "\r\n");
    const Duration took = system_clock().mono_now() - begun;
    EXPECT_EQ(reply.substr(9, 3), status) << header << reply.substr(0, 600);
    EXPECT_NE(reply.find("\"message\": "), std::string::npos) << reply.substr(0, 600);
    EXPECT_LE(took, witness.limit(seconds(3))) << header;
  }
}

TEST_F(ApiServerTest, TakesNoMoreOfABodyInChunks) {
  std::string request = "POST /alerts HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 24; ++i) request += "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  EXPECT_EQ(ask(request).substr(9, 3), "413");
  EXPECT_EQ(ask("POST /alerts HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
                .substr(9, 3),
            "401");
}

TEST_F(ApiServerTest, EndsAtOnceThoughItHasJustBegun) {
  for (int i = 0; i < 100; ++i) {
    SetUp();
    server.reset();
  }
}

TEST_F(ApiServerTest, EndsWhileAClientHoldsAConnection) {
  const auto silent = send("GET ");
  server.reset();  // must not wait for it
}

}  // namespace
}  // namespace anclora::app
