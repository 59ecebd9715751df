#include "respond/actions/queue_api.h"

#include <algorithm>
#include <chrono>

#include "plan/model/value_access.h"

namespace anclora::respond {
namespace {

constexpr Duration kLongestRequest = std::chrono::seconds(5);

}  // namespace

Result<QueueApi> queue_api_of(StepContext& context) {
  const plan::Target& queue = context.target(plan::text_of(context.step().with, "target"));
  QueueApi api;
  api.add_path = plan::text_of(queue.settings, "add_path", "/queue/add");
  api.metrics_path = plan::text_of(queue.settings, "metrics_path", "/queue/metrics");
  if (const std::string http = plan::text_of(queue.settings, "api"); !http.empty()) {
    ASSIGN_OR_RETURN(const Secret url, context.resolve(plan::text_of(context.target(http).settings, "url")));
    api.base = url.reveal();
  }
  while (api.base.ends_with('/')) api.base.pop_back();
  if (const std::string key = plan::text_of(queue.settings, "api_key"); !key.empty()) {
    ASSIGN_OR_RETURN(const Secret resolved, context.resolve(key));
    api.api_key = resolved.reveal();
  }
  return api;
}

Result<storage::HttpResponse> send_to(const QueueApi& api, StepContext& context, std::string method, std::string url,
                                      const storage::Body* body) {
  storage::HttpOptions options;
  options.connect_timeout = options.total_timeout = options.stall_timeout = std::clamp<Duration>(
      context.deadline() - context.clock().mono_now(), std::chrono::milliseconds(1), kLongestRequest);
  storage::HttpClient client(options);
  storage::HttpRequest request{.method = std::move(method), .url = std::move(url), .headers = {}, .body = body};
  request.headers = {{"content-type", "application/json"}, {"idempotency-key", context.idempotency_token()}};
  if (!api.api_key.empty()) request.headers.emplace_back("x-api-key", api.api_key);
  return client.send(request);
}

}  // namespace anclora::respond
