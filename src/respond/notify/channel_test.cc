// Each channel against a server that answers as the real one is documented to, and as a broken one does. PagerDuty and
// the Evolution API are stubs of their documented shape: nothing here proves that their real servers agree.
#include "respond/notify/channel.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/hmac.h"
#include "base/posix_file_system.h"
#include "base/testing/temporary_directory.h"
#include "base/testing/tls_authority.h"
#include "base/testing/witness.h"
#include "plan/reader/yaml_reader.h"
#include "respond/notify/http_delivery.h"
#include "respond/testing/http_stub.h"

namespace anclora::respond {
namespace {

using testing::HttpStub;
using testing::stub_answer;
using testing::StubRequest;
using namespace std::chrono_literals;

const ChannelMeans kMeans{system_clock(), posix_file_system(), system_random()};
constexpr const char* kHidden = "hidden-4711";

Result<Secret> lookup(std::string_view reference) {
  if (reference == "env:HIDDEN") return Secret(kHidden);
  if (reference.starts_with("env:")) return Error(ErrorKind::kNotFound, std::string(reference) + " is not set");
  return Secret(std::string(reference));
}

Result<std::unique_ptr<Channel>> channel_of(std::string kind, const std::string& settings) {
  plan::Findings findings;
  plan::Channel channel;
  channel.kind = std::move(kind);
  channel.settings = plan::read_yaml(settings, findings).value();
  return make_channel(channel, lookup, kMeans);
}

Attempt deliver(const std::string& kind, const std::string& settings, const Message& message, Duration within = 60s) {
  auto channel = channel_of(kind, settings);
  if (!channel) return {false, false, {}, "NOT MADE: " + channel.error().to_string()};
  return (*channel)->deliver(message, system_clock().mono_now() + within);
}

Message alert() {
  Message message;
  message.urgency = Urgency::kCritical;
  message.service = "orders";
  message.subject = "Redis is lost: ñ \"quoted\"";
  message.text = "since 12:00";
  message.incident = "inc-1";
  message.run = "run-1";
  message.acknowledge = "anclora incident ack inc-1";
  message.dedup_key = "inc-1";
  message.at = parse_rfc3339("2026-11-24T12:00:00Z").value();
  return message;
}

HttpStub::Answer always(std::string answer) {
  return [answer = std::move(answer)](std::size_t, const StubRequest&) { return answer; };
}

TEST(Webhook, SendsWhatSlackTakesAndSignsIt) {
  HttpStub server(always(stub_answer(200, "ok")));
  const Attempt attempt =
      deliver("webhook", "{url: " + server.url() + "/hook/T1, secret: env:HIDDEN, authorization: Bearer x}", alert());
  EXPECT_TRUE(attempt.accepted) << attempt.detail;
  const StubRequest request = server.requests().at(0);
  EXPECT_TRUE(request.head.starts_with("POST /hook/T1 HTTP/1.1\r\n")) << request.head;
  const auto body = nlohmann::json::parse(request.body);
  EXPECT_EQ(body.size(), 1U);
  EXPECT_EQ(body["text"], plain_text(alert()));
  EXPECT_EQ(request.header("authorization"), "Bearer x");
  EXPECT_EQ(request.header("x-anclora-signature"),
            "sha256=" + to_hex(hmac_sha256(kHidden, request.header("x-anclora-timestamp") + "." + request.body)));
}

TEST(Webhook, TellsWhatPassesFromWhatLasts) {
  for (const int status : {429, 500, 502, 503, 408}) {
    HttpStub server(always(stub_answer(status, "no")));
    const Attempt attempt = deliver("webhook", "{url: " + server.url() + "/}", alert());
    EXPECT_FALSE(attempt.accepted);
    EXPECT_TRUE(attempt.retry) << status;
  }
  for (const int status : {301, 400, 403, 404, 410}) {
    HttpStub server(always(stub_answer(status, "no", "Location: http://127.0.0.1:1/\r\n")));
    const Attempt attempt = deliver("webhook", "{url: " + server.url() + "/}", alert());
    EXPECT_FALSE(attempt.accepted);
    EXPECT_FALSE(attempt.retry) << status;
    EXPECT_EQ(attempt.detail, "status " + std::to_string(status));
  }
}

TEST(Webhook, HeedsRetryAfterInSecondsAndAsADate) {
  HttpStub server(always(stub_answer(429, "", "Retry-After: 7\r\n")));
  EXPECT_EQ(deliver("webhook", "{url: " + server.url() + "/}", alert()).retry_after, 7s);
  const WallTime now = parse_rfc3339("2026-11-24T12:00:00Z").value();
  EXPECT_EQ(parse_retry_after("Tue, 24 Nov 2026 12:00:30 GMT", now), 30s);
  EXPECT_EQ(parse_retry_after("Tue, 24 Nov 2026 11:00:30 GMT", now), std::nullopt);
  EXPECT_EQ(parse_retry_after("99999999999", now), 1h);
  EXPECT_EQ(parse_retry_after("-5", now), std::nullopt);
  EXPECT_EQ(parse_retry_after("soon", now), std::nullopt);
}

TEST(Webhook, AServerThatHangsCostsNoMoreThanTheDeadline) {
  HttpStub server(always(""));
  Witness witness;
  const MonoTime before = system_clock().mono_now();
  const Attempt attempt = deliver("webhook", "{url: " + server.url() + "/}", alert(), 400ms);
  EXPECT_FALSE(attempt.accepted);
  EXPECT_TRUE(attempt.retry);
  EXPECT_LT(system_clock().mono_now() - before, witness.limit(3s));
}

TEST(Webhook, ACertificateOfSomebodyElseIsRefused) {
  const TemporaryDirectory directory;
  const TlsAuthority ours(directory.path(), "ours"), other(directory.path(), "other");
  const TlsOptions tls = other.issue("server", "IP:127.0.0.1");
  HttpStub server(always(stub_answer(200, "ok")), &tls);
  const Attempt refused =
      deliver("webhook", "{url: " + server.url("https") + "/, ca_file: " + ours.ca_file() + "}", alert());
  EXPECT_FALSE(refused.accepted);
  EXPECT_FALSE(refused.retry);
  const Attempt by_default = deliver("webhook", "{url: " + server.url("https") + "/}", alert());
  EXPECT_FALSE(by_default.accepted);
  EXPECT_TRUE(server.requests().empty());
  EXPECT_TRUE(
      deliver("webhook", "{url: " + server.url("https") + "/, ca_file: " + other.ca_file() + "}", alert()).accepted);
}

TEST(Webhook, WhatIsNoUrlIsRefusedWithoutBeingNamed) {
  for (const char* url : {"ftp://x/", "http://", "https:///x", "\"http://x/ y\""}) {
    const auto made = channel_of("webhook", std::string("{url: ") + url + "}");
    ASSERT_FALSE(made.has_value()) << url;
    EXPECT_EQ(made.error().kind(), ErrorKind::kInvalidArgument);
  }
  EXPECT_EQ(channel_of("webhook", "{url: env:NOWHERE}").error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(channel_of("webhook", "{url: env:HIDDEN}").error().to_string().find(kHidden), std::string::npos);
}

TEST(PagerDuty, TriggersAcknowledgesAndResolvesUnderOneKey) {
  HttpStub server(always(stub_answer(202, R"({"status":"success","dedup_key":"inc-1"})")));
  const std::string settings = "{routing_key: env:HIDDEN, url: " + server.url() + "/v2/enqueue}";
  Message message = alert();
  EXPECT_TRUE(deliver("pagerduty", settings, message).accepted);
  message.kind = MessageKind::kAcknowledged;
  EXPECT_TRUE(deliver("pagerduty", settings, message).accepted);
  message.kind = MessageKind::kResolved;
  EXPECT_TRUE(deliver("pagerduty", settings, message).accepted);
  const auto requests = server.requests();
  const auto trigger = nlohmann::json::parse(requests[0].body);
  EXPECT_EQ(trigger["routing_key"], kHidden);
  EXPECT_EQ(trigger["event_action"], "trigger");
  EXPECT_EQ(trigger["dedup_key"], "inc-1");
  EXPECT_EQ(trigger["payload"]["summary"], message.subject);
  EXPECT_EQ(trigger["payload"]["source"], "orders");
  EXPECT_EQ(trigger["payload"]["severity"], "critical");
  const auto acknowledged = nlohmann::json::parse(requests[1].body);
  EXPECT_EQ(acknowledged["event_action"], "acknowledge");
  EXPECT_FALSE(acknowledged.contains("payload"));
  EXPECT_EQ(nlohmann::json::parse(requests[2].body)["event_action"], "resolve");
}

TEST(PagerDuty, KeepsWithinItsLimitsAndSaysNothingOfTheKey) {
  HttpStub server([](std::size_t, const StubRequest& request) {
    return stub_answer(
        400, R"({"status":"invalid event","message":")" + std::string(kHidden) + request.body.substr(0, 9) + "\"}");
  });
  Message message = alert();
  message.dedup_key = std::string(400, 'k');
  message.subject = std::string(3000, 's');
  const Attempt attempt = deliver("pagerduty", "{routing_key: env:HIDDEN, url: " + server.url() + "/}", message);
  EXPECT_FALSE(attempt.retry);
  EXPECT_EQ(attempt.detail.find(kHidden), std::string::npos);
  const auto body = nlohmann::json::parse(server.requests()[0].body);
  EXPECT_LE(body["dedup_key"].get<std::string>().size(), 255U);
  EXPECT_EQ(body["payload"]["summary"].get<std::string>().size(), 1024U);
}

constexpr const char* kEvolution = "number: \"+34 600 123 458\", instance: main one, api_key: env:HIDDEN}";

TEST(Evolution, SendsTheTextToTheNumberByTheInstance) {
  HttpStub server(always(stub_answer(201, R"({"key":{"id":"3EB0"},"status":"PENDING"})")));
  const Attempt attempt = deliver("evolution", "{url: " + server.url() + "/api/, " + kEvolution, alert());
  EXPECT_TRUE(attempt.accepted) << attempt.detail;
  const StubRequest request = server.requests().at(0);
  EXPECT_TRUE(request.head.starts_with("POST /api/message/sendText/main%20one HTTP/1.1\r\n")) << request.head;
  EXPECT_EQ(request.header("apikey"), kHidden);
  const auto body = nlohmann::json::parse(request.body);
  EXPECT_EQ(body["number"], "34600123458");
  EXPECT_EQ(body["text"], plain_text(alert()));
}

TEST(Evolution, FallsBackToTheFirstVersionsBodyWhereTheServerAsksForIt) {
  HttpStub server([](std::size_t number, const StubRequest&) {
    return number == 1 ? stub_answer(500, "Cannot read properties of undefined (reading 'textMessage')")
                       : stub_answer(201, "{}");
  });
  EXPECT_TRUE(deliver("evolution", "{url: " + server.url() + ", " + kEvolution, alert()).accepted);
  EXPECT_EQ(nlohmann::json::parse(server.requests().at(1).body)["textMessage"]["text"], plain_text(alert()));
}

TEST(Evolution, TellsAnUnknownNumberFromAFailureWhileItSent) {
  HttpStub unknown(
      always(stub_answer(400, R"({"status":400,"response":{"message":[{"exists":false,"number":"34600"}]}})")));
  EXPECT_FALSE(deliver("evolution", "{url: " + unknown.url() + ", " + kEvolution, alert()).retry);
  HttpStub failed(always(stub_answer(400, R"({"status":400,"response":{"message":"Connection Closed"}})")));
  EXPECT_TRUE(deliver("evolution", "{url: " + failed.url() + ", " + kEvolution, alert()).retry);
  HttpStub refused(always(stub_answer(401, kHidden)));
  const Attempt attempt = deliver("evolution", "{url: " + refused.url() + ", " + kEvolution, alert());
  EXPECT_FALSE(attempt.retry);
  EXPECT_EQ(attempt.detail.find(kHidden), std::string::npos);
}

TEST(CommandChannel, GivesTheMessageAsJsonAndNothingOfOurEnvironment) {
  const TemporaryDirectory directory;
  ::setenv("ANCLORA_TEST_SECRET", kHidden, 1);
  const std::string out = directory / "out";
  const Attempt attempt = deliver("command", "{argv: [sh, -c, \"cat > " + out + "; env >> " + out + "\"]}", alert());
  EXPECT_TRUE(attempt.accepted) << attempt.detail;
  const Bytes written = posix_file_system().read_all(out, kMiB).value();
  const auto message = nlohmann::json::parse(written.substr(0, written.find('\n')));
  EXPECT_EQ(message["subject"], alert().subject);
  EXPECT_EQ(message["acknowledge"], "anclora incident ack inc-1");
  EXPECT_EQ(written.find(kHidden), std::string::npos);
}

TEST(CommandChannel, AsksForAnotherAttemptOnlyWhereItsExitCodeSaysSo) {
  const Attempt passing = deliver("command", "{argv: [sh, -c, \"echo busy; exit 75\"]}", alert());
  EXPECT_TRUE(passing.retry);
  EXPECT_EQ(passing.detail, "sh ended with 75: busy");
  EXPECT_FALSE(deliver("command", "{argv: [sh, -c, exit 1]}", alert()).retry);
  EXPECT_FALSE(deliver("command", "{argv: [/no/such/program]}", alert()).accepted);
}

TEST(CommandChannel, AProgramThatHangsIsStopped) {
  Witness witness;
  const MonoTime before = system_clock().mono_now();
  const Attempt attempt = deliver("command", "{argv: [sleep, \"60\"]}", alert(), 300ms);
  EXPECT_FALSE(attempt.accepted);
  EXPECT_LT(system_clock().mono_now() - before, witness.limit(5s));
}

TEST(Smtp, RefusesSettingsThatWouldSendWhatItMustNot) {
  const auto wrong = [](const std::string& settings) { return channel_of("smtp", settings).error().to_string(); };
  EXPECT_NE(wrong("{to: \"a@b\\r\\nDATA\", server: smtp://127.0.0.1:1}").find("to: it is no e-mail address"),
            std::string::npos);
  EXPECT_NE(wrong("{to: a@b.net, server: http://x}").find("server"), std::string::npos);
  EXPECT_NE(wrong("{to: a@b.net, server: \"smtp://anna:pw@mail.net\"}").find("user name"), std::string::npos);
  EXPECT_NE(wrong("{to: a@b.net, server: smtp://mail.net, username: u}").find("the other of the two"),
            std::string::npos);
  EXPECT_NE(wrong("{to: a@b.net, server: smtp://mail.net, username: u, password: env:HIDDEN, tls: none}")
                .find("in the clear"),
            std::string::npos);
}

TEST(Phone, IsForAPersonToDial) {
  EXPECT_EQ(channel_of("phone", "{number: \"+34 600 123 457\"}").error().kind(), ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace anclora::respond
