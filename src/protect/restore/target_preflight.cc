#include "protect/restore/target_preflight.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/whole_number.h"
#include "redis/rdb/rdb_versions.h"

namespace anclora::protect {
namespace {

constexpr std::uint32_t kDefaultDatabases = 16;
constexpr std::uint64_t kDefaultRewritePercentage = 100;
constexpr std::uint64_t kDefaultRewriteMinBytes = 64 * kMiB;

std::uint64_t info_number(const redis::Info& info, std::string_view name) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, info.number(name).value_or(0)));
}

// The reply of MODULE LIST: arrays of names and values.
std::vector<std::string> module_names(const redis::Reply& reply) {
  std::vector<std::string> names;
  for (const redis::Reply& module : reply.elements)
    if (const redis::Reply* name = module.field("name")) names.push_back(name->text);
  return names;
}

// As capture keeps it beside a base: ["name", "search", "ver", 20612, ...].
std::optional<std::string> module_name(const nlohmann::json& module) {
  if (!module.is_array()) return std::nullopt;
  for (std::size_t i = 0; i + 1 < module.size(); i += 2)
    if (module[i] == "name" && module[i + 1].is_string()) return module[i + 1].get<std::string>();
  return std::nullopt;
}

std::optional<std::string> setting(redis::Client& client, std::string_view name) {
  auto value = client.config_get(name);
  if (!value.has_value()) return std::nullopt;  // a managed service: judged as unknown
  return *value;
}

std::optional<std::uint64_t> number_setting(redis::Client& client, std::string_view name) {
  const auto text = setting(client, name);
  return text ? whole_number<std::uint64_t>(*text) : std::nullopt;
}

// Sentinels name their links "sentinel-<id>-cmd" and listen on a channel of their own.
bool sentinel_watches(redis::Client& client) {
  const auto clients = client.command({"CLIENT", "LIST"});
  if (clients.has_value() && clients->text.find("name=sentinel-") != std::string::npos) return true;
  const auto listeners = client.command({"PUBSUB", "NUMSUB", "__sentinel__:hello"});
  return listeners.has_value() && listeners->elements.size() == 2 && listeners->elements[1].integer > 0;
}

bool is_local(const std::string& host) {
  return host.empty() || host.starts_with('/') || host == "::1" || host.starts_with("127.");
}

// A folder of that name on this machine is its folder where it is reached over loopback.
void ask_about_disk(redis::Client& client, FileSystem& files, LiveTargetFacts& facts) {
  facts.directory = setting(client, "dir").value_or("");
  const auto save = setting(client, "save");
  const auto append_only = setting(client, "appendonly");
  facts.appends = append_only == "yes";
  if (save || append_only) facts.saves = !save.value_or("").empty() || facts.appends;
  facts.aof_rewrite_percentage = number_setting(client, "auto-aof-rewrite-percentage");
  facts.aof_rewrite_min_bytes = number_setting(client, "auto-aof-rewrite-min-size");
  if (facts.directory.empty() || !is_local(client.peer().host)) return;
  if (const auto free = files.free_bytes(facts.directory)) facts.disk_free_bytes = *free;
}

class Judge {
 public:
  Judge(const LiveTargetFacts& facts, const TargetNeeds& needs) : facts_(facts), needs_(needs) {}

  std::vector<PreflightFinding> run() {
    role();
    version();
    databases();
    modules();
    memory();
    disk();
    surroundings();
    std::ranges::stable_sort(findings_, {}, [](const PreflightFinding& finding) { return !finding.fatal; });
    return std::move(findings_);
  }

 private:
  void fatal(std::string what, std::string fix) { findings_.push_back({true, std::move(what), std::move(fix)}); }
  void warn(std::string what, std::string fix) { findings_.push_back({false, std::move(what), std::move(fix)}); }

  void role() {
    const redis::Info& info = facts_.info;
    if (info.is_sentinel())
      return fatal("it is a Sentinel, not a data server", "name the Redis that is to hold the data");
    if (info.cluster_enabled())
      return fatal("it runs in cluster mode, in which REPLICAOF is not allowed",
                   "restore with --to dir:PATH, or into a server started with cluster-enabled no");
    if (info.loading()) return fatal("it is loading its data", "wait until it has loaded, then try again");
    if (info.is_replica() && !facts_.left_by_us)
      fatal(fmt::format("it is a replica of {}:{}{}", info.text("master_host").value_or("?"),
                        info.text("master_port").value_or("?"), info.link_up() ? "" : ", which does not answer"),
            info.link_up() ? "run REPLICAOF NO ONE on it first, or name its primary"
                           : "run REPLICAOF NO ONE on it first, or name its primary; where an interrupted restore left "
                             "it so: anclora restore --undo --to its URL, on the machine of that restore");
  }

  void version() {
    if (can_load_rdb(facts_.info, needs_.rdb_version)) return;
    const bool known = !needs_.saved_by.empty();
    fatal(fmt::format("{} cannot load RDB version {} (saved by {})", facts_.info.product(), needs_.rdb_version,
                      known ? needs_.saved_by : "the source"),
          known ? fmt::format("restore into {} or later", needs_.saved_by)
                : "restore into a server of the source's version or later");
  }

  void databases() {
    if (needs_.databases_used && facts_.databases && *needs_.databases_used <= *facts_.databases) return;
    if (needs_.databases_used && facts_.databases)
      return fatal(
          fmt::format("it has {} databases, the data uses {}: a server that meets a database it lacks exits",
                      *facts_.databases, *needs_.databases_used),
          fmt::format("set \"databases {}\" in its configuration file and start it again", *needs_.databases_used));
    const std::uint32_t needed = needs_.databases == 0 ? kDefaultDatabases : needs_.databases;
    if (!facts_.databases || *facts_.databases >= needed) return;
    fatal(fmt::format("it has {} databases, {} {}: a server that meets a database it lacks exits", *facts_.databases,
                      needs_.databases == 0 ? "and the data may use" : "the source had", needed),
          fmt::format("set \"databases {}\" in its configuration file and start it again", needed));
  }

  void modules() {
    if (!facts_.modules) return;
    for (const std::string& module : needs_.modules) {
      if (std::ranges::find(*facts_.modules, module) != facts_.modules->end() || has_built_in(module)) continue;
      fatal(fmt::format("it lacks the module {} that the source had loaded", module),
            module == "vectorset" ? "restore into Redis 8.0 or later, of which it is a part"
                                  : "load the module (loadmodule in its configuration file) and start it again");
    }
  }

  // Scripts and functions in Lua: a module since Valkey 9.1, a part of the server everywhere else.
  bool has_built_in(const std::string& module) const {
    const auto valkey = facts_.info.valkey_version();
    return module == "lua" && (!valkey || *valkey < redis::Version{9, 1, 0});
  }

  void memory() {
    const std::uint64_t limit = facts_.maxmemory_bytes.value_or(0);
    const std::uint64_t machine = info_number(facts_.info, "total_system_memory");
    if (limit != 0 && needs_.memory_bytes > limit)
      fatal(fmt::format("its maxmemory is {}, the data takes about {}", format_size(limit),
                        format_size(needs_.memory_bytes)),
            fmt::format("CONFIG SET maxmemory {}", needs_.memory_bytes / 4 * 5));
    if (machine != 0 && needs_.memory_bytes > machine)
      fatal(fmt::format("its machine has {} of memory, the data takes about {}", format_size(machine),
                        format_size(needs_.memory_bytes)),
            "restore into a larger machine");
    const std::string policy = facts_.maxmemory_policy.value_or("noeviction");
    if (limit != 0 && policy != "noeviction")
      warn(fmt::format("its maxmemory-policy is {}: it may drop restored keys", policy),
           "CONFIG SET maxmemory-policy noeviction");
  }

  // By how much of the stream its AOF grows before it is rewritten for the first time, where it has one.
  std::uint64_t aof_growth() const {
    if (!facts_.appends) return 0;
    const std::uint64_t percentage = facts_.aof_rewrite_percentage.value_or(kDefaultRewritePercentage);
    if (percentage == 0) return needs_.stream_bytes;  // it is never rewritten
    const std::uint64_t least = facts_.aof_rewrite_min_bytes.value_or(kDefaultRewriteMinBytes);
    const auto grown =
        static_cast<std::uint64_t>(static_cast<double>(needs_.rdb_bytes) / 100 * static_cast<double>(percentage));
    return std::min(needs_.stream_bytes, std::max(grown, least - std::min(least, needs_.rdb_bytes)));
  }

  std::string wanted(std::uint64_t stream_bytes) const {
    if (stream_bytes == 0) return format_size(needs_.rdb_bytes);
    return fmt::format("{}, {} of it the stream in its AOF", format_size(needs_.rdb_bytes + stream_bytes),
                       format_size(stream_bytes));
  }

  // What it saves: an RDB or the base of an AOF once that is loaded, about as large as ours, then the stream.
  void disk() {
    const std::uint64_t growth = aof_growth();
    const std::uint64_t stream_bytes = facts_.appends ? needs_.stream_bytes : 0;
    const std::string fix =
        fmt::format("free some, or start it with its \"dir\" on another file system{}",
                    stream_bytes == 0 ? "" : ", or CONFIG SET appendonly no until the restore is over");
    if (!facts_.disk_free_bytes) {
      if (facts_.saves.value_or(false))
        warn(fmt::format("it saves to its disk, which cannot be seen from here: it needs about {} free in {}",
                         wanted(stream_bytes), facts_.directory.empty() ? "its folder" : facts_.directory),
             "look on its machine: df -h " + facts_.directory);
      return;
    }
    const std::uint64_t free_bytes = *facts_.disk_free_bytes;
    const std::string has =
        fmt::format("{}, where it keeps its files, has {} free", facts_.directory, format_size(free_bytes));
    if (free_bytes < needs_.rdb_bytes + growth) {
      if (facts_.saves.value_or(false))
        fatal(fmt::format("{}, the data takes about {}", has, wanted(growth)), fix);
      else
        warn(fmt::format("{}, the data takes about {}: it fails if it loads by way of its disk", has, wanted(growth)),
             fix);
    } else if (free_bytes < needs_.rdb_bytes + stream_bytes) {
      warn(fmt::format("{}, the data takes up to {}, unless rewrites of it keep pace", has, wanted(stream_bytes)), fix);
    }
  }

  void surroundings() {
    if (facts_.sentinel_watches)
      fatal("a Sentinel watches it, and would make it follow another primary in the middle of the restore",
            "on each Sentinel: SENTINEL REMOVE NAME; add it again with SENTINEL MONITOR afterwards");
    if (const std::uint64_t replicas = info_number(facts_.info, "connected_slaves"); replicas != 0)
      warn(fmt::format("it has {} replicas: they will take over the restored data", replicas),
           "nothing, if that is wanted");
  }

  const LiveTargetFacts& facts_;
  const TargetNeeds& needs_;
  std::vector<PreflightFinding> findings_;
};

}  // namespace

TargetNeeds needs_of(const RestorePlan& plan, const std::string& side_json) {
  const storage::BaseInfo& base = plan.route.base;
  TargetNeeds needs;
  needs.rdb_version = base.rdb_version;
  if (const auto saver = redis::product_of(redis::rdb_magic_of(base.rdb_version), base.redis_version))
    needs.saved_by = saver->to_string();
  needs.memory_bytes = plan.memory_bytes;
  needs.rdb_bytes = base.rdb_bytes;
  needs.stream_bytes = plan.route.stream_bytes();
  needs.databases = 0;
  const auto side = nlohmann::json::parse(side_json, nullptr, false);
  if (!side.is_object()) return needs;
  if (const auto config = side.find("config"); config != side.end() && config->is_object())
    if (const auto databases = config->find("databases"); databases != config->end() && databases->is_string())
      needs.databases = whole_number<std::uint32_t>(databases->get<std::string>()).value_or(0);
  if (const auto modules = side.find("modules"); modules != side.end() && modules->is_array())
    for (const auto& module : *modules) {
      if (auto name = module_name(module)) needs.modules.push_back(std::move(*name));
    }
  return needs;
}

bool databases_are_in_doubt(const LiveTargetFacts& facts, const TargetNeeds& needs) {
  if (!facts.databases || needs.databases_used) return false;
  return needs.databases == 0 || needs.databases > *facts.databases;
}

Result<LiveTargetFacts> ask_target(redis::Client& client, FileSystem& files) {
  LiveTargetFacts facts;
  ASSIGN_OR_RETURN(facts.info, client.info());
  for (const redis::Keyspace& keyspace : facts.info.keyspaces()) facts.keys += keyspace.keys;
  facts.libraries = info_number(facts.info, "number_of_libraries");
  if (const auto databases = number_setting(client, "databases"))
    facts.databases = static_cast<std::uint32_t>(*databases);
  facts.maxmemory_bytes = number_setting(client, "maxmemory");
  facts.maxmemory_policy = setting(client, "maxmemory-policy");
  if (const auto tls = setting(client, "tls-replication")) facts.tls_replication = *tls == "yes";
  ask_about_disk(client, files, facts);
  if (auto modules = client.command({"MODULE", "LIST"}); modules.has_value()) facts.modules = module_names(*modules);
  facts.sentinel_watches = sentinel_watches(client);
  return facts;
}

std::string LiveTargetFacts::contents() const {
  if (libraries == 0) return fmt::format("{} keys", keys);
  return fmt::format("{} keys and {} function {}", keys, libraries, libraries == 1 ? "library" : "libraries");
}

std::vector<PreflightFinding> judge_target(const LiveTargetFacts& facts, const TargetNeeds& needs) {
  return Judge(facts, needs).run();
}

Status refuse_if_fatal(const std::vector<PreflightFinding>& findings, const std::string& target) {
  std::string what;
  std::string fixes;
  for (const PreflightFinding& finding : findings) {
    if (!finding.fatal) continue;
    what += (what.empty() ? "" : "; ") + finding.what;
    fixes += (fixes.empty() ? "" : "; ") + finding.fix;
  }
  if (what.empty()) return {};
  return Error(ErrorKind::kFailedPrecondition, fmt::format("cannot restore into {}: {}", target, what), fixes);
}

bool can_load_rdb(const redis::Info& info, std::uint32_t rdb_version) {
  const auto product = redis::product_of(info);
  return !product || redis::loads_rdb(*product, redis::rdb_magic_of(rdb_version));
}

}  // namespace anclora::protect
