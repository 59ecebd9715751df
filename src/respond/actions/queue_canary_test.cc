#include "respond/actions/queue_canary.h"

#include <gtest/gtest.h>

#include "respond/testing/http_stub.h"
#include "respond/testing/lone_step.h"

namespace anclora::respond {
namespace {

using std::chrono::milliseconds;
using testing::HttpStub;
using testing::LoneStep;
using testing::stub_answer;

LoneStep canary_to(const HttpStub& service, const std::string& within) {
  LoneStep step("queue.canary", "{target: jobs, within: " + within + "}");
  step.add_target("jobs", "queue", "{redis: main, name: mail, api: api}");
  step.add_target("api", "http", "{url: \"" + service.url() + "\"}");
  step.add_target("main", "redis", "{url: \"redis://127.0.0.1:1\"}");
  return step;
}

std::string sent() { return stub_answer(200, R"({"messageId": "m1", "probeUrl": "/probe/m1"})"); }

TEST(QueueCanary, PassesOnceItsJobIsConsumed) {
  const HttpStub service([](std::size_t number, const testing::StubRequest&) {
    if (number == 1) return sent();
    return stub_answer(200, number < 4 ? R"({"state": "waiting"})" : R"({"state": "consumed"})");
  });
  LoneStep step = canary_to(service, "60s");
  const auto outcome = make_queue_canary()->execute(step);
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message();
  EXPECT_EQ(outcome->outputs.at("message_id"), "m1");
}

// The answer to the one look comes after the time is over, however slow the machine is.
TEST(QueueCanary, FailsWhenItHearsOfItTooLate) {
  const HttpStub service([](std::size_t number, const testing::StubRequest&) {
    if (number == 1) return sent();
    system_clock().sleep_for(milliseconds(400));
    return stub_answer(200, R"({"state": "consumed"})");
  });
  LoneStep step = canary_to(service, "300ms");
  const auto outcome = make_queue_canary()->execute(step);
  ASSERT_FALSE(outcome.has_value());
}

TEST(QueueCanary, FailsWhenTheServiceTakesItsJobTooLate) {
  const HttpStub service([](std::size_t number, const testing::StubRequest&) {
    if (number == 1) {
      system_clock().sleep_for(milliseconds(400));
      return sent();
    }
    return stub_answer(200, R"({"state": "consumed"})");
  });
  LoneStep step = canary_to(service, "300ms");
  EXPECT_FALSE(make_queue_canary()->execute(step).has_value());
}

}  // namespace
}  // namespace anclora::respond
