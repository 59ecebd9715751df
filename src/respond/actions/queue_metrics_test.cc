#include "respond/actions/queue_metrics.h"

#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"
#include "base/testing/tls_authority.h"
#include "redis/testing/redis_server.h"
#include "respond/testing/http_stub.h"
#include "respond/testing/lone_step.h"

namespace anclora::respond {
namespace {

using redis::RedisServer;
using testing::HttpStub;
using testing::LoneStep;
using testing::stub_answer;

TEST(QueueCounts, AreReadFromTheServicesAnswer) {
  const auto counts = read_queue_counts(R"({"waiting": 7, "active": 1, "failed": 2, "completed": 100, "dlq": 3})");
  ASSERT_TRUE(counts.has_value());
  EXPECT_EQ(counts->to_string(), "7 waiting, 1 active, 0 delayed, 2 failed, 100 completed");
  for (const char* text : {"", "[]", "{}", "{\"other\": 1}", "{\"waiting\": -1}", "{\"waiting\": \"7\"}"})
    EXPECT_EQ(read_queue_counts(text).error().kind(), ErrorKind::kFailedPrecondition) << text;
}

LoneStep step_on(const std::string& with, const std::string& api, const std::string& redis) {
  LoneStep step("queue.metrics", with);
  step.add_target("jobs", "queue",
                  "{redis: main, name: mail, prefix: bull" + std::string(api.empty() ? "" : ", api: api") + "}");
  if (!api.empty()) step.add_target("api", "http", "{url: \"" + api + "\"}");
  step.add_target("main", "redis", "{url: \"" + redis + "\"}");
  return step;
}

TEST(QueueMetrics, CountsTheQueueInRedis) {
  const auto server = RedisServer::start();
  for (const char* job : {"1", "2", "3"}) server->command({"LPUSH", "bull:mail:wait", job});
  server->command({"LPUSH", "bull:mail:active", "4"});
  server->command({"ZADD", "bull:mail:failed", "1", "5"});
  const auto action = make_queue_metrics(system_dialer());
  LoneStep within = step_on("{target: jobs, max_waiting: 3, max_failed: 1}", "", server->url().to_string());
  const auto outcome = action->execute(within);
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message();
  EXPECT_EQ(outcome->outputs.at("waiting"), "3");
  EXPECT_EQ(outcome->outputs.at("active"), "1");
  LoneStep beyond = step_on("{target: jobs, max_waiting: 2}", "", server->url().to_string());
  beyond.set_deadline(std::chrono::milliseconds(500));
  EXPECT_EQ(action->execute(beyond).error().kind(), ErrorKind::kDeadlineExceeded);
  server->command({"SET", "bull:mail:delayed", "of another type"});
  std::string told;
  // As soon as this machine can: it looks until its time is over, and the server has to answer within that.
  for (auto time = std::chrono::milliseconds(300); time < std::chrono::seconds(60); time *= 2) {
    beyond.set_deadline(time);
    told = action->execute(beyond).error().message();
    if (told.find("bull:mail:delayed") != std::string::npos) break;
  }
  EXPECT_NE(told.find("bull:mail:delayed"), std::string::npos) << told;
}

TEST(QueueMetrics, WaitsUntilJobsFinish) {
  const HttpStub service([](std::size_t number, const testing::StubRequest&) {
    return number < 3 ? stub_answer(503)
                      : stub_answer(200, "{\"waiting\": 5, \"completed\": " + std::to_string(number / 5) + "}");
  });
  LoneStep step = step_on("{target: jobs, moving: true}", service.url(), "redis://127.0.0.1:1");
  const auto outcome = make_queue_metrics(system_dialer())->execute(step);
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message();
  EXPECT_EQ(outcome->outputs.at("waiting"), "5");
  EXPECT_GE(service.requests().size(), 5U);
}

TEST(QueueMetrics, AsksTheServiceAsItsTargetSays) {
  const TemporaryDirectory folder;
  const TlsAuthority authority(folder.path(), "ours");
  const TlsOptions tls = authority.issue("named", "DNS:api.invalid");
  const HttpStub service([](std::size_t, const testing::StubRequest&) { return stub_answer(200, "{\"waiting\": 5}"); },
                         &tls);
  LoneStep step("queue.metrics", "{target: jobs}");
  step.add_target("jobs", "queue", "{redis: main, name: mail, api: api}");
  const std::string address = service.url("https").substr(8);
  step.add_target("api", "http",
                  "{url: \"https://api.invalid\", resolve_to: \"" + address + "\", ca_file: " + authority.ca_file() +
                      ", headers: [{id: X-Zone, value: dr}]}");
  step.add_target("main", "redis", "{url: \"redis://127.0.0.1:1\"}");
  const auto outcome = make_queue_metrics(system_dialer())->execute(step);
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message();
  EXPECT_EQ(outcome->outputs.at("waiting"), "5");
  EXPECT_EQ(service.requests().at(0).header("Host"), "api.invalid");
  EXPECT_EQ(service.requests().at(0).header("X-Zone"), "dr");
}

}  // namespace
}  // namespace anclora::respond
