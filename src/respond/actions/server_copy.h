// A plain RDB of a Redis server as it is now: taken as a replica takes it, and nothing of the server is changed by it.
#pragma once

#include <cstdint>
#include <string>

#include "base/file_system.h"
#include "base/socket.h"
#include "redis/client/redis_url.h"
#include "respond/runbook/action.h"

namespace anclora::respond {

struct ServerCopyLimits {
  std::uint64_t bytes = 0;
  MonoTime until;
};

struct ServerCopy {
  std::uint64_t bytes = 0;
  std::uint64_t offset = 0;  // of the server's stream; 0: the file was there already
};

// `path` appears whole and synced, mode 0600, or not at all; a file that is there already stays as it is. The server
// forks for it (7.2 and later are told that nothing follows), never waits for us, and nothing is acknowledged.
// kResourceExhausted: larger than the limit, or the disk is full. kDeadlineExceeded, kCancelled (context.cancelled()).
Result<ServerCopy> copy_server(StepContext& context, FileSystem& files, Dialer& dialer, const redis::RedisUrl& url,
                               const std::string& path, const ServerCopyLimits& limits);

}  // namespace anclora::respond
