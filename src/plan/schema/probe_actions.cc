// Probes and waits. The same schemas judge the plan's `probes` and a step that looks.
#include "plan/schema/catalogue_parts.h"

namespace anclora::plan {
namespace {

Parameter expected_state() { return choice("is", {"up", "down", "unknown"}, "what a step expects (default: up)"); }

Parameters invariant_fields() {
  return {required(text("prefix", "keys that begin with this")),
          choice("type", {"string", "list", "set", "zset", "hash", "stream"}, "the type of each of them"),
          integer("at_least", "fewest keys"),
          integer("at_most", "most keys"),
          integer("keys", "how many keys there should be"),
          percent("tolerance", "how far from `keys` the count may be"),
          choice("ttl", {"any", "present", "absent"}, "whether each has a time to live")};
}

}  // namespace

void add_probe_actions(std::vector<ActionSchema>& actions) {
  const std::vector<std::string> redis = {"redis"};
  actions.push_back(observing(
      "probe.redis", "asks a Redis: connect, AUTH, PING, ROLE, INFO, and a write",
      {required(target("target", redis, "the server")), choice("role", {"primary", "replica"}, "the role it must have"),
       boolean("write", "also write and read the beacon key"),
       duration("max_replica_lag", "how far a replica may be behind"), expected_state()}));
  actions.push_back(observing("probe.http", "asks an HTTP endpoint: certificate, status, body, several times in a row",
                              {required(target("target", {"http"}, "the endpoint")), text("path", "below its url"),
                               integer("status", "the status it must answer (default: 200)"),
                               text("body_contains", "a text that must be in the answer"),
                               integer("certificate_days", "days the certificate must still be valid"),
                               integer("in_a_row", "good answers needed"), expected_state()}));
  actions.push_back(observing("probe.tcp", "connects",
                              {target("target", {"redis", "http", "service"}, "what to connect to"),
                               reference("address", "host:port, where it is no target"), expected_state()}));
  actions.push_back(
      observing("probe.dns", "asks resolvers for a name",
                {target("target", {"traffic"}, "whose name"), text("name", "the name, where it is no target"),
                 texts("expect", "addresses or names that must be the answer"),
                 texts("resolvers", "each must answer the same"), expected_state()}));
  actions.push_back(observing("probe.service", "counts the running instances of a service",
                              {required(target("target", {"service"}, "the service")),
                               integer("at_least", "running instances needed (default: 1)"), expected_state()}));
  actions.push_back(
      observing("probe.backup", "asks a repository how old and how proven its newest recovery point is",
                {required(target("repository", {"repository"}, "the repository")), text("source", "which source in it"),
                 duration("max_lag", "how far protected up to may be behind"),
                 duration("verified_within", "age of the last verification"), expected_state()}));
  actions.push_back(observing(
      "probe.keyspace", "checks what a Redis holds: counts, types, times to live, beacon",
      {required(target("target", redis, "the server")), items("invariants", invariant_fields(), "what must hold"),
       duration("beacon_within", "how old the beacon may be"), expected_state()}));
  actions.push_back(
      observing("probe.prometheus", "evaluates a query",
                {required(target("target", {"http"}, "the Prometheus server")), required(text("query", "PromQL")),
                 number("above", "bad when above this"), number("below", "bad when below this"), expected_state()}));
  actions.push_back(observing(
      "wait.until", "waits until a probe of the plan is in a state",
      {required(probe("probe", "the probe")), expected_state(),
       integer("in_a_row", "times in a row (default: the probe's good_in_a_row; for down its bad_in_a_row)")}));
}

}  // namespace anclora::plan
