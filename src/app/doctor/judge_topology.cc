#include <fmt/format.h>

#include <array>

#include "app/doctor/judges.h"

namespace anclora::app {
namespace {

void judge_attached(const ServerFacts& facts, Findings& findings) {
  const auto replicas = facts.info.replicas();
  findings.push_back({"replicas", Severity::kOk, fmt::format("{} replicas attached", replicas.size()), {}});
  findings.push_back({"wait-counts-us",
                      Severity::kNote,
                      "WAIT counts capture as one replica: with --ack durable (the default) once the bytes are safe in "
                      "the repository; our copy may be the one that satisfies it",
                      {}});
  const std::uint64_t min_replicas =
      facts.number_setting("min-replicas-to-write").value_or(facts.number_setting("min-slaves-to-write").value_or(0));
  if (min_replicas > 0) {
    findings.push_back({"min-replicas-counts-us",
                        Severity::kWarning,
                        fmt::format("min-replicas-to-write is {}: capture counts as one of them, so writes would go on "
                                    "with one real replica fewer",
                                    min_replicas),
                        {fmt::format("CONFIG SET min-replicas-to-write {}", min_replicas + 1), "CONFIG REWRITE"}});
  } else {
    findings.push_back({"min-replicas", Severity::kOk, "min-replicas-to-write is not used", {}});
  }
  const auto version = facts.info.redis_version();
  if (version && *version >= redis::Version{6, 2, 0}) {
    findings.push_back({"failover-may-choose-us",
                        Severity::kNote,
                        "a bare FAILOVER may choose capture, which cannot take over: name the replica",
                        {"FAILOVER TO <host> <port>   (FAILOVER ABORT ends one that hangs)"}});
  }
}

void judge_service(const ServerFacts& facts, Findings& findings) {
  const std::string managed = managed_service(facts);
  if (!managed.empty()) {
    findings.push_back({"managed-service",
                        Severity::kNote,
                        fmt::format("this looks like {}: see docs/operations for what works with it", managed),
                        {}});
  } else if (facts.config_right == Right::kMissing) {
    findings.push_back(
        {"managed-service", Severity::kNote, "CONFIG is missing or renamed, as on managed services", {}});
  }
}

}  // namespace

std::string managed_service(const ServerFacts& facts) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kHosts = {{
      {".cache.amazonaws.com", "Amazon ElastiCache"},
      {".memorydb.", "Amazon MemoryDB"},
      {".redis.cache.windows.net", "Azure Cache for Redis"},
      {".redis.azure.net", "Azure Managed Redis"},
      {".redislabs.com", "Redis Cloud"},
      {".redis-cloud.com", "Redis Cloud"},
      {".redns.redis-cloud.com", "Redis Cloud"},
      {".upstash.io", "Upstash"},
      {".aivencloud.com", "Aiven"},
      {".db.ondigitalocean.com", "DigitalOcean"},
      {".rds.aliyuncs.com", "Alibaba Cloud Tair"},
      {".dragonflydb.cloud", "Dragonfly Cloud"},
      {".memorystore.", "Google Memorystore"},
  }};
  for (const auto& [part, name] : kHosts) {
    if (facts.url.find(part) != std::string::npos) return std::string(name);
  }
  if (facts.info.text("os").value_or("").find("ElastiCache") != std::string_view::npos) return "Amazon ElastiCache";
  if (facts.info.text("rlec_version")) return "Redis Enterprise";
  if (facts.info.text("dragonfly_version")) return "Dragonfly";
  return "";
}

Findings judge_topology(const ServerFacts& facts) {
  Findings findings;
  judge_attached(facts, findings);
  if (facts.sentinels.value_or(0) > 0) {
    findings.push_back(
        {"sentinel",
         Severity::kNote,
         fmt::format("{} Sentinels watch this server; capture announces port 0, so they cannot promote it. "
                     "After a failover give capture the new primary",
                     *facts.sentinels),
         {"SENTINEL RESET <name> removes what they remember of a capture that is gone"}});
  }
  if (facts.info.cluster_enabled()) {
    findings.push_back({"cluster",
                        Severity::kWarning,
                        "this is a cluster node: one capture, with its own --name, is needed for every primary, and no "
                        "point in time is common to all of them",
                        {"CLUSTER NODES lists the primaries"}});
  }
  if (!facts.modules.empty()) {
    findings.push_back({"modules",
                        Severity::kNote,
                        fmt::format("modules are loaded ({}): the target of a restore needs the same ones",
                                    fmt::join(facts.modules, ", ")),
                        {}});
  }
  judge_service(facts, findings);
  return findings;
}

}  // namespace anclora::app
