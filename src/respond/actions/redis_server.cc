#include "respond/actions/redis_server.h"

#include <fmt/format.h>

#include <algorithm>

#include "plan/model/value_access.h"

namespace anclora::respond {

PlanLookup lookup_of(StepContext& context) {
  return {[&context](std::string_view id) -> const plan::Target& { return context.target(id); },
          [&context](std::string_view reference) { return context.resolve(reference); }};
}

Result<redis::RedisUrl> redis_url_of(StepContext& context, const plan::Target& target) {
  return redis_url_of(lookup_of(context), target);
}

Result<std::unique_ptr<redis::Client>> connect_to(StepContext& context, Dialer& dialer, const redis::RedisUrl& url) {
  const Duration left = context.deadline() - context.clock().mono_now();
  if (left <= Duration::zero()) return Error(ErrorKind::kDeadlineExceeded, "the step's time is over");
  redis::ClientOptions options;
  options.connect_timeout = std::min<Duration>(left, std::chrono::seconds(5));
  options.command_timeout = std::min<Duration>(left, std::chrono::seconds(10));
  return redis::Client::connect(url, dialer, context.clock(), options);
}

Result<std::string> server_named_by(StepContext& context, std::string_view key) {
  const plan::Value& with = context.step().with;
  for (const std::string& step : plan::texts_of(with, "from")) {
    const auto outputs = context.outputs_of(step);
    if (!outputs.has_value()) continue;
    if (const auto found = outputs->find("target"); found != outputs->end()) return found->second;
  }
  if (std::string named = plan::text_of(with, key); !named.empty()) return named;
  return Error(ErrorKind::kFailedPrecondition,
               fmt::format("none of the steps in \"from\" left a server, and \"{}\" is not given", key),
               "do one of those steps, or name the server");
}

}  // namespace anclora::respond
