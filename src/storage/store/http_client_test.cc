#include "storage/store/http_client.h"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "base/socket.h"
#include "base/testing/temporary_directory.h"
#include "base/testing/tls_authority.h"
#include "storage/testing/scripted_s3.h"

namespace anclora::storage {
namespace {

TEST(HttpClient, ACutInTheMiddleOfATlsUploadIsAnErrorAndNoSignal) {
  const TemporaryDirectory directory;
  const TlsAuthority authority(directory.path(), "test");
  const TlsOptions tls = authority.issue("server", "IP:127.0.0.1");
  auto listener = listen_on(Endpoint{"127.0.0.1", 0}, &tls).value();
  std::jthread server([&] {
    for (int i = 0; i < 10; ++i) {
      auto connection = listener->accept(std::chrono::seconds(60));
      if (!connection.has_value()) continue;
      Bytes some;
      ignore_result((*connection)->read_some(some, 1000, std::chrono::seconds(60)));
    }
  });
  const auto before = std::signal(SIGPIPE, SIG_DFL);
  HttpClient client({.ca_file = authority.ca_file()});
  const std::string big(16 * kMiB, 'x');
  const MemoryBody body(big);
  for (int i = 0; i < 10; ++i) {
    const auto response = client.send(
        {.method = "PUT", .url = "https://127.0.0.1:" + std::to_string(listener->local().port) + "/x", .body = &body});
    ASSERT_FALSE(response.has_value());
    EXPECT_EQ(response.error().kind(), ErrorKind::kUnavailable) << response.error().to_string();
  }
  std::signal(SIGPIPE, before);
}

TEST(HttpClient, ABodyThatCannotBeReadEndsTheRequestWithItsError) {
  class Short final : public Body {
   public:
    std::uint64_t size_bytes() const override { return 100; }
    Result<Bytes> read(std::uint64_t, std::size_t) const override {
      return Error(ErrorKind::kDataLoss, "it ends early");
    }
  };
  ScriptedS3 server;
  HttpClient client({});
  const Short body;
  const auto response = client.send({.method = "PUT", .url = server.endpoint() + "/b/x", .body = &body});
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().kind(), ErrorKind::kDataLoss);
  EXPECT_TRUE(server.objects().empty());
}

TEST(HttpClient, OneConnectionServesManyRequests) {
  ScriptedS3 server;
  HttpClient client({});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.send({.url = server.endpoint() + "/b/x"})->status, 404);
  EXPECT_EQ(server.connections(), 1U);
}

TEST(HttpClient, TooManyHeadersAreRefused) {
  ScriptedS3 server;
  std::vector<std::pair<std::string, std::string>> headers(300, {"X-Same", "value"});
  server.always({ScriptedAnswer::Kind::kStatus, 200, "", headers});
  EXPECT_EQ(HttpClient({}).send({.url = server.endpoint() + "/"}).error().kind(), ErrorKind::kResourceExhausted);
}

TEST(HttpClient, ABodyIsSentByTheMethodThatWasAskedForAndAnAnswerMayBeAllowedToEndWithItsConnection) {
  auto listener = listen_on(Endpoint{"127.0.0.1", 0}).value();
  Bytes request;
  std::jthread server([&] {
    auto connection = listener->accept(std::chrono::seconds(60));
    if (!connection.has_value()) return;
    while (request.find("hello") == Bytes::npos) {
      const auto read = (*connection)->read_some(request, 4096, std::chrono::seconds(60));
      if (!read.has_value() || *read == 0) return;
    }
    ignore_result((*connection)->write_all("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok", std::chrono::seconds(60)));
  });
  HttpOptions options;
  options.require_length = false;
  const MemoryBody body("hello");
  const std::string url = "http://127.0.0.1:" + std::to_string(listener->local().port) + "/x";
  const auto response = HttpClient(options).send({.method = "POST", .url = url, .body = &body});
  server.join();
  ASSERT_TRUE(response.has_value()) << response.error().to_string();
  EXPECT_EQ(response->body, "ok");
  EXPECT_TRUE(request.starts_with("POST /x HTTP/1.1\r\n")) << request;
}

TEST(HttpClient, AnErrorShowsNothingOfAUrlThatMayBeASecret) {
  HttpOptions options;
  options.connect_timeout = std::chrono::milliseconds(200);
  options.total_timeout = std::chrono::milliseconds(500);
  for (const char* url :
       {"http://HUSH@127.0.0.1:1/x", "http://me:HUSH@127.0.0.1:1/", "http://HUSH:x@127.0.0.1:none/",
        "http://me:HUSH/x@127.0.0.1:1/", "http://127.0.0.1:1/HUSH?HUSH#HUSH", "http://127.0.0.1:1?HUSH"}) {
    HttpRequest request;
    request.url = url;
    const auto sent = HttpClient(options).send(request);
    ASSERT_FALSE(sent) << url;
    EXPECT_EQ(sent.error().message().find("HUSH"), std::string::npos) << sent.error().message();
    EXPECT_EQ(sent.error().hint().find("HUSH"), std::string::npos);
  }
}

TEST(HttpClient, OtherSchemesAreRefused) {
  for (const char* url : {"file:///etc/passwd", "gopher://127.0.0.1/", "dict://127.0.0.1/"}) {
    EXPECT_EQ(HttpClient({}).send({.url = url}).error().kind(), ErrorKind::kInvalidArgument) << url;
  }
}

}  // namespace
}  // namespace anclora::storage
