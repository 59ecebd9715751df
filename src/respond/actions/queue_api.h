// A queue target's service, spoken to over HTTP.
#pragma once

#include <string>

#include "respond/runbook/action.h"
#include "storage/store/http_client.h"

namespace anclora::respond {

struct QueueApi {
  std::string base;  // without a slash at its end; empty: the target has no api
  std::string add_path, metrics_path, api_key;
  std::string ca_file, connect_to;
  storage::HttpHeaders headers;
};
// Of the queue target that the step's `target` names; references resolved.
Result<QueueApi> queue_api_of(StepContext& context);

// One request, with the API key, within 5 s, and before `deadline` or the end of the step's own time, whichever is
// sooner. `body` may be nullptr.
Result<storage::HttpResponse> send_to(const QueueApi& api, StepContext& context, std::string method, std::string url,
                                      const storage::Body* body, MonoTime deadline = MonoTime::max());

}  // namespace anclora::respond
