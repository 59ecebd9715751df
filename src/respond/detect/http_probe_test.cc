#include "respond/detect/http_probe.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/testing/temporary_directory.h"
#include "base/testing/tls_authority.h"
#include "base/testing/witness.h"
#include "redis/testing/redis_server.h"
#include "respond/detect/prometheus_probe.h"
#include "respond/detect/tcp_probe.h"

namespace anclora::respond {
namespace {

constexpr Duration kTimeout = std::chrono::seconds(60);

// Answers one connection after another with the same bytes, on a free loopback port.
class CannedServer {
 public:
  explicit CannedServer(std::string answer, const TlsOptions* tls = nullptr) : answer_(std::move(answer)) {
    listener_ = listen_on({"127.0.0.1", 0}, tls).value();
    thread_ = std::thread([this] {
      while (!stopping_) {
        auto connection = listener_->accept(std::chrono::seconds(60));
        if (!connection.has_value()) continue;
        Bytes request;
        while (request.find("\r\n\r\n") == Bytes::npos) {
          const auto read = (*connection)->read_some(request, 4096, std::chrono::seconds(60));
          if (!read.has_value() || *read == 0) break;
        }
        request_ = request;
        ignore_result((*connection)->write_all(answer_, std::chrono::seconds(60)));
      }
    });
  }
  ~CannedServer() {
    stopping_ = true;
    listener_->interrupt();
    thread_.join();
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(listener_->local().port); }
  std::uint16_t port() const { return listener_->local().port; }
  Bytes request() const { return request_; }

 private:
  std::string answer_;
  std::unique_ptr<Listener> listener_;
  std::atomic<bool> stopping_ = false;
  Bytes request_;
  std::thread thread_;
};

std::string answer(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}

Reading look(HttpProbeOptions options, Duration timeout = kTimeout) {
  HttpProbe probe(std::move(options), system_clock());
  return probe.look(timeout);
}

TEST(HttpProbe, IsUpWhenStatusAndBodyAreAsExpected) {
  const CannedServer server(answer(200, R"({"status":"ok"})"));
  const Reading reading = look({.url = "http://" + server.address() + "/health", .body_contains = "\"ok\""});
  EXPECT_EQ(reading.state, ProbeState::kUp) << reading.reason;
  EXPECT_EQ(reading.facts.at("status"), "200");
}

TEST(HttpProbe, IsDownWithAnotherStatusThoughTheTransferSucceeds) {
  const CannedServer server(answer(503, "no"));
  const Reading reading = look({.url = "http://" + server.address() + "/health"});
  EXPECT_EQ(reading.state, ProbeState::kDown);
  EXPECT_EQ(reading.reason, "it answers with status 503");
}

TEST(HttpProbe, IsDownWhenTheBodyLacksTheText) {
  const CannedServer server(answer(200, "maintenance"));
  const Reading reading = look({.url = "http://" + server.address() + "/", .body_contains = "ok"});
  EXPECT_EQ(reading.state, ProbeState::kDown);
  EXPECT_NE(reading.reason.find("lacks \"ok\""), std::string::npos);
}

TEST(HttpProbe, IsDownWhenNobodyListens) {
  const std::string port = std::to_string(redis::free_loopback_port());
  EXPECT_EQ(look({.url = "http://127.0.0.1:" + port + "/"}).state, ProbeState::kDown);
}

TEST(HttpProbe, IsDownInTimeWhenNothingIsAnswered) {
  const auto listener = listen_on({"127.0.0.1", 0}).value();  // the kernel accepts, nobody answers
  Witness witness;
  const MonoTime start = system_clock().mono_now();
  const Reading reading =
      look({.url = "http://127.0.0.1:" + std::to_string(listener->local().port) + "/"}, std::chrono::milliseconds(500));
  EXPECT_EQ(reading.state, ProbeState::kDown);
  EXPECT_LT(system_clock().mono_now() - start, witness.limit(std::chrono::seconds(2)));
}

TEST(HttpProbe, IsDownWhenClientsWouldNotTrustTheCertificate) {
  const TemporaryDirectory folder;
  const TlsAuthority authority(folder.path(), "ours");
  const TlsAuthority stranger(folder.path(), "strange");
  const TlsOptions good = authority.issue("good", "IP:127.0.0.1");
  const TlsOptions expired = authority.issue("expired", "IP:127.0.0.1", -std::chrono::hours(1));
  const TlsOptions misnamed = authority.issue("misnamed", "DNS:elsewhere.example");
  const auto state = [&](const TlsOptions& tls, const std::string& ca_file) {
    const CannedServer server(answer(200, "ok"), &tls);
    return look({.url = "https://" + server.address() + "/", .ca_file = ca_file}).state;
  };
  EXPECT_EQ(state(good, authority.ca_file()), ProbeState::kUp);
  EXPECT_EQ(state(good, stranger.ca_file()), ProbeState::kDown);
  EXPECT_EQ(state(expired, authority.ca_file()), ProbeState::kDown);
  EXPECT_EQ(state(misnamed, authority.ca_file()), ProbeState::kDown);
}

TEST(HttpProbe, IsDownWhenTheCertificateExpiresTooSoon) {
  const TemporaryDirectory folder;
  const TlsAuthority authority(folder.path(), "ours");
  const TlsOptions tls = authority.issue("soon", "IP:127.0.0.1", std::chrono::hours(5 * 24 + 1));
  const CannedServer server(answer(200, "ok"), &tls);
  const auto asked = [&](std::uint32_t days) {
    return look({.url = "https://" + server.address() + "/", .ca_file = authority.ca_file(), .certificate_days = days});
  };
  EXPECT_EQ(asked(0).reason, "");
  const Reading enough = asked(5);
  EXPECT_EQ(enough.state, ProbeState::kUp) << enough.reason;
  EXPECT_EQ(enough.facts.at("certificate_days"), "5");
  const Reading less = asked(6);
  EXPECT_EQ(less.state, ProbeState::kDown);
  EXPECT_NE(less.reason.find("in less than 6 days"), std::string::npos) << less.reason;
  const CannedServer plain(answer(200, "ok"));
  EXPECT_EQ(look({.url = "http://" + plain.address() + "/", .certificate_days = 1}).reason, "it shows no certificate");
}

TEST(HttpProbe, AsksTheGivenAddressForAName) {
  const TemporaryDirectory folder;
  const TlsAuthority authority(folder.path(), "ours");
  const TlsOptions tls = authority.issue("named", "DNS:api.invalid");
  const CannedServer server(answer(200, "ok"), &tls);
  const std::string port = std::to_string(server.port());
  const auto state = [&](const std::string& url, const std::string& connect_to) {
    return look({.url = url, .ca_file = authority.ca_file(), .connect_to = connect_to}).state;
  };
  EXPECT_EQ(state("https://api.invalid:" + port + "/", "127.0.0.1"), ProbeState::kUp);
  EXPECT_NE(server.request().find("Host: api.invalid:" + port), std::string::npos) << server.request();
  EXPECT_EQ(state("https://api.invalid/", "localhost:" + port), ProbeState::kUp);
  EXPECT_EQ(state("https://other.invalid:" + port + "/", "127.0.0.1"), ProbeState::kDown);  // the certificate's name
  EXPECT_EQ(state("https://api.invalid:" + port + "/", "no-such-host.invalid"), ProbeState::kUnknown);
}

TEST(HttpProbe, DoesNotKnowWhenTheNameCannotBeResolved) {
  EXPECT_EQ(look({.url = "http://no-such-host.invalid/"}).state, ProbeState::kUnknown);
  EXPECT_EQ(look({.url = "not a url"}).state, ProbeState::kUnknown);
}

TEST(TcpProbe, SeesWhoListensAndWhoDoesNot) {
  const CannedServer server("");
  TcpProbe up({"127.0.0.1", server.port()}, system_dialer(), system_clock());
  EXPECT_EQ(up.look(kTimeout).state, ProbeState::kUp);
  TcpProbe down({"127.0.0.1", redis::free_loopback_port()}, system_dialer(), system_clock());
  EXPECT_EQ(down.look(kTimeout).state, ProbeState::kDown);
  TcpProbe nowhere({"no-such-host.invalid", 1}, system_dialer(), system_clock());
  EXPECT_EQ(nowhere.look(kTimeout).state, ProbeState::kUnknown);
}

TEST(PrometheusProbe, ComparesTheWorstSample) {
  const std::string json = R"({"status":"success","data":{"resultType":"vector","result":[
      {"metric":{},"value":[1,"3"]},{"metric":{},"value":[1,"12.5"]}]}})";
  PrometheusProbeOptions options{"http://x", "up", Comparison::kAbove, 10, {}, ""};
  EXPECT_EQ(judge_query_answer(json, options).state, ProbeState::kDown);
  EXPECT_EQ(judge_query_answer(json, options).facts.at("value"), "12.5");
  options.limit = 20;
  EXPECT_EQ(judge_query_answer(json, options).state, ProbeState::kUp);
  options.bad_when = Comparison::kBelow;
  options.limit = 5;
  EXPECT_EQ(judge_query_answer(json, options).state, ProbeState::kDown);
}

TEST(PrometheusProbe, DoesNotKnowWithoutASampleOrAnAnswer) {
  const PrometheusProbeOptions options{"http://x", "up", Comparison::kAbove, 10, {}, ""};
  for (const char* json :
       {"", "[]", "{}", "null", R"({"status":"error","error":"bad"})", R"({"status":"success"})",
        R"({"status":"success","data":7})", R"({"status":"success","data":{"resultType":5,"result":"x"}})",
        R"({"status":"success","data":{"resultType":"vector","result":[]}})",
        R"({"status":"success","data":{"resultType":"vector","result":[7,{"value":"x"},{"value":[1,2]}]}})",
        R"({"status":"success","data":{"resultType":"scalar","result":[1,"NaN"]}})"})
    EXPECT_EQ(judge_query_answer(json, options).state, ProbeState::kUnknown) << json;
}

TEST(PrometheusProbe, SendsTheQueryEncoded) {
  const CannedServer server(answer(200, R"({"status":"success","data":{"resultType":"scalar","result":[1,"1"]}})"));
  PrometheusProbe probe({"http://" + server.address(), "sum(x{a=\"b\"}) > 1", Comparison::kAbove, 10, {}, ""},
                        system_clock());
  EXPECT_EQ(probe.look(kTimeout).state, ProbeState::kUp);
  EXPECT_TRUE(server.request().starts_with("GET /api/v1/query?query=sum%28x%7Ba%3D%22b%22%7D%29%20%3E%201 "))
      << server.request();
}

}  // namespace
}  // namespace anclora::respond
