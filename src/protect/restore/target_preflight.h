// May this Redis be restored into? Everything that is asked before the first byte, as facts, needs and findings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "protect/restore/restore_plan.h"
#include "redis/client/client.h"

namespace anclora::protect {

// What the data wants from whoever takes it.
struct TargetNeeds {
  std::uint32_t rdb_version = 0;                // of the base: 80 and more is Valkey's
  std::string saved_by;                         // it: "Redis 7.0.15"; empty: unknown
  std::uint32_t databases = 1;                  // how many the source had; 0: unknown
  std::optional<std::uint32_t> databases_used;  // by this very data, where it was counted
  std::vector<std::string> modules;
  std::uint64_t memory_bytes = 0;
  std::uint64_t rdb_bytes = 0;
  std::uint64_t stream_bytes = 0;  // that are replayed behind the RDB
};

// From the plan and the side data that stand beside its base (JSON with `config` and `modules`; "" where there are
// none).
TargetNeeds needs_of(const RestorePlan& plan, const std::string& side_json);

// What a target is. An empty optional: it would not tell.
struct LiveTargetFacts {
  redis::Info info;
  std::optional<std::uint32_t> databases;
  std::optional<std::vector<std::string>> modules;
  std::optional<std::uint64_t> maxmemory_bytes;
  std::optional<std::string> maxmemory_policy;
  std::optional<bool> tls_replication;
  std::string directory;      // where it keeps its files; empty: it would not tell
  std::optional<bool> saves;  // by its AOF or to RDB files
  bool appends = false;       // by its AOF: the stream that is replayed goes there too
  std::optional<std::uint64_t> aof_rewrite_percentage, aof_rewrite_min_bytes;
  std::optional<std::uint64_t> disk_free_bytes;  // there, when that is on this machine
  std::uint64_t keys = 0;
  std::uint64_t libraries = 0;  // of functions
  bool sentinel_watches = false;
  bool left_by_us = false;  // a replica that a killed restore left, to be restored again
  bool holds_data() const { return keys != 0 || libraries != 0; }
  std::string contents() const;  // "12 keys and 1 function library"
};
Result<LiveTargetFacts> ask_target(redis::Client& client, FileSystem& files);

struct PreflightFinding {
  bool fatal = false;
  std::string what;
  std::string fix;
};
// The source's setting does not answer whether the target has enough databases: count_databases_used() does.
bool databases_are_in_doubt(const LiveTargetFacts& facts, const TargetNeeds& needs);
// Pure. Fatal ones first.
std::vector<PreflightFinding> judge_target(const LiveTargetFacts& facts, const TargetNeeds& needs);
// kFailedPrecondition with every fatal finding; ok when there is none.
Status refuse_if_fatal(const std::vector<PreflightFinding>& findings, const std::string& target);

// A server that does not tell its version refuses by itself, before it drops what it has.
bool can_load_rdb(const redis::Info& info, std::uint32_t rdb_version);

}  // namespace anclora::protect
