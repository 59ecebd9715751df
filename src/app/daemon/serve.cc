#include "app/daemon/serve.h"

#include <fmt/format.h>

#include <chrono>
#include <ostream>

#include "app/cli/drill_site.h"
#include "app/daemon/serve_api.h"
#include "app/daemon/serve_loop.h"
#include "app/daemon/service_notifier.h"
#include "app/daemon/state_folder.h"
#include "app/server/api_server.h"
#include "plan/model/value_access.h"
#include "respond/detect/beacon_writer.h"
#include "respond/runbook/step_context.h"

namespace anclora::app {
namespace {

constexpr Duration kRound = std::chrono::milliseconds(200);

// A probe that writes keeps its target's beacon by itself: two that count would contradict each other.
plan::Plan without_beaten(plan::Plan plan) {
  for (const plan::Probe& probe : plan.probes) {
    if (probe.uses != "probe.redis" || !plan::boolean_of(probe.with, "write", false)) continue;
    std::erase_if(plan.targets,
                  [&](const plan::Target& target) { return target.id == plan::text_of(probe.with, "target"); });
  }
  return plan;
}

std::string line_of(const ServeView& view) {
  std::size_t down = 0;
  for (const respond::ProbeView& probe : view.probes) down += probe.state == respond::ProbeState::kDown ? 1 : 0;
  return fmt::format("{}: {} probes, {} down; {} incidents open, {} runs", view.service, view.probes.size(), down,
                     view.incidents_open, view.runs.size());
}

}  // namespace

Result<int> serve(CommandContext& context, const ServeOptions& options) {
  ASSIGN_OR_RETURN(const ReadPlan read, read_plan_file(context, options.plan_file));
  const plan::Plan& plan = read.plan;
  RETURN_IF_ERROR(check_place(plan, "", options.site));
  ASSIGN_OR_RETURN(const ServiceNotifier notifier, ServiceNotifier::create(context.environment));
  const std::string folder = state_root(context.environment) + "/serve";
  RETURN_IF_ERROR(context.files.create_directories(folder));
  const auto lock = context.files.lock(folder + "/lock");
  if (!lock && lock.error().kind() != ErrorKind::kFailedPrecondition) return lock.error();
  if (!lock)
    return Error(lock.error().kind(), "another serve keeps " + state_root(context.environment),
                 "one for each state folder: stop the other, or give another --state");
  static const plan::Target kNone;
  const respond::PlanLookup lookup{[&plan](std::string_view id) -> const plan::Target& {
                                     const plan::Target* target = respond::find_target(plan, "", id);
                                     return target == nullptr ? kNone : *target;
                                   },
                                   [&context](std::string_view reference) {
                                     return respond::resolve_reference(context.files, context.environment, reference);
                                   }};
  ASSIGN_OR_RETURN(ServeJobs jobs, jobs_of(plan, lookup));
  const plan::Plan beaten = without_beaten(plan);
  ServeLoop loop(context, plan, read.bytes, std::move(jobs), options,
                 [&] { return respond::start_beacons(beaten, lookup, context.dialer, context.clock); });
  ServeApi api(context, loop);
  std::unique_ptr<ApiServer> server;
  if (options.listen) {
    ASSIGN_OR_RETURN(server, ApiServer::start(*options.listen, api, options.rules));
    context.out << fmt::format("listening on {}\n", Endpoint{options.listen->host, server->port()}.to_string())
                << std::flush;
  }
  RETURN_IF_ERROR(loop.start());
  // What systemd does not take it misses by itself.
  static_cast<void>(notifier.ready(line_of(loop.view())));
  for (std::uint64_t round = 0; !stop_requested(); ++round) {
    loop.tick(kRound);
    if (loop.healthy()) static_cast<void>(notifier.watchdog());
    if (round % 25 == 0) static_cast<void>(notifier.status(line_of(loop.view())));
  }
  static_cast<void>(notifier.stopping("draining"));
  server.reset();
  loop.drain();
  context.out << "stopped\n";
  return 0;
}

}  // namespace anclora::app
