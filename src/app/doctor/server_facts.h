// What doctor asks of a Redis, by commands that change nothing on it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/socket.h"
#include "redis/client/client.h"
#include "redis/client/info.h"

namespace anclora::app {

enum class Right : std::uint8_t { kGranted, kRefused, kMissing, kUnknown };  // kMissing: no such command there

struct WriteRate {
  double bytes_per_second = 0;
  bool is_upper_bound = false;  // from all input, because the source counts no replication offset yet
};

struct ServerFacts {
  std::string url;            // without the password
  bool is_local = false;      // the server runs on this machine, as far as the address tells
  bool is_encrypted = false;  // TLS or a Unix socket
  redis::Info info;
  std::map<std::string, std::string> config;  // empty when CONFIG GET is refused or missing
  Right config_right = Right::kUnknown;
  Right psync = Right::kUnknown;
  Right replconf = Right::kUnknown;
  std::string user;               // who we are signed in as; empty when the server has no ACL or hides it
  bool user_is_powerful = false;  // more than a replica needs, as far as can be seen
  std::optional<WriteRate> write_rate;
  std::optional<std::int64_t> sentinels;  // watching this server
  std::vector<std::string> modules;
  std::optional<int> overcommit_memory;            // vm.overcommit_memory, of a local server
  std::map<std::string, std::string> file_config;  // "appendonly", "save" in a local server's readable redis.conf
  bool file_config_read = false;

  std::optional<std::string> setting(std::string_view name) const;
  std::optional<std::uint64_t> number_setting(std::string_view name) const;
};

// Connects and asks. Takes `rate_window` of sleep on `clock` to measure the write rate. The errors are those of
// Client::connect and a refused INFO: without them there is nothing to say about the server.
Result<ServerFacts> probe_server(const redis::RedisUrl& url, Dialer& dialer, Clock& clock, Duration rate_window);

}  // namespace anclora::app
