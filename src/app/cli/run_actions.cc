// The actions of this version: make_actions() of run_site.h. Exactly those that the catalogue calls available.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "app/cli/incident_site.h"
#include "app/cli/run_site.h"
#include "app/daemon/state_folder.h"
#include "app/view/last_verification.h"
#include "respond/actions/bisect_action.h"
#include "respond/actions/config_put.h"
#include "respond/actions/exec_action.h"
#include "respond/actions/notify_actions.h"
#include "respond/actions/people_actions.h"
#include "respond/actions/probe_action.h"
#include "respond/actions/queue_canary.h"
#include "respond/actions/queue_metrics.h"
#include "respond/actions/recovery_point_actions.h"
#include "respond/actions/redis_evidence.h"
#include "respond/actions/redis_fence.h"
#include "respond/actions/redis_promote.h"
#include "respond/actions/redis_restore.h"
#include "respond/actions/redis_verify.h"
#include "respond/actions/service_action.h"
#include "respond/runbook/action_table.h"

namespace anclora::app {
namespace {

std::string setting(const plan::Target& target, const char* name) {
  const plan::Value* value = target.settings.find(name);
  return value == nullptr ? std::string() : value->text;
}

Result<respond::OpenedRepository> open_for_step(const CommandContext& context, respond::StepContext& step,
                                                const plan::Target& target) {
  ASSIGN_OR_RETURN(const Secret url, step.resolve(setting(target, "url")));
  ASSIGN_OR_RETURN(auto store, context.open_store(url.reveal()));
  ASSIGN_OR_RETURN(const storage::Unlock unlock,
                   unlock_target(context, target, [&](std::string_view reference) { return step.resolve(reference); }));
  ASSIGN_OR_RETURN(storage::Repository repository, storage::Repository::open(*store, unlock));
  return respond::OpenedRepository{std::move(store), std::move(repository)};
}

Result<std::optional<WallTime>> passed_verification(const respond::OpenedRepository& opened) {
  ASSIGN_OR_RETURN(const VerificationLook look, last_verification(*opened.store, opened.repository));
  if (!look.damaged.empty())  // a newer verification that cannot be read may have failed
    return Error(ErrorKind::kDataLoss, look.damaged.front().object + " is damaged: " + look.damaged.front().problem,
                 "anclora verify --restore leaves a new record");
  if (!look.last || !look.last->passed) return std::optional<WallTime>();
  return std::optional<WallTime>(look.last->time);
}

// Who took the incident that this run belongs to. The newest incident of a run is the last.
std::optional<std::string> acknowledged_by(const CommandContext& context, const std::string& run) {
  const std::string root = incidents_folder(context);
  const auto ids = respond::list_incidents(context.files, root);
  if (!ids) return std::nullopt;
  for (auto id = ids->rbegin(); id != ids->rend(); ++id) {
    const auto incident = respond::read_incident(context.files, root + "/" + *id);
    if (!incident ||
        std::ranges::find(incident->state.runs, run, &respond::LinkedRun::run) == incident->state.runs.end())
      continue;
    if (incident->state.acknowledgements.empty()) return std::nullopt;
    return incident->state.acknowledgements.front().contact;
  }
  return std::nullopt;
}

// A factory of what `make` makes.
template <class Make>
respond::ActionTable::Factory factory_of(Make make) {
  return [make] { return Result<std::unique_ptr<respond::Action>>(make()); };
}

}  // namespace

respond::ProbeMeans probe_means(const CommandContext& context) {
  const respond::OpenRepository open = [&context](respond::StepContext& step, const plan::Target& target) {
    return open_for_step(context, step, target);
  };
  return {context.dialer, context.files, context.random, open, passed_verification};
}

std::unique_ptr<respond::ActionRegistry> make_actions(const CommandContext& context) {
  auto table = std::make_unique<respond::ActionTable>();
  FileSystem& files = context.files;
  Random& random = context.random;
  Dialer& dialer = context.dialer;
  const respond::ProbeMeans probes = probe_means(context);
  const respond::OpenRepository& open = probes.open;
  const respond::RestoreMeans means{open, files, random, dialer, "/tmp", target_record_folder(context.environment)};
  table->add("exec", factory_of([&files, &random] { return respond::make_exec_action(files, random); }));
  table->add("people.approve", factory_of(respond::make_approved_action));
  table->add("people.declare", factory_of(respond::make_approved_action));
  const respond::ChannelMeans channels{context.clock, files, random, notify_limit_file(context.environment)};
  const respond::AcknowledgedBy acknowledged = [&context](const std::string& run) {
    return acknowledged_by(context, run);
  };
  table->add("people.notify", factory_of([channels] { return respond::make_people_notify(channels); }));
  table->add("people.page",
             factory_of([channels, acknowledged] { return respond::make_people_page(channels, acknowledged); }));
  table->add("people.manual", factory_of(respond::make_manual_action));
  for (const char* name : {"probe.redis", "probe.http", "probe.tcp", "probe.dns", "probe.service", "probe.backup",
                           "probe.keyspace", "probe.prometheus", "wait.until"})
    table->add(name, factory_of([probes] { return respond::make_probe_action(probes); }));
  table->add("config.put", factory_of([&files] { return respond::make_config_put(files); }));
  table->add("config.restore", factory_of([&files] { return respond::make_config_restore(files); }));
  table->add("traffic.flip", factory_of([&files] { return respond::make_traffic_flip(files); }));
  table->add("traffic.verify", factory_of([&files] { return respond::make_traffic_verify(files); }));
  table->add("queue.canary", factory_of(respond::make_queue_canary));
  table->add("queue.metrics", factory_of([&dialer] { return respond::make_queue_metrics(dialer); }));
  table->add("recovery_point.select", factory_of([open] { return respond::make_recovery_point_select(open); }));
  table->add("recovery_point.pin",
             factory_of([open, &random] { return respond::make_recovery_point_pin(open, random); }));
  table->add("recovery_point.bisect", factory_of([means] { return respond::make_recovery_point_bisect(means); }));
  table->add("redis.fence", factory_of([&dialer] { return respond::make_redis_fence(dialer); }));
  table->add("redis.unfence", factory_of([&dialer] { return respond::make_redis_unfence(dialer); }));
  table->add("redis.promote", factory_of([&dialer] { return respond::make_redis_promote(dialer); }));
  table->add("redis.switch", factory_of([&dialer] { return respond::make_redis_switch(dialer); }));
  table->add("redis.restore", factory_of([means] { return respond::make_redis_restore(means); }));
  table->add("redis.verify", factory_of([&dialer] { return respond::make_redis_verify(dialer); }));
  table->add("redis.evidence", factory_of([open, &files, &random, &dialer] {
               return respond::make_redis_evidence(open, files, random, dialer);
             }));
  for (const char* name : {"service.scale", "service.stop", "service.start", "service.restart"})
    table->add(name, factory_of([name, &files, &random] { return respond::make_service_action(name, files, random); }));
  return table;
}

}  // namespace anclora::app
