// The answer to INFO, as sections of names and values, with names for what the product asks of it. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "redis/offset.h"

namespace anclora::redis {

struct Version {
  std::uint32_t major = 0, minor = 0, patch = 0;
  friend auto operator<=>(const Version&, const Version&) = default;
  // "7.0.15"; missing parts are 0; nothing unless it starts with a number.
  static std::optional<Version> parse(std::string_view text);
  std::string to_string() const;
};

struct Keyspace {
  std::uint32_t database = 0;
  std::uint64_t keys = 0, expires = 0;
};

struct ReplicaLine {  // one "slaveN:" line
  std::string ip;
  std::uint16_t port = 0;
  std::string state;
  Offset offset;
  std::int64_t lag_seconds = 0;
};

class Info {
 public:
  // Lines that are no "name:value" are left out: an INFO is never malformed.
  static Info parse(std::string_view text);

  // Names are unique over all sections but for "errorstat_" and the like.
  std::optional<std::string_view> text(std::string_view name) const;
  std::optional<std::int64_t> number(std::string_view name) const;
  // "1", "yes" or "on".
  bool flag(std::string_view name) const;
  const std::map<std::string, std::map<std::string, std::string, std::less<>>, std::less<>>& sections() const {
    return sections_;
  }

  bool is_valkey() const { return text("valkey_version").has_value(); }
  // The compatible version of Redis: what decides about commands and formats ("7.2.4" on every Valkey).
  std::optional<Version> redis_version() const;
  std::optional<Version> valkey_version() const;
  // "Redis 7.0.15", "Valkey 8.1.1"
  std::string product() const;
  // What a replica announces by REPLCONF version: the source's own version; empty when INFO did not tell.
  std::string announced_version() const;

  bool is_primary() const { return text("role") == "master"; }
  bool is_replica() const { return text("role") == "slave"; }
  bool loading() const { return flag("loading"); }
  // A replica whose link is up; true for a primary.
  bool link_up() const { return !is_replica() || text("master_link_status") == "up"; }
  // A FAILOVER chose a replica that announces no port, as capture does: it never ends, and nothing can be written.
  bool fails_over_to_nobody() const {
    return is_replica() && text("master_failover_state") == "failover-in-progress" && text("master_port") == "0";
  }
  bool syncing() const { return flag("master_sync_in_progress"); }
  std::string replid() const { return std::string(text("master_replid").value_or("")); }
  std::string replid2() const;  // empty when there is none
  std::optional<Offset> offset() const;
  std::optional<Offset> second_offset() const;  // second_repl_offset: replid2 is valid up to here
  bool cluster_enabled() const { return flag("cluster_enabled"); }
  bool is_sentinel() const { return text("redis_mode") == "sentinel"; }
  std::vector<Keyspace> keyspaces() const;
  std::vector<ReplicaLine> replicas() const;

 private:
  std::map<std::string, std::map<std::string, std::string, std::less<>>, std::less<>> sections_;
};

}  // namespace anclora::redis
