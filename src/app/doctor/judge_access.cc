#include <fmt/format.h>

#include "app/doctor/judges.h"

namespace anclora::app {
namespace {

constexpr redis::Version kOldest{4, 0, 0};        // PSYNC2
constexpr redis::Version kChannelRules{6, 2, 0};  // before it ACL SETUSER refuses the word resetchannels
constexpr redis::Version kMultiPartAof{7, 0, 0};  // and replication ids that survive a planned restart
constexpr redis::Version kWaitAof{7, 2, 0};

bool has_acl(const ServerFacts& facts) {
  const auto version = facts.info.redis_version();
  return version && version->major >= 6;
}

void judge_right(Right right, std::string_view command, const ServerFacts& facts, Findings& findings) {
  const std::string managed = managed_service(facts);
  switch (right) {
    case Right::kGranted:
      findings.push_back({"replication-permitted", Severity::kOk, fmt::format("{} is permitted", command), {}});
      return;
    case Right::kRefused:
      findings.push_back({"replication-not-permitted",
                          Severity::kError,
                          fmt::format("the user \"{}\" may not use {}", facts.user, command),
                          {acl_line(facts)}});
      return;
    case Right::kMissing:
      findings.push_back({"replication-missing",
                          Severity::kError,
                          managed.empty() ? fmt::format("{} is renamed or disabled on this server", command)
                                          : fmt::format("{} does not offer {}", managed, command),
                          {"a service that hides replication cannot be captured: protect a self-hosted Redis, or ask "
                           "the provider for replication access"}});
      return;
    case Right::kUnknown:
      findings.push_back({"replication-right-unknown",
                          Severity::kNote,
                          fmt::format("whether {} is permitted cannot be seen with these rights; `anclora capture` "
                                      "will tell",
                                      command),
                          {}});
      return;
  }
}

}  // namespace

std::string acl_line(const ServerFacts& facts) {
  const auto version = facts.info.redis_version();
  const bool has_channels = !version || !(*version < kChannelRules);
  return fmt::format(
      "ACL SETUSER anclora on >CHOOSE-A-PASSWORD resetkeys {}-@all +ping +psync +replconf +info +time +config|get "
      "+module|list +acl|list +pubsub|numsub +command|info",
      has_channels ? "resetchannels " : "");
}

Findings judge_access(const ServerFacts& facts) {
  Findings findings;
  judge_right(facts.psync, "PSYNC", facts, findings);
  judge_right(facts.replconf, "REPLCONF", facts, findings);
  if (facts.config_right == Right::kRefused || facts.config_right == Right::kMissing) {
    findings.push_back({"settings-hidden",
                        Severity::kNote,
                        "CONFIG GET is refused or missing: settings cannot be checked, nor kept beside each base",
                        {has_acl(facts) ? acl_line(facts) : std::string("allow CONFIG GET")}});
  }
  if (facts.user_is_powerful && has_acl(facts)) {
    findings.push_back({"user-too-powerful",
                        Severity::kNote,
                        fmt::format("the user \"{}\" may do everything; capture needs far less", facts.user),
                        {acl_line(facts)}});
  }
  if (!facts.is_encrypted && !facts.is_local) {
    findings.push_back({"link-not-encrypted",
                        Severity::kWarning,
                        "password and data cross the network in clear",
                        {"turn TLS on at the server (tls-port) and use rediss://, or a private tunnel"}});
  }
  return findings;
}

Findings judge_version(const ServerFacts& facts) {
  Findings findings;
  const redis::Info& info = facts.info;
  if (info.is_sentinel()) {
    findings.push_back({"is-a-sentinel",
                        Severity::kError,
                        "this is a Sentinel, which holds no data",
                        {"SENTINEL GET-MASTER-ADDR-BY-NAME <name>, then give that address"}});
    return findings;
  }
  const auto version = info.redis_version();
  if (!version) {
    findings.push_back({"version-unknown", Severity::kWarning, "the server does not tell its version", {}});
  } else if (*version < kOldest) {
    findings.push_back({"version-too-old",
                        Severity::kError,
                        fmt::format("{} cannot resume replication after a failover", info.product()),
                        {"upgrade to 6.2 or later"}});
  } else {
    findings.push_back({"version", Severity::kOk, info.product(), {}});
  }
  if (info.loading()) {
    findings.push_back(
        {"loading", Severity::kError, "the server is loading its dataset", {"try again when it is done"}});
  }
  if (info.fails_over_to_nobody()) {
    findings.push_back({"failover-hangs",
                        Severity::kError,
                        "a FAILOVER chose capture, which cannot take over: this server takes no writes meanwhile",
                        {"FAILOVER ABORT", "FAILOVER TO <host> <port>"}});
  } else if (info.is_replica() && (!info.link_up() || info.syncing())) {
    findings.push_back({"replica-without-primary",
                        Severity::kError,
                        "this replica is not in sync with its primary, so it cannot feed others",
                        {"INFO replication, or give the primary's address"}});
  } else if (info.is_replica()) {
    findings.push_back({"source-is-a-replica",
                        Severity::kNote,
                        fmt::format("this is a replica of {}:{}: capture works, its lag is added to ours",
                                    info.text("master_host").value_or("?"), info.text("master_port").value_or("?")),
                        {}});
  }
  return findings;
}

std::vector<FunctionSupport> judge_functions(const ServerFacts& facts) {
  const redis::Version version = facts.info.redis_version().value_or(redis::Version{});
  const bool cluster = facts.info.cluster_enabled();
  const bool writable_config = facts.config_right == Right::kGranted;
  const bool can_capture = version >= kOldest && facts.psync != Right::kMissing && facts.psync != Right::kRefused &&
                           facts.replconf != Right::kMissing && facts.replconf != Right::kRefused &&
                           !facts.info.is_sentinel();
  const std::string later = fmt::format("needs {} or later", "7.0");
  return {
      {"capture with resume after a cut link or failover", can_capture, can_capture ? "" : "see the errors"},
      {"continuing after a planned restart without a new base", can_capture && version >= kMultiPartAof,
       version >= kMultiPartAof ? "with AOF off and a final save" : later},
      {"WAITAOF counting our copy", can_capture && version >= kWaitAof,
       version >= kWaitAof ? "" : "needs 7.2 or later; WAIT works"},
      {"restore into a live server by replication", version >= kOldest && !cluster,
       cluster ? "a cluster node refuses REPLICAOF: use dir: or rdb:" : "the server must be able to reach us"},
      {"restore as a data directory (dir:)", version >= kMultiPartAof, version >= kMultiPartAof ? "" : later},
      {"restore as an RDB file (rdb:)", true, ""},
      {"faster load by settings during a restore", writable_config, writable_config ? "" : "CONFIG is not available"},
  };
}

}  // namespace anclora::app
