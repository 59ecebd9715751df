// Probes as a plan writes them: `uses` and `with`, targets and secrets looked up, to something that looks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "base/socket.h"
#include "plan/plan.h"
#include "redis/client/redis_url.h"
#include "respond/detect/keyspace_rule.h"
#include "respond/detect/probe.h"
#include "storage/store/http_client.h"

namespace anclora::respond {

// What a plan's words refer to.
struct PlanLookup {
  std::function<const plan::Target&(std::string_view id)> target;
  std::function<Result<Secret>(std::string_view reference)> resolve;
};

// A Redis target's address with user and password, references resolved. Errors name the target, never a secret.
Result<redis::RedisUrl> redis_url_of(const PlanLookup& lookup, const plan::Target& target);

// An http target: where it is and how it is spoken to, references resolved.
struct HttpTarget {
  std::string url, ca_file, connect_to;
  storage::HttpHeaders headers;
};
Result<HttpTarget> http_target_of(const PlanLookup& lookup, const plan::Target& target);

// probe.redis, probe.http, probe.tcp, probe.dns, probe.keyspace and probe.prometheus; kUnsupported for the others.
// Errors: a reference that cannot be read, a URL that is none.
Result<std::unique_ptr<Probe>> make_probe(std::string_view uses, const plan::Value& with, const PlanLookup& lookup,
                                          Dialer& dialer, Clock& clock);

// The `invariants` of a probe.keyspace.
Result<std::vector<KeyspaceRule>> keyspace_rules_of(const plan::Value& with);

}  // namespace anclora::respond
