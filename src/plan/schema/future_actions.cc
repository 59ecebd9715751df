// Actions that plans may be written with and that this version checks, but does not execute.
#include "plan/schema/catalogue_parts.h"

namespace anclora::plan {
namespace {

const Parameter kService = required(target("target", {"service"}, "the service"));
const Parameter kRegistry = required(target("target", {"registry"}, "the registry"));
const Parameter kQueue = required(target("target", {"queue"}, "the queue"));

void add_compute(std::vector<ActionSchema>& actions) {
  const auto regional = [&](ActionSchema made) {
    made.plane = Plane::kRegionalControl;
    actions.push_back(std::move(made));
  };
  regional(
      undoable(changing("ecs.scale", "sets the desired count and waits for the deployment",
                        {kService, integer("count", "tasks"), boolean("recorded", "as many as before the disaster")})));
  regional(undoable(
      changing("ecs.stop_and_wait", "suspends scaling, sets 0 and waits until every task is stopped", {kService})));
  regional(undoable(changing("ecs.deploy", "deploys an image by digest and verifies the rollout",
                             {kService, required(text("image", "name@sha256:..."))})));
  regional(undoable(changing("ecs.freeze", "suspends scaling and deployments", {kService})));
  regional(changing("ecs.register_from_backup", "registers a kept task definition with an image by digest",
                    {kService, required(reference("from", "the kept definition")), text("image", "name@sha256:...")}));
}

void add_images(std::vector<ActionSchema>& actions) {
  actions.push_back(observing("image.check", "every layer of an image can be pulled, by digest",
                              {kRegistry, required(text("image", "name@sha256:..."))}));
  actions.push_back(
      undoable(changing("image.fallback", "makes new tasks pull from another registry",
                        {kRegistry, required(target("to", {"registry"}, "the other registry")), kService})));
  actions.back().parameters[2].name = "service";
  actions.push_back(changing("image.mirror", "copies an image to another registry and compares the digests",
                             {kRegistry, required(target("to", {"registry"}, "the other registry")),
                              required(text("image", "name@sha256:..."))}));
  actions.push_back(observing("registry.login", "a token can be had with the service's own credentials", {kRegistry}));
  actions.push_back(observing("registry.verify", "the registry answers and lists the image",
                              {kRegistry, text("image", "name@sha256:...")}));
}

void add_containment(std::vector<ActionSchema>& actions) {
  const Parameter network = required(target("target", {"network"}, "the network"));
  const Parameter identity = required(target("target", {"identity"}, "the account or role"));
  actions.push_back(changing("contain.evidence", "snapshots and logs, before anything is changed",
                             {required(targets("targets", {}, "what is copied")), reference("to", "where to")}));
  actions.push_back(undoable(changing("contain.network", "cuts targets off, tracked connections too",
                                      {network, targets("isolate", {}, "what is cut off")})));
  actions.push_back(changing("contain.identity", "disables keys and revokes sessions", {identity}));
  actions.back().plane = Plane::kGlobalControl;
  actions.push_back(observing("contain.audit_query", "asks the audit trails of the home region and the global one",
                              {identity, duration("since", "how far back")}));
  actions.back().verifies = false;
  actions.push_back(
      changing("secret.rotate", "gives a secret a second valid value, moves users over, then drops the first",
               {required(target("target", {"redis", "identity", "configuration", "queue"}, "whose secret")),
                text("key", "which one")}));
  actions.push_back(
      changing("clock.start", "starts a reporting clock at the moment of awareness",
               {required(choice("duty", {"gdpr", "nis2", "dora", "contract"}, "which duty")),
                contacts("contacts", "who is reminded"), duration("within", "for a contract: how long")}));
  actions.back().mutates = false;
  actions.back().plane = Plane::kNone;
}

}  // namespace

void add_future_actions(std::vector<ActionSchema>& actions) {
  std::vector<ActionSchema> future;
  add_compute(future);
  add_images(future);
  add_containment(future);
  future.push_back(undoable(changing("queue.pause", "no worker takes a job", {kQueue})));
  future.push_back(changing("queue.reconcile", "drops what was already sent, by the provider's ledger",
                            {kQueue, target("ledger", {"http"}, "who knows what was sent"),
                             choice("unknown", {"hold", "replay", "drop"}, "what is done with the rest")}));
  future.push_back(
      undoable(changing("queue.resume", "workers take jobs again, at a rate", {kQueue, text("rate", "20/s")})));
  future.push_back(undoable(changing("dns.flip", "changes the answer by the provider's interface",
                                     {required(target("target", {"traffic"}, "what is flipped")),
                                      required(text("to", "the answer's name in the target's `answers`"))})));
  for (ActionSchema& action : future) {
    action.available = false;
    actions.push_back(std::move(action));
  }
}

}  // namespace anclora::plan
