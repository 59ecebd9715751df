// From facts about a server to findings, one function a subject. Pure.
#pragma once

#include <string>
#include <vector>

#include "app/doctor/finding.h"
#include "app/doctor/server_facts.h"

namespace anclora::app {

// Whether it answers as a source can: version, role, loading, sync in progress.
Findings judge_version(const ServerFacts& facts);
// PSYNC, REPLCONF, CONFIG; the least-privileged user; encryption of the link.
Findings judge_access(const ServerFacts& facts);
// Backlog, output buffer of replicas, timeouts.
Findings judge_replication(const ServerFacts& facts);
// maxmemory-policy, limits, room for a fork.
Findings judge_memory(const ServerFacts& facts);
// AOF and RDB: set, written to the configuration file, last status.
Findings judge_persistence(const ServerFacts& facts);
// Replicas, Sentinel, cluster, managed service; WAIT, min-replicas-to-write and FAILOVER with us attached.
Findings judge_topology(const ServerFacts& facts);

// Which of our functions work with this server.
struct FunctionSupport {
  std::string function;
  bool works = true;
  std::string remark;  // a condition, or why not
};
std::vector<FunctionSupport> judge_functions(const ServerFacts& facts);

// The line that makes a user with the fewest rights that capture needs, in words that this server's version takes (of
// an unknown version: the newest words).
std::string acl_line(const ServerFacts& facts);
// "Amazon ElastiCache", "Azure", ...: guessed from the host and INFO; empty for none known.
std::string managed_service(const ServerFacts& facts);

}  // namespace anclora::app
