#include "app/cli/drill_sandbox.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <chrono>
#include <sstream>

#include "app/cli/run_site.h"
#include "base/address_lookup.h"
#include "plan/lint/plan_lookup.h"
#include "plan/model/value_access.h"
#include "redis/client/client.h"
#include "respond/drill/separation.h"
#include "respond/runbook/step_context.h"
#include "storage/repository/source_state.h"

namespace anclora::app {
namespace {

constexpr Duration kLookUp = std::chrono::seconds(2);
constexpr redis::ClientOptions kAsk{.connect_timeout = std::chrono::seconds(1),
                                    .command_timeout = std::chrono::seconds(2)};

std::string numeric(const SocketAddress& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.family() == AF_INET) {
    const auto* v4 = reinterpret_cast<const ::sockaddr_in*>(address.get());
    ::inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
    return fmt::format("{}:{}", text, ntohs(v4->sin_port));
  }
  if (address.family() != AF_INET6) return {};
  const auto* v6 = reinterpret_cast<const ::sockaddr_in6*>(address.get());
  // The loopback of both families is one machine: this one.
  if (IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr)) return fmt::format("127.0.0.1:{}", ntohs(v6->sin6_port));
  ::inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
  return fmt::format("[{}]:{}", text, ntohs(v6->sin6_port));
}

std::vector<std::string> addresses_of(Clock& clock, const std::string& host, std::uint16_t port) {
  std::vector<std::string> all;
  const auto found = look_up(Endpoint{host, port}, false, clock.mono_now() + kLookUp);
  if (!found) return all;
  all.reserve(found->size());
  for (const SocketAddress& address : *found) all.push_back(numeric(address));
  std::erase(all, std::string());
  return all;
}

struct RedisNow {
  std::string run_id, replication_id;
  std::optional<redis::Offset> offset;
};

Result<RedisNow> ask_redis(const CommandContext& context, const redis::RedisUrl& url) {
  ASSIGN_OR_RETURN(const auto client, redis::Client::connect(url, context.dialer, context.clock, kAsk));
  ASSIGN_OR_RETURN(const redis::Info info, client->info());
  return RedisNow{std::string(info.text("run_id").value_or("")), info.replid(), info.offset()};
}

Result<std::optional<std::string>> sandbox_word_of(const CommandContext& context, const redis::RedisUrl& url) {
  ASSIGN_OR_RETURN(const auto client, redis::Client::connect(url, context.dialer, context.clock, kAsk));
  ASSIGN_OR_RETURN(const redis::Reply word, client->command({"GET", respond::kSandboxKey}));
  if (word.type == redis::Reply::Type::kBulk) return std::optional(std::string(word.text));
  ASSIGN_OR_RETURN(const redis::Info info, client->info());
  return !info.keyspaces().empty() ? std::optional(std::string()) : std::nullopt;
}

// Empty when the backup protects all that the Redis holds now, else what is missing.
Result<std::string> not_protected(const CommandContext& context, const respond::PlanLookup& lookup,
                                  const plan::Target& target, const plan::Target& repository_target) {
  ASSIGN_OR_RETURN(const redis::RedisUrl url, respond::redis_url_of(lookup, target));
  ASSIGN_OR_RETURN(const RedisNow now, ask_redis(context, url));
  ASSIGN_OR_RETURN(const Secret place, lookup.resolve(plan::text_of(repository_target.settings, "url")));
  ASSIGN_OR_RETURN(const auto store, context.open_store(place.reveal()));
  ASSIGN_OR_RETURN(const storage::Unlock unlock, unlock_target(context, repository_target, lookup.resolve));
  ASSIGN_OR_RETURN(const storage::Repository repository, storage::Repository::open(*store, unlock));
  ASSIGN_OR_RETURN(const auto sources, storage::list_sources(*store));
  std::string newest = "nothing";
  for (const std::string& source : sources) {
    const auto state = storage::load_source_state(*store, repository, source);
    if (!state) continue;
    for (const auto& window : storage::recovery_windows(*state))
      for (const storage::TimelineState& timeline : state->timelines) {
        if (timeline.id != window.to.timeline) continue;
        newest = storage::to_string(window.to);
        if (timeline.replication_id == now.replication_id && now.offset && window.to.offset >= *now.offset)
          return std::string();
      }
  }
  return fmt::format("{} is at {}, its repository holds {} of {}", url.to_string(), now.offset ? now.offset->value : 0,
                     newest, sources.empty() ? "no source" : sources.front());
}

std::string took_text(const respond::StepStatus& status) {
  return !status.problem.empty() ? status.problem : status.summary;
}

void add_steps(const StoredRun& stored, respond::DrillRecord& record) {
  for (std::size_t i = 0; i < stored.run.steps.size(); ++i) {
    const respond::StepStatus& status = stored.state.steps[i];
    const plan::Step& step = stored.run.steps[i].step;
    std::optional<Duration> took;
    if (status.first_started && status.finished)
      took = std::chrono::duration_cast<Duration>(*status.finished - *status.first_started);
    record.steps.push_back({std::string(to_string(stored.run.part)), step.id, step.uses,
                            std::string(respond::to_string(status.state)), took, took_text(status)});
  }
}

}  // namespace

respond::PlanLookup lookup_in(const CommandContext& context, const plan::Plan& plan, const std::string& environment) {
  static const plan::Target kNone;
  return {[&plan, environment](std::string_view id) -> const plan::Target& {
            const plan::Target* target = respond::find_target(plan, environment, id);
            return target != nullptr ? *target : kNone;
          },
          [&context](std::string_view reference) {
            return respond::resolve_reference(context.files, context.environment, reference);
          }};
}

Result<std::vector<respond::DrillCheck>> prove_sandbox(const CommandContext& context, const plan::Plan& plan,
                                                       const std::string& environment, const std::string& scenario,
                                                       bool unattended) {
  const respond::PlanLookup lookup = lookup_in(context, plan, environment);
  const respond::SeparationWorld world{
      [&](std::string_view reference) -> Result<std::string> {
        ASSIGN_OR_RETURN(const Secret value, lookup.resolve(reference));
        return value.reveal();
      },
      [&](const std::string& host, std::uint16_t port) { return addresses_of(context.clock, host, port); },
      [&](const std::string& path) { return context.files.resolve(path).value_or(path); },
      [&](const plan::Target& target) -> std::optional<std::string> {
        const auto url = respond::redis_url_of(lookup, target);
        if (!url) return std::nullopt;
        const auto now = ask_redis(context, *url);
        return now && !now->run_id.empty() ? std::optional(now->run_id) : std::nullopt;
      },
      [&](const plan::Target& target) -> Result<std::optional<std::string>> {
        ASSIGN_OR_RETURN(const redis::RedisUrl url, respond::redis_url_of(lookup, target));
        return sandbox_word_of(context, url);
      }};
  ASSIGN_OR_RETURN(auto checks, respond::prove_separation(plan, environment, scenario, world));
  if (!unattended) return checks;
  ASSIGN_OR_RETURN(auto more, respond::prove_unattended(plan, environment, world));
  checks.insert(checks.end(), more.begin(), more.end());
  return checks;
}

Status wait_until_protected(const CommandContext& context, const plan::Plan& plan, const std::string& environment,
                            Duration at_most) {
  const respond::PlanLookup lookup = lookup_in(context, plan, environment);
  const MonoTime deadline = context.clock.mono_now() + at_most;
  for (const plan::Backup& backup : plan.backups) {
    const plan::Target* target = respond::find_target(plan, environment, backup.target);
    const plan::Target* repository = respond::find_target(plan, environment, backup.repository);
    if (!backup.continuous || target == nullptr || repository == nullptr || target->kind != "redis") continue;
    while (true) {
      const auto missing = not_protected(context, lookup, *target, *repository);
      if (missing && missing->empty()) break;
      if (stop_requested()) return Error(ErrorKind::kCancelled, "stopped before the disaster");
      if (context.clock.mono_now() > deadline)
        return Error(ErrorKind::kDeadlineExceeded,
                     fmt::format("backup {} does not protect the sandbox: {}", backup.id,
                                 missing ? *missing : missing.error().message()),
                     "run capture: anclora capture --source URL --repo REPO");
      context.clock.sleep_for(std::chrono::milliseconds(200));
    }
  }
  return {};
}

Status run_part(CommandContext& context, const plan::Plan& plan, const Bytes& plan_bytes, respond::RunPart part,
                const std::string& run, bool approve, std::map<std::string, std::string> marks,
                respond::DrillRecord& record) {
  ASSIGN_OR_RETURN(respond::RunPlan prepared, respond::prepare_run(plan, record.scenario, part, plan::find_action));
  respond::RunStart start;
  start.run = run;
  start.environment = record.environment;
  start.drill = true;
  start.starter = record.starter;
  start.runner = runner_name();
  start.marks = std::move(marks);
  std::ostringstream unread;  // the run's own report: the drill's comes in its place
  CommandContext inner{
      unread,          context.err, context.clock, context.random, context.files, context.dialer, context.environment,
      context.options, {}};
  inner.options.json = false;
  // A cleanup that hangs must not call for another one, which would hang again, without end.
  const bool cleaned_later = part != respond::RunPart::kCleanup;
  const Result<int> ended =
      start_and_run(inner, plan, plan_bytes, std::move(prepared), std::move(start),
                    {.approve_in_drills = approve, .wait_for_persons = !approve, .of_a_drill = cleaned_later});
  const auto stored = read_run(context, run);
  if (stored) add_steps(*stored, record);
  if (ended) return {};
  if (stored)
    for (std::size_t i = 0; i < stored->run.steps.size(); ++i)
      if (stored->state.needs_decision(i))
        return Error(ErrorKind::kFailedPrecondition,
                     fmt::format("step {}: {}", stored->run.steps[i].step.id, stored->state.steps[i].problem));
  return ended.error();
}

void clean_sandbox(CommandContext& context, const plan::Plan& plan, const Bytes& plan_bytes, const std::string& run,
                   respond::DrillRecord& record) {
  const plan::Scenario* scenario = plan::find_scenario(plan, record.scenario);
  if (scenario == nullptr || scenario->cleanup.empty()) {
    record.cleanup = {true, "the plan has no cleanup for it: what the drill did stays"};
    return;
  }
  const Status cleaned = [&]() -> Status {
    // By what is true here and now: a killed drill is cleaned up by another process, with another environment.
    RETURN_IF_ERROR(prove_sandbox(context, plan, record.environment, record.scenario));
    return run_part(context, plan, plan_bytes, respond::RunPart::kCleanup, run, true, {}, record);
  }();
  record.cleanup = {cleaned.has_value(), cleaned ? fmt::format("{} steps, run {}", scenario->cleanup.size(), run)
                                                 : cleaned.error().message()};
  if (!cleaned) record.reasons.push_back("not cleaned up: " + cleaned.error().message());
}

}  // namespace anclora::app
