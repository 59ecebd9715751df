#include "respond/actions/queue_api.h"

#include <algorithm>
#include <chrono>

#include "plan/model/value_access.h"
#include "respond/actions/redis_server.h"
#include "respond/detect/probe_maker.h"

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
    ASSIGN_OR_RETURN(HttpTarget place, http_target_of(lookup_of(context), context.target(http)));
    api.base = place.url;
    api.ca_file = place.ca_file;
    api.connect_to = place.connect_to;
    api.headers = std::move(place.headers);
  }
  while (api.base.ends_with('/')) api.base.pop_back();
  if (const std::string key = plan::text_of(queue.settings, "api_key"); !key.empty()) {
    ASSIGN_OR_RETURN(const Secret resolved, context.resolve(key));
    api.api_key = resolved.reveal();
  }
  return api;
}

Result<storage::HttpResponse> send_to(const QueueApi& api, StepContext& context, std::string method, std::string url,
                                      const storage::Body* body, MonoTime deadline) {
  storage::HttpOptions options;
  options.connect_timeout = options.total_timeout = options.stall_timeout =
      std::clamp<Duration>(std::min(context.deadline(), deadline) - context.clock().mono_now(),
                           std::chrono::milliseconds(1), kLongestRequest);
  options.ca_file = api.ca_file;
  options.connect_to = api.connect_to;
  storage::HttpClient client(options);
  storage::HttpRequest request{.method = std::move(method), .url = std::move(url), .headers = {}, .body = body};
  request.headers = api.headers;
  request.headers.emplace_back("content-type", "application/json");
  request.headers.emplace_back("idempotency-key", context.idempotency_token());
  if (!api.api_key.empty()) request.headers.emplace_back("x-api-key", api.api_key);
  return client.send(request);
}

}  // namespace anclora::respond
