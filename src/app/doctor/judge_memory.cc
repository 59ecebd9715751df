#include <fmt/format.h>

#include "app/doctor/judges.h"
#include "base/bytes.h"

namespace anclora::app {
namespace {

std::uint64_t number(const ServerFacts& facts, std::string_view name) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, facts.info.number(name).value_or(0)));
}

void judge_policy(const ServerFacts& facts, Findings& findings) {
  const std::string policy =
      facts.setting("maxmemory-policy").value_or(std::string(facts.info.text("maxmemory_policy").value_or("")));
  const std::uint64_t limit = number(facts, "maxmemory");
  if (policy.empty()) return;
  if (policy != "noeviction") {
    findings.push_back({"eviction",
                        Severity::kWarning,
                        fmt::format("maxmemory-policy is {}: at {} the server deletes jobs to make room, and we would "
                                    "faithfully record their loss",
                                    policy, limit == 0 ? "a future maxmemory" : format_size(limit)),
                        {"CONFIG SET maxmemory-policy noeviction", "CONFIG REWRITE"}});
    return;
  }
  findings.push_back({"eviction", Severity::kOk, "maxmemory-policy is noeviction, as a queue needs", {}});
  if (limit == 0) {
    findings.push_back({"no-memory-limit",
                        Severity::kNote,
                        "maxmemory is not set: the kernel kills the server when memory runs out",
                        {}});
  } else if (number(facts, "used_memory") > limit / 10 * 9) {
    findings.push_back({"memory-nearly-full",
                        Severity::kWarning,
                        fmt::format("{} of {} are used: writes will soon be refused",
                                    format_size(number(facts, "used_memory")), format_size(limit)),
                        {"raise maxmemory, or remove finished jobs"}});
  }
}

void judge_fork(const ServerFacts& facts, Findings& findings) {
  const std::uint64_t used = number(facts, "used_memory_rss");
  const std::uint64_t total = number(facts, "total_system_memory");
  if (total == 0 || used == 0) return;
  const std::string text = fmt::format("{} resident of {} on the machine", format_size(used), format_size(total));
  if (used > total / 2) {
    findings.push_back({"fork-headroom",
                        Severity::kWarning,
                        text + ": a save for the first base may need as much again while everything is rewritten",
                        {"take the first base at a quiet hour, or from a replica; later ones need no fork"}});
  } else {
    findings.push_back({"fork-headroom",
                        Severity::kOk,
                        text + ": room for the fork of the first base (a container's own limit is not visible)",
                        {}});
  }
  if (facts.overcommit_memory && *facts.overcommit_memory != 1) {
    findings.push_back({"overcommit",
                        used > total / 4 ? Severity::kWarning : Severity::kNote,
                        fmt::format("vm.overcommit_memory is {}: a fork may be refused though memory is free",
                                    *facts.overcommit_memory),
                        {"sysctl vm.overcommit_memory=1"}});
  }
  if (const auto fork = facts.info.number("latest_fork_usec"); fork && *fork > 500'000) {
    findings.push_back(
        {"fork-slow", Severity::kNote, fmt::format("the last fork stopped the server for {} ms", *fork / 1000), {}});
  }
}

}  // namespace

Findings judge_memory(const ServerFacts& facts) {
  Findings findings;
  judge_policy(facts, findings);
  judge_fork(facts, findings);
  return findings;
}

}  // namespace anclora::app
