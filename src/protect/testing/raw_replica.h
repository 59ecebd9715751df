// Follows a real redis-server the shortest way: the RDB of a full resynchronisation and every byte after it, in memory.
#pragma once

#include <memory>
#include <string>

#include "base/socket.h"
#include "redis/replication/follower.h"
#include "redis/testing/redis_server.h"

namespace anclora::protect {

// One thread. Failures throw.
class RawReplica {
 public:
  explicit RawReplica(redis::RedisServer& server);
  const Bytes& rdb() const { return rdb_; }
  redis::Offset base_offset() const { return base_offset_; }
  // From the byte after base_offset() on.
  const Bytes& stream() const { return stream_; }
  // Reads until the stream reaches the server's present offset.
  void catch_up();

 private:
  void step();

  redis::RedisServer& server_;
  std::unique_ptr<Connection> link_;
  redis::Follower follower_;
  Bytes rdb_, stream_;
  redis::Offset base_offset_;
  bool complete_ = false;
};

}  // namespace anclora::protect
