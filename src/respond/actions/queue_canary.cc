#include "respond/actions/queue_canary.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "plan/model/value_access.h"
#include "respond/actions/queue_api.h"

namespace anclora::respond {
namespace {

constexpr Duration kPoll = std::chrono::milliseconds(50);

std::string text_at(const nlohmann::json& json, const char* name) {
  if (!json.is_object()) return {};
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

class CanaryAction final : public Action {
 public:
  Result<Observation> probe(StepContext& context) override {
    ASSIGN_OR_RETURN(const QueueApi api, api_of(context));
    Observation seen;
    seen.done = Done::kNo;  // a canary proves the moment at which it flies: a resumed run sends another
    seen.current = "not sent";
    seen.desired = "a probe job is consumed";
    seen.call = "POST " + api.base + api.add_path;
    return seen;
  }

  Result<Outcome> execute(StepContext& context) override {
    ASSIGN_OR_RETURN(const QueueApi api, api_of(context));
    const MonoTime start = context.clock().mono_now();
    RETURN_IF_ERROR(context.before_change("POST a probe job to " + api.base + api.add_path));
    const MonoTime due = due_of(context, start);
    ASSIGN_OR_RETURN(const nlohmann::json added, add(context, api, due));
    const std::string id = text_at(added, "messageId");
    const std::string where = text_at(added, "probeUrl");
    if (where.empty())
      return Error(ErrorKind::kFailedPrecondition, "the service does not say where its probe job can be watched",
                   "answer a probe with {\"messageId\", \"probeUrl\"}, as examples/whatsapp-service does");
    RETURN_IF_ERROR(wait_until_consumed(context, api, where, due));
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(context.clock().mono_now() - start);
    return Outcome{fmt::format("a probe job was consumed after {} ms", took.count()),
                   {{"message_id", id}, {"latency_ms", std::to_string(took.count())}}};
  }

  Status verify(StepContext&) override { return {}; }  // it was seen consumed
  Result<Outcome> undo(StepContext&) override { return Outcome{"a probe job has no effect", {}}; }

 private:
  static Result<QueueApi> api_of(StepContext& context) {
    ASSIGN_OR_RETURN(QueueApi api, queue_api_of(context));
    if (!api.base.empty()) return api;
    return Error(ErrorKind::kInvalidArgument,
                 plan::text_of(context.step().with, "target") + " has no api: nobody can send a job by it",
                 "give the queue target `api`, or leave the canary out");
  }

  // When it must have been seen consumed: `within` after the canary set out.
  static MonoTime due_of(StepContext& context, MonoTime start) {
    const Duration within = plan::duration_of(context.step().with, "within");
    return within > Duration::zero() ? std::min(context.deadline(), start + within) : context.deadline();
  }

  static Result<nlohmann::json> add(StepContext& context, const QueueApi& api, MonoTime due) {
    const std::string payload = plan::text_of(context.step().with, "payload", R"({"test":"message"})");
    const storage::MemoryBody body(payload);
    while (true) {
      auto response = send_to(api, context, "POST", api.base + api.add_path, &body, due);
      if (response.has_value() && response->status / 100 == 2) {
        auto json = nlohmann::json::parse(response->body, nullptr, false);
        if (json.is_object()) return json;
        return Error(ErrorKind::kFailedPrecondition, "the service answers the probe job with something else than JSON");
      }
      // A service that is just starting refuses or answers 503 for a while; a probe job may be sent twice.
      const std::string said =
          response.has_value() ? fmt::format("status {}", response->status) : response.error().message();
      const bool lasting = response.has_value() && response->status / 100 == 4 && response->status != 429;
      if (lasting || context.cancelled() || context.clock().mono_now() >= due)
        return Error(ErrorKind::kFailedPrecondition, fmt::format("the service does not take a probe job: {}", said),
                     "look at the service's log, its API key and its Redis");
      context.clock().sleep_for(kPoll);
    }
  }

  static Status wait_until_consumed(StepContext& context, const QueueApi& api, const std::string& where, MonoTime due) {
    const std::string url = where.starts_with("http") ? where : api.base + where;
    std::string said = "nothing";
    while (true) {
      auto response = send_to(api, context, "GET", url, nullptr, due);
      // What is heard too late proves nothing of the time that was promised.
      const bool late = context.clock().mono_now() >= due;
      if (response.has_value() && response->status == 200) {
        said = text_at(nlohmann::json::parse(response->body, nullptr, false), "state");
        if (said == "consumed" && !late) return {};
        if (said == "consumed") said = "consumed too late";
      } else if (response.has_value()) {
        said = fmt::format("status {}", response->status);
      }
      if (late || context.cancelled())
        return Error(ErrorKind::kDeadlineExceeded,
                     fmt::format("the probe job was taken but not consumed in time: {}", said),
                     "are workers running, and on the same Redis as the API? Is the queue paused?");
      context.clock().sleep_for(kPoll);
    }
  }
};

}  // namespace

std::unique_ptr<Action> make_queue_canary() { return std::make_unique<CanaryAction>(); }

}  // namespace anclora::respond
