// Recovery points, Redis and queues.
#include "plan/schema/catalogue_parts.h"

namespace anclora::plan {
namespace {

const std::vector<std::string> kRedis = {"redis"};

Parameter repository() { return required(target("repository", {"repository"}, "where the recovery points are")); }
Parameter source() { return text("source", "which source in the repository, when there are several"); }
Parameter chosen_from() {
  return steps_used("from", "steps that left the address of a server: the first of them that ran counts");
}

Parameter keyspace_probe(std::string name, std::string help) {
  return parameter(std::move(name), ParameterType::kProbe, std::move(help), {"probe.keyspace"});
}

void add_recovery_points(std::vector<ActionSchema>& actions) {
  actions.push_back(observing(
      "recovery_point.select", "chooses the point to recover to, and proves that it is there",
      {repository(), source(), text("at", "latest, a time, \"5m ago\", tag:NAME (default: latest)"),
       duration("max_age", "older is refused"), boolean("verified", "only a point below the last verification")}));
  actions.back().verifies = false;
  actions.push_back(changing("recovery_point.pin", "keeps a point for ever",
                             {repository(), source(), required(step("point", "the step that chose it")),
                              required(text("name", "the tag's name; the run's id is added"))}));
  actions.push_back(observing(
      "recovery_point.bisect", "finds the last good moment by restores into a scratch server",
      {repository(), source(), required(keyspace_probe("check", "a probe.keyspace that tells good from bad")),
       text("good", "a moment known to be good (default: the window's begin)"),
       text("bad", "a moment known to be bad (default: latest)"), integer("max_restores", "stop after this many")}));
  actions.back().verifies = false;
}

void add_servers(std::vector<ActionSchema>& actions) {
  actions.push_back(undoable(
      changing("redis.fence", "lets no client write to a server any more",
               {required(target("target", kRedis, "the server")),
                choice("method", {"auto", "acl", "pause", "min-replicas"}, "how (default: auto)"),
                choice("if_unreachable", {"fail", "record"}, "record: goes on, and fences it when it comes back")})));
  actions.push_back(undoable(
      changing("redis.unfence", "lets clients write again", {required(target("target", kRedis, "the server"))})));
  actions.push_back(
      changing("redis.promote", "makes the fittest of some replicas the primary",
               {required(targets("candidates", kRedis, "replicas, in the order of preference")),
                duration("max_lag", "a replica further behind is not fit"),
                choice("if_none", {"fail", "continue"}, "continue: no replica is fit, a later step restores")}));
  actions.push_back(
      destructive(changing("redis.restore", "brings a server to a recovery point and checks it before it is promoted",
                           {repository(), source(), required(step("point", "the step that chose the point")),
                            required(target("to", kRedis, "the server, which holds nothing")),
                            boolean("replace", "the server holds data: a safety copy is taken first"),
                            step("unless", "not done when this step (a redis.promote) found a server")})));
  actions.push_back(observing(
      "redis.verify", "role, offset, keys, invariants and beacon of a server",
      {target("target", kRedis, "the server"), chosen_from(), step("point", "the recovery point to compare with"),
       keyspace_probe("invariants", "a probe.keyspace whose invariants must hold"),
       integer("min_keys", "fewest keys")}));
  actions.push_back(undoable(changing(
      "redis.switch", "makes a server the one that serves: its replicas follow it, the old one is no longer named",
      {target("to", kRedis, "the server"), chosen_from(),
       targets("replicas", kRedis, "servers that shall follow it")})));
  actions.push_back(changing(
      "redis.evidence", "copies a server's state and keeps its history, before anything is changed",
      {required(target("target", kRedis, "the server")),
       target("repository", {"repository"}, "pins its newest point there too"), source(),
       reference("to", "folder for the copy"),
       keyspace_probe("invariants", "a probe.keyspace: what breaks it is listed"),
       integer("rdb_max_mib", "with `to`: keeps an RDB of the server too, unless it is larger than so many MiB"),
       duration("rdb_within", "how long that may take (default: half of the step's time)")}));
}

void add_queues(std::vector<ActionSchema>& actions) {
  const Parameter queue = required(target("target", {"queue"}, "the queue"));
  actions.push_back(
      observing("queue.metrics", "reads the queue's counts, from Redis or the service",
                {queue, integer("max_waiting", "most waiting jobs"), integer("max_failed", "most failed jobs"),
                 boolean("moving", "jobs must be finishing")}));
  actions.push_back(changing("queue.canary",
                             "adds a job of no effect by the service's own interface and sees it consumed",
                             {queue, duration("within", "how long it may take"), text("payload", "JSON of the job")}));
  actions.back().verifies = true;
  actions.back().idempotent = false;
}

}  // namespace

void add_redis_actions(std::vector<ActionSchema>& actions) {
  add_recovery_points(actions);
  add_servers(actions);
  add_queues(actions);
}

}  // namespace anclora::plan
