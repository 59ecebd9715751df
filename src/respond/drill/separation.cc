#include "respond/drill/separation.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "plan/lint/plan_lookup.h"
#include "plan/model/value_access.h"
#include "redis/client/redis_url.h"

namespace anclora::respond {
namespace {

// How one target may be reached: "tcp 10.0.0.5:6379", "path /srv/x", "store s3://bucket/p", "run_id ...".
using Identities = std::set<std::string>;

Error refused(std::string message, std::string hint) {
  return Error(ErrorKind::kFailedPrecondition, "this is not proven to be a sandbox: " + std::move(message),
               std::move(hint));
}

bool has_scheme(std::string_view text, std::initializer_list<std::string_view> schemes) {
  return std::ranges::any_of(schemes, [&](std::string_view scheme) { return text.starts_with(scheme); });
}

class Proof {
 public:
  Proof(const plan::Plan& plan, const plan::Environment& environment, const SeparationWorld& world)
      : plan_(plan), environment_(environment), world_(world) {}

  Status all_changed_targets_are_replaced(const plan::Scenario& scenario) {
    for (const auto* steps : scenario.step_lists())
      for (const plan::Step& step : *steps) {
        if (!plan::mutates(step)) continue;
        for (const plan::NamedTarget& named : plan::targets_of(plan_, step.uses, step.with)) {
          if (replacement(named.target->id) != nullptr) continue;
          // A restore reads the real recovery points: that is what the drill proves. A pin only keeps more of them.
          if (named.target->kind == "repository") continue;
          return refused(
              fmt::format("step {} changes {}, which {} does not replace", step.id, named.target->id, environment_.id),
              fmt::format("give {} another address in the environment {}", named.target->id, environment_.id));
        }
      }
    return {};
  }

  Status nothing_is_shared() {
    for (const plan::Target& sandbox : environment_.targets) {
      ASSIGN_OR_RETURN(const Identities here, identities_of(sandbox, "the sandbox's"));
      for (const plan::Target& production : plan_.targets) {
        ASSIGN_OR_RETURN(const Identities there, known(production));
        for (const std::string& identity : here)
          if (there.contains(identity))
            return refused(fmt::format("{} of {} is {} of production: both are {}", sandbox.id, environment_.id,
                                       production.id, identity),
                           "give the sandbox servers, files and repositories of its own");
      }
      compared_ += here.size();
    }
    return {};
  }

  std::vector<DrillCheck> checks() const {
    std::size_t theirs = 0;
    for (const auto& [id, identities] : production_) theirs += identities.size();
    return {{"separation",
             fmt::format("{}: {} addresses of the sandbox, none of them among the {} of production", environment_.id,
                         compared_, theirs),
             true}};
  }

 private:
  const plan::Target* replacement(std::string_view id) const {
    const auto found = std::ranges::find(environment_.targets, id, &plan::Target::id);
    return found == environment_.targets.end() ? nullptr : &*found;
  }

  Result<Identities> known(const plan::Target& production) {
    const auto found = production_.find(production.id);
    if (found != production_.end()) return found->second;
    ASSIGN_OR_RETURN(Identities identities, identities_of(production, "production's"));
    return production_.emplace(production.id, std::move(identities)).first->second;
  }

  Result<std::string> resolved(const plan::Target& target, const char* key, std::string_view whose) {
    const std::string text = plan::text_of(target.settings, key);
    if (text.empty()) return text;
    auto value = world_.resolve(text);
    if (value) return value;
    return refused(fmt::format("{} {} of {} is not known here ({})", whose, key, target.id, value.error().message()),
                   "set it, production's too: it is compared, never connected to but for its INFO");
  }

  void add_endpoint(const std::string& host, std::uint16_t port, Identities& identities) {
    if (host.starts_with('/')) {
      identities.insert("path " + world_.canonical(host));
      return;
    }
    for (const std::string& address : world_.addresses(host, port)) identities.insert("tcp " + address);
    identities.insert(fmt::format("tcp {}:{}", host, port));
  }

  Status add_url(const plan::Target& target, const std::string& text, Identities& identities) {
    std::string rest = text;
    std::uint16_t port = 80;
    for (const auto& [scheme, standard] : {std::pair("http://", 80), std::pair("https://", 443)})
      if (rest.starts_with(scheme)) {
        rest = rest.substr(std::string_view(scheme).size());
        port = static_cast<std::uint16_t>(standard);
      }
    if (rest.starts_with("unix://")) {
      identities.insert("path " + world_.canonical(rest.substr(7)));
      return {};
    }
    rest = rest.substr(0, rest.find_first_of("/?#"));
    if (const std::size_t at = rest.rfind('@'); at != std::string::npos) rest.erase(0, at + 1);
    const auto url = redis::RedisUrl::parse("redis://" + rest);
    if (!url) return refused(target.id + ": its address is no URL", "correct it");
    const bool has_port = rest.find(':', rest.find(']') == std::string::npos ? 0 : rest.find(']')) != std::string::npos;
    add_endpoint(url->endpoint.host, has_port ? url->endpoint.port : port, identities);
    return {};
  }

  Status add_store(const std::string& text, Identities& identities) {
    if (has_scheme(text, {"s3://"})) {
      std::string place = text;
      while (place.ends_with('/')) place.pop_back();
      identities.insert("store " + place);
      return {};
    }
    identities.insert("path " + world_.canonical(text.starts_with("file://") ? text.substr(7) : text));
    return {};
  }

  Result<Identities> identities_of(const plan::Target& target, std::string_view whose) {
    Identities identities;
    ASSIGN_OR_RETURN(const std::string url, resolved(target, "url", whose));
    if (!url.empty() && target.kind == "redis") {
      const auto parsed = redis::RedisUrl::parse(url);
      if (!parsed) return refused(target.id + ": " + parsed.error().message(), "correct its url");
      add_endpoint(parsed->endpoint.host, parsed->endpoint.port, identities);
      if (const auto id = world_.run_id(target)) identities.insert("run_id " + *id);
    } else if (!url.empty() && target.kind == "repository") {
      RETURN_IF_ERROR(add_store(url, identities));
    } else if (!url.empty()) {
      RETURN_IF_ERROR(add_url(target, url, identities));
    }
    for (const char* key : {"path", "project", "config", "data_dir"}) {
      ASSIGN_OR_RETURN(const std::string path, resolved(target, key, whose));
      if (!path.empty()) identities.insert("path " + world_.canonical(path));
    }
    add_names(target, identities);
    return identities;
  }

  // What has no address but a name: units of this machine, records of a zone, services of a cluster.
  static void add_names(const plan::Target& target, Identities& identities) {
    const std::string driver = plan::text_of(target.settings, "driver");
    for (const char* key : {"cluster", "zone", "bucket", "prefix", "instance"})
      if (const std::string name = plan::text_of(target.settings, key); !name.empty() && target.kind != "queue")
        identities.insert(fmt::format("{} {} {} {}", target.kind, driver, key, full_name(target, key, name)));
    if (driver == "systemd")
      for (const std::string& unit : plan::texts_of(target.settings, "units")) identities.insert("unit " + unit);
    // Without an address it is this machine's own supervisor.
    const bool has_place =
        !plan::text_of(target.settings, "url").empty() || !plan::text_of(target.settings, "config").empty();
    if (driver == "supervisor" && !has_place)
      for (const std::string& program : plan::texts_of(target.settings, "programs"))
        identities.insert("program " + program);
  }

  // Two services of one cluster, two records of one zone are two things.
  static std::string full_name(const plan::Target& target, const char* key, const std::string& name) {
    std::string whole = name;
    for (const char* more : {"region", "service", "name", "object"})
      if (std::string_view(more) != key) whole += "/" + plan::text_of(target.settings, more);
    return whole;
  }

  const plan::Plan& plan_;
  const plan::Environment& environment_;
  const SeparationWorld& world_;
  std::map<std::string, Identities> production_;
  std::size_t compared_ = 0;
};

}  // namespace

Result<std::vector<DrillCheck>> prove_separation(const plan::Plan& plan, std::string_view environment,
                                                 std::string_view scenario, const SeparationWorld& world) {
  std::vector<std::string> sandboxes;
  for (const plan::Environment& each : plan.environments)
    if (each.sandbox) sandboxes.push_back(each.id);
  const std::string known = fmt::format("the plan's sandboxes: {}", fmt::join(sandboxes, ", "));
  const auto found = std::ranges::find(plan.environments, environment, &plan::Environment::id);
  if (environment.empty())
    return Error(ErrorKind::kInvalidArgument, "where the drill runs is not said", "--on ENVIRONMENT; " + known);
  if (found == plan.environments.end())
    return Error(ErrorKind::kNotFound, fmt::format("{} has no environment {}", plan.file, environment), known);
  const plan::Scenario* rehearsed = plan::find_scenario(plan, scenario);
  if (rehearsed == nullptr)
    return Error(ErrorKind::kNotFound, fmt::format("{} has no scenario {}", plan.file, scenario),
                 "see them: anclora plan show " + plan.file);
  if (!found->sandbox)
    return refused(fmt::format("environment {} is none (sandbox: true)", environment), "drills run in one; " + known);
  if (found->everything)
    return std::vector<DrillCheck>{
        {"separation", fmt::format("{}: all of this plan is the sandbox", environment), true}};
  Proof proof(plan, *found, world);
  RETURN_IF_ERROR(proof.all_changed_targets_are_replaced(*rehearsed));
  RETURN_IF_ERROR(proof.nothing_is_shared());
  return proof.checks();
}

Result<std::vector<DrillCheck>> prove_unattended(const plan::Plan& plan, std::string_view environment,
                                                 const SeparationWorld& world) {
  const auto found = std::ranges::find(plan.environments, environment, &plan::Environment::id);
  if (found == plan.environments.end() || !found->everything) return std::vector<DrillCheck>();
  std::size_t marked = 0;
  for (const plan::Target& target : plan.targets) {
    if (target.kind != "redis") continue;
    const auto word = world.sandbox_word(target);
    if (!word)
      return refused(fmt::format("{} cannot be asked ({})", target.id, word.error().message()),
                     "bring it up, or run the drill by hand");
    if (!*word) continue;  // there is nothing in it to lose
    if (**word != environment)
      return refused(
          fmt::format("{} does not say that it is {}", target.id, environment),
          fmt::format("if nothing in it is production: redis-cli -u URL SET {} {}", kSandboxKey, environment));
    ++marked;
  }
  if (marked == 0) return refused("no Redis of the plan says that it is one", "run the drill by hand");
  return std::vector<DrillCheck>{
      {"unattended", fmt::format("{} Redis servers say that they are {}", marked, environment), true}};
}

}  // namespace anclora::respond
