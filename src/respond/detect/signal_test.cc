#include "respond/detect/signal.h"

#include <gtest/gtest.h>

namespace anclora::respond {
namespace {

TEST(Signal, ReadsAlertmanagersAlertsOneByOne) {
  const auto signals = parse_signals(R"({"version":"4","status":"firing","alerts":[
      {"status":"firing","labels":{"alertname":"RedisDown","severity":"critical"},)"
                                     R"("annotations":{"summary":"Redis is down"},
       "startsAt":"2026-11-24T03:00:00.5Z","fingerprint":"ab12"},
      {"status":"resolved","labels":{"alertname":"Lag"},"fingerprint":"cd34"}]})");
  ASSERT_TRUE(signals.has_value()) << signals.error().message();
  ASSERT_EQ(signals->size(), 2U);
  EXPECT_EQ((*signals)[0].title, "Redis is down");
  EXPECT_EQ((*signals)[0].severity, "critical");
  EXPECT_EQ((*signals)[0].id, "ab12");
  EXPECT_TRUE((*signals)[0].firing);
  EXPECT_EQ(format_rfc3339(*(*signals)[0].since), "2026-11-24T03:00:00.500000Z");
  EXPECT_EQ((*signals)[1].title, "Lag");
  EXPECT_FALSE((*signals)[1].firing);
}

TEST(Signal, ReadsSentrysIssueAndMetricAlerts) {
  const auto issue = parse_signals(
      R"({"action":"triggered","data":{"event":{"event_id":"e1","title":"Unusual API activity","level":"error"}}})");
  ASSERT_TRUE(issue.has_value());
  EXPECT_EQ(issue->at(0).source, "sentry");
  EXPECT_EQ(issue->at(0).title, "Unusual API activity");
  EXPECT_EQ(issue->at(0).severity, "error");
  const auto metric =
      parse_signals(R"({"action":"resolved","data":{"metric_alert":{"id":"7","alert_rule":{"name":"Error rate"}}}})");
  ASSERT_TRUE(metric.has_value());
  EXPECT_EQ(metric->at(0).title, "Error rate");
  EXPECT_FALSE(metric->at(0).firing);
}

TEST(Signal, ReadsACloudWatchAlarmWithinSns) {
  const auto signals =
      parse_signals(R"({"Type":"Notification","MessageId":"m1","Subject":"ALARM",)"
                    R"("Message":"{\"AlarmName\":\"redis\",\"NewStateValue\":\"ALARM\",)"
                    R"(\"NewStateReason\":\"no data\",\"StateChangeTime\":\"2026-11-24T03:00:00.000+0000\"}"})");
  ASSERT_TRUE(signals.has_value());
  EXPECT_EQ(signals->at(0).source, "cloudwatch");
  EXPECT_EQ(signals->at(0).title, "redis: no data");
  EXPECT_TRUE(signals->at(0).firing);
  ASSERT_TRUE(signals->at(0).since);
  EXPECT_EQ(format_rfc3339(*signals->at(0).since), "2026-11-24T03:00:00.000000Z");
}

TEST(Signal, ReadsAGuardDutyFindingAloneAndWithinSns) {
  const std::string finding =
      R"({"source":"aws.guardduty","detail-type":"GuardDuty Finding","time":"2026-11-24T03:00:00Z",)"
      R"("detail":{"id":"f1","severity":8,"title":"Credentials used from a remote host"}})";
  const auto alone = parse_signals(finding);
  ASSERT_TRUE(alone.has_value());
  EXPECT_EQ(alone->at(0).source, "guardduty");
  EXPECT_EQ(alone->at(0).severity, "8");
  std::string escaped;
  for (const char c : finding) escaped += c == '"' ? std::string("\\\"") : std::string(1, c);
  const auto wrapped = parse_signals(R"({"Type":"Notification","MessageId":"m","Message":")" + escaped + "\"}");
  ASSERT_TRUE(wrapped.has_value());
  EXPECT_EQ(wrapped->at(0).id, "f1");
}

TEST(Signal, OpensNoAddressThatItIsTold) {
  const auto asked =
      parse_signals(R"({"Type":"SubscriptionConfirmation","SubscribeURL":"https://sns.example/confirm"})");
  ASSERT_FALSE(asked.has_value());
  EXPECT_EQ(asked.error().kind(), ErrorKind::kFailedPrecondition);
  EXPECT_NE(asked.error().hint().find("https://sns.example/confirm"), std::string::npos);
}

TEST(Signal, RefusesWhatItDoesNotKnowWithoutFalling) {
  for (const std::string& body :
       {std::string(), std::string("[]"), std::string("{}"), std::string("7"), std::string("{\"alerts\":7}"),
        std::string("{\"Type\":\"x\"}"), std::string("{\"action\":1,\"data\":{}}"), std::string("\xff\xfe"),
        "{\"alerts\":" + std::string(500'000, '[')})
    EXPECT_FALSE(parse_signals(body).has_value()) << body.substr(0, 60);
  const auto odd = parse_signals(R"({"alerts":[7,null,{"labels":[],"annotations":3,"startsAt":{}}]})");
  ASSERT_TRUE(odd.has_value());
  EXPECT_EQ(odd->size(), 3U);
}

TEST(Signal, MakesATitleFitForATerminal) {
  const auto signals = parse_signals("{\"title\":\"a\\u001b[2Jb\\nc" + std::string(1000, 'x') + "\"}");
  ASSERT_TRUE(signals.has_value());
  EXPECT_EQ(signals->at(0).title.substr(0, 8), "a [2Jb c");
  EXPECT_LE(signals->at(0).title.size(), 300U);
}

TEST(Signal, IsAuthenticOnlyWithTheSharedSecret) {
  const Secret secret("s3cret");
  EXPECT_TRUE(signal_is_authentic({"Bearer s3cret", "", ""}, "{}", secret));
  EXPECT_TRUE(signal_is_authentic({"", "s3cret", ""}, "{}", secret));
  // printf '{}' | openssl dgst -sha256 -hmac s3cret
  EXPECT_TRUE(
      signal_is_authentic({"", "", "adbde1ce40c89c14215687d5d762a47df6dfaefcfad61e2e86718ffc8498571b"}, "{}", secret));
  EXPECT_FALSE(signal_is_authentic({"Bearer wrong", "wrong", "wrong"}, "{}", secret));
  EXPECT_FALSE(signal_is_authentic({"", "", ""}, "{}", secret));
  EXPECT_FALSE(signal_is_authentic({"Bearer ", "", ""}, "{}", Secret()));
}

}  // namespace
}  // namespace anclora::respond
