// A real server's replication, recorded in memory: its base and the stream after it, ready to be fed to a target.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include "redis/replication/feed_source.h"
#include "redis/testing/redis_server.h"

namespace anclora::redis {

// Follows `server` in a thread from construction to finish(). Throws std::runtime_error when the link fails.
class Recording final : public FeedSource {
 public:
  explicit Recording(RedisServer& server);
  ~Recording() override;

  void wait_for_base();
  // Waits until it has all that the server has written, then lets go. Call before feeding.
  void finish();

  const Bytes& base() const { return base_; }
  const Bytes& stream() const { return stream_; }
  Offset end_offset() const { return base_offset_ + stream_.size(); }
  void replace_base(Bytes base) { base_ = std::move(base); }
  void append_to_stream(ByteView bytes) { stream_.append(bytes); }
  // Cuts the stream: for a shorter history.
  void drop_after(Offset offset) { stream_.resize(offset - base_offset_); }

  std::uint64_t base_size_bytes() const override { return base_.size(); }
  Offset base_offset() const override { return base_offset_; }
  Result<std::unique_ptr<ByteSource>> open_base() override;
  Result<std::unique_ptr<ByteSource>> open_stream(Offset after) override;

 private:
  void follow();
  Offset received();

  RedisServer& server_;
  std::unique_ptr<Connection> connection_;
  std::mutex mutex_;
  Bytes base_;
  Bytes stream_;
  Offset base_offset_;
  bool base_complete_ = false;
  std::string failure_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace anclora::redis
