#include "respond/actions/queue_metrics.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <vector>

#include "plan/model/value_access.h"
#include "respond/actions/queue_api.h"
#include "respond/actions/redis_server.h"

namespace anclora::respond {
namespace {

constexpr Duration kBetweenLooks = std::chrono::milliseconds(50);

class MetricsAction final : public Action {
 public:
  explicit MetricsAction(Dialer& dialer) : dialer_(dialer) {}

  Result<Observation> probe(StepContext& context) override {
    Observation seen;
    seen.done = Done::kNo;  // looking is all: a resumed run looks again
    seen.desired = wanted(context);
    seen.call = "read the queue's counts";
    ASSIGN_OR_RETURN(const QueueCounts counts, look(context));
    seen.current = counts.to_string();
    return seen;
  }

  Result<Outcome> execute(StepContext& context) override {
    std::optional<QueueCounts> first;
    std::string said;
    while (true) {
      auto counts = look(context);
      if (counts.has_value()) {
        if (!first) first = *counts;
        said = counts->to_string();
        const std::string complaint = complain(context, *first, *counts);
        if (complaint.empty()) return Outcome{said, outputs_of(*counts)};
        said += ": " + complaint;
      } else {
        said = counts.error().message();
      }
      if (context.cancelled() || context.clock().mono_now() + kBetweenLooks >= context.deadline())
        return Error(ErrorKind::kDeadlineExceeded, "the queue is not in order: " + said,
                     "look at the service's log; are workers running, is the queue paused?");
      context.clock().sleep_for(kBetweenLooks);
    }
  }

  Status verify(StepContext&) override { return {}; }  // looking was all
  Result<Outcome> undo(StepContext&) override { return Outcome{"nothing was changed", {}}; }

 private:
  static std::string wanted(StepContext& context) {
    const plan::Value& with = context.step().with;
    std::string text = "counts";
    for (const char* word : {"max_waiting", "max_failed", "moving"})
      if (const std::string value = plan::text_of(with, word); !value.empty())
        text += fmt::format(", {} {}", word, value);
    return text;
  }

  static std::string complain(StepContext& context, const QueueCounts& first, const QueueCounts& now) {
    const plan::Value& with = context.step().with;
    const auto beyond = [&](const char* word, std::uint64_t count) {
      return with.find(word) != nullptr && count > plan::integer_of(with, word, 0);
    };
    if (beyond("max_waiting", now.waiting)) return "more wait than the plan allows";
    if (beyond("max_failed", now.failed)) return "more have failed than the plan allows";
    const bool moved = now.completed > first.completed || now.waiting < first.waiting || now.waiting + now.active == 0;
    if (plan::boolean_of(with, "moving", false) && !moved) return "no job is finishing";
    return {};
  }

  static Outputs outputs_of(const QueueCounts& counts) {
    return {{"waiting", std::to_string(counts.waiting)},
            {"active", std::to_string(counts.active)},
            {"delayed", std::to_string(counts.delayed)},
            {"failed", std::to_string(counts.failed)},
            {"completed", std::to_string(counts.completed)}};
  }

  Result<QueueCounts> look(StepContext& context) {
    ASSIGN_OR_RETURN(const QueueApi api, queue_api_of(context));
    if (api.base.empty()) return ask_redis(context);
    ASSIGN_OR_RETURN(const auto response, send_to(api, context, "GET", api.base + api.metrics_path, nullptr));
    if (response.status == 200) return read_queue_counts(response.body);
    return Error(ErrorKind::kUnavailable,
                 fmt::format("the service answers {} with {}", api.metrics_path, response.status));
  }

  // Bull's and BullMQ's own keys.
  Result<QueueCounts> ask_redis(StepContext& context) {
    const plan::Target& queue = context.target(plan::text_of(context.step().with, "target"));
    const plan::Target& server = context.target(plan::text_of(queue.settings, "redis"));
    ASSIGN_OR_RETURN(const redis::RedisUrl url, redis_url_of(context, server));
    ASSIGN_OR_RETURN(const auto client, connect_to(context, dialer_, url));
    const std::string stem =
        plan::text_of(queue.settings, "prefix", "bull") + ":" + plan::text_of(queue.settings, "name") + ":";
    const std::vector<std::vector<std::string>> commands = {{"LLEN", stem + "wait"},         {"LLEN", stem + "paused"},
                                                            {"ZCARD", stem + "prioritized"}, {"LLEN", stem + "active"},
                                                            {"ZCARD", stem + "delayed"},     {"ZCARD", stem + "failed"},
                                                            {"ZCARD", stem + "completed"}};
    ASSIGN_OR_RETURN(const auto replies, client->pipeline(commands));
    std::vector<std::uint64_t> counts;
    for (std::size_t i = 0; i < replies.size(); ++i) {
      if (replies[i].is_error())
        return Error(ErrorKind::kFailedPrecondition, fmt::format("{}: {}", commands[i][1], replies[i].text),
                     "that is no queue of Bull or BullMQ: look at the target's name and prefix");
      counts.push_back(static_cast<std::uint64_t>(replies[i].integer));
    }
    return QueueCounts{counts[0] + counts[1] + counts[2], counts[3], counts[4], counts[5], counts[6]};
  }

  Dialer& dialer_;
};

}  // namespace

std::string QueueCounts::to_string() const {
  return fmt::format("{} waiting, {} active, {} delayed, {} failed, {} completed", waiting, active, delayed, failed,
                     completed);
}

Result<QueueCounts> read_queue_counts(std::string_view json) {
  const auto read = nlohmann::json::parse(json, nullptr, false);
  const Error malformed(ErrorKind::kFailedPrecondition, "the service's metrics are no counts of a queue",
                        "answer {\"waiting\": 0, \"active\": 0, \"delayed\": 0, \"failed\": 0, \"completed\": 0}");
  if (!read.is_object()) return malformed;
  QueueCounts counts;
  bool any = false;
  for (const auto& [name, count] : {std::pair("waiting", &counts.waiting), std::pair("active", &counts.active),
                                    std::pair("delayed", &counts.delayed), std::pair("failed", &counts.failed),
                                    std::pair("completed", &counts.completed)}) {
    const auto found = read.find(name);
    if (found == read.end()) continue;
    if (!found->is_number_unsigned()) return malformed;
    *count = found->get<std::uint64_t>();
    any = true;
  }
  if (!any) return malformed;
  return counts;
}

std::unique_ptr<Action> make_queue_metrics(Dialer& dialer) { return std::make_unique<MetricsAction>(dialer); }

}  // namespace anclora::respond
