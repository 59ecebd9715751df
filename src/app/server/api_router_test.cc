#include "app/server/api_router.h"

#include <gtest/gtest.h>

#include "app/server/testing/fake_api.h"

namespace anclora::app {
namespace {

class ApiRouterTest : public ::testing::Test {
 protected:
  ApiReply ask(const std::string& method, const std::string& path, const std::string& body = {},
               const std::string& token = "one-token-for-all-of-us", const std::string& host = "127.0.0.1:7373") {
    api.last.clear();
    return answer(api, rules, {method, path, body, host, {token.empty() ? "" : "Bearer " + token, "", ""}});
  }
  FakeApi api;
  ApiRules rules{*parse_tokens("one-token-for-all-of-us\nada:adas-own-token-0001\n"),
                 Secret("the alert secret"),
                 true,
                 {"127.0.0.1", "localhost"}};
};

TEST_F(ApiRouterTest, AnswersEveryPathForWhoHasAToken) {
  for (const char* what : {"status", "probes", "verdicts", "incidents", "runs", "drills"}) {
    EXPECT_EQ(ask("GET", std::string("/api/") + what).status, 200);
    EXPECT_EQ(api.last, what);
  }
  ask("GET", "/api/runs/lost-1");
  EXPECT_EQ(api.last, "run lost-1");
  ask("GET", "/api/incidents/i-1");
  EXPECT_EQ(api.last, "incident i-1");
  ask("POST", "/api/runs", R"({"scenario": "lost", "as": "bob"})");
  EXPECT_EQ(api.last, "start lost as bob");
  ask("POST", "/api/runs/lost-1/approve", R"({"as": "bob", "step": "switch", "text": "go"})");
  EXPECT_EQ(api.last, "run lost-1 approve switch bob go");
  ask("POST", "/api/incidents/i-1/ack", R"({"as": "bob"})");
  EXPECT_EQ(api.last, "incident i-1 ack  bob ");
  ask("POST", "/api/rules/gone/release", R"({"as": "bob"})");
  EXPECT_EQ(api.last, "rule gone release  bob ");
}

TEST_F(ApiRouterTest, RefusesWhoHasNoTokenOrAWrongOneButForHealthAndMetrics) {
  for (const char* token : {"", "wrong", "one-token-for-all-of-u", "one-token-for-all-of-us "}) {
    EXPECT_EQ(ask("GET", "/api/status", "", token).status, 401) << token;
    EXPECT_EQ(ask("POST", "/api/runs", R"({"scenario": "lost"})", token).status, 401) << token;
    EXPECT_EQ(api.last, "");
    EXPECT_EQ(ask("GET", "/health", "", token).status, 200);
    EXPECT_EQ(ask("GET", "/metrics", "", token).status, 200);
  }
  rules.metrics_are_open = false;
  EXPECT_EQ(ask("GET", "/metrics", "", "").status, 401);
  EXPECT_EQ(ask("GET", "/metrics").status, 200);
  rules.tokens.clear();
  EXPECT_EQ(ask("GET", "/api/status", "", "").status, 401);
}

TEST_F(ApiRouterTest, RefusesAHostNameThatIsNotOurs) {
  for (const char* host : {"evil.example", "127.0.0.1.evil.example", "", "evil.example:7373"}) {
    EXPECT_EQ(ask("GET", "/api/status", "", "one-token-for-all-of-us", host).status, 403) << host;
    EXPECT_EQ(ask("GET", "/metrics", "", "", host).status, 403) << host;
  }
  EXPECT_EQ(ask("GET", "/health", "", "", "LocalHost").status, 200);
}

TEST_F(ApiRouterTest, APersonsTokenSpeaksForNobodyElse) {
  EXPECT_EQ(ask("POST", "/api/runs/r/approve", R"({"as": "bob"})", "adas-own-token-0001").status, 403);
  EXPECT_EQ(api.last, "");
  EXPECT_EQ(ask("POST", "/api/runs/r/approve", "", "adas-own-token-0001").status, 200);
  EXPECT_EQ(api.last, "run r approve  ada ");
}

TEST_F(ApiRouterTest, TakesAlertsByTheirOwnSecretOnly) {
  EXPECT_EQ(ask("POST", "/alerts", "[]").status, 401);
  EXPECT_EQ(ask("POST", "/alerts", "[]", "the alert secret").status, 200);
  EXPECT_EQ(api.last, "alerts []");
  EXPECT_EQ(ask("GET", "/api/status", "", "the alert secret").status, 401);
  EXPECT_EQ(ask("GET", "/alerts", "", "the alert secret").status, 405);
  rules.alert_secret = Secret();
  EXPECT_EQ(ask("POST", "/alerts", "[]", "").status, 401);
}

TEST_F(ApiRouterTest, RefusesWhatItDoesNotKnow) {
  for (const char* path :
       {"/", "/api", "/api/", "/api/x", "/api/runs/a/b", "/api/runs/a/approve/b", "//api/status", ""})
    EXPECT_EQ(ask("GET", path).status, 404) << path;
  EXPECT_EQ(ask("POST", "/api/runs/r/explode", "{}").status, 404);
  EXPECT_EQ(ask("DELETE", "/api/runs/r").status, 405);
  for (const char* body : {"[]", "{", "7", R"({"as": 7})", R"({"other": "x"})", R"({"as": {"a": "b"}})"})
    EXPECT_EQ(ask("POST", "/api/runs/r/approve", body).status, 400) << body;
  EXPECT_EQ(api.last, "");
}

TEST_F(ApiRouterTest, TellsAnErrorAsTheCommandLineDoes) {
  const ApiReply reply = ask("GET", "/api/runs/none");
  EXPECT_EQ(reply.status, 404);
  EXPECT_NE(reply.body.find("\"message\": \"there is no run none\""), std::string::npos) << reply.body;
  api.well = false;
  EXPECT_EQ(ask("GET", "/health").status, 503);
}

TEST(ApiTokens, AreReadFromAFileWithCommentsAndNames) {
  const auto tokens = parse_tokens("# ours\n\nada:adas-own-token-0001\r\nanother-token-of-16\n");
  ASSERT_TRUE(tokens.has_value());
  ASSERT_EQ(tokens->size(), 2U);
  EXPECT_EQ(tokens->at(0).contact, "ada");
  EXPECT_EQ(tokens->at(1).contact, "");
  for (const char* text : {"", "# none\n", "short\n", "ada:short\n"})
    EXPECT_FALSE(parse_tokens(text).has_value()) << text;
}

}  // namespace
}  // namespace anclora::app
