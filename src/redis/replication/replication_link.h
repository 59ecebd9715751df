// Drives a Follower over a connection: the calling thread reads, hands what comes to a sink, and acknowledges.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "base/socket.h"
#include "redis/replication/follower.h"

namespace anclora::redis {

// Called by the thread in ReplicationLink::run(). It must not block for long: while it does, the source keeps what it
// has to send in its own memory. Views live until the method returns. An error ends run(), which answers it; kCancelled
// ends it cleanly.
class ReplicaSink {
 public:
  virtual ~ReplicaSink() = default;
  virtual Status on_base_started(const FullResyncStarted& started) = 0;
  virtual Status on_base_bytes(ByteView bytes) = 0;
  virtual Status on_base_complete() = 0;
  virtual Status on_continue(const ContinueAccepted& accepted) = 0;
  // `first`: the offset of bytes[0]. Without a gap from one call to the next.
  virtual Status on_stream_bytes(ByteView bytes, Offset first) = 0;
  // The same when `buffer` holds nothing but those bytes: the sink may keep it and leave another in its place, which
  // the next read fills up to its capacity.
  virtual Status on_stream_buffer(Bytes& buffer, Offset first) { return on_stream_bytes(buffer, first); }
};

struct ReplicationLinkOptions {
  std::size_t read_bytes = 512 * kKiB;  // at most this much is in memory
  Duration write_timeout = std::chrono::seconds(10);
};

// The connection is touched by the thread in run() alone: a TLS connection allows no other way.
class ReplicationLink {
 public:
  // `connection` is fresh: nothing was sent over it.
  ReplicationLink(std::unique_ptr<Connection> connection, FollowerOptions follower, Clock& clock,
                  ReplicationLinkOptions options = {});

  // From the handshake to the end of the link; once. After stop(), what the source has already sent of the stream is
  // still handed to the sink, for 0.2 s at most. Ok after stop() or a sink's kCancelled; else the error of the
  // source, the connection (kUnavailable when cut, kDeadlineExceeded when silent) or the sink.
  Status run(ReplicaSink& sink);

  // Any thread: what is durable from now on; the source is told at once. See Follower::acknowledge.
  void acknowledge(Offset durable, std::optional<Offset> fack = {});
  // Any thread: run() returns soon.
  void stop();
  // Any thread: the last byte of the stream that was handed to the sink, or the base's offset.
  Offset received() const { return Offset{received_.load(std::memory_order_acquire)}; }
  // Any thread: time of the last byte that came.
  MonoTime last_heard() const { return MonoTime(Duration(heard_us_.load(std::memory_order_relaxed))); }

 private:
  struct Durable {
    Offset offset;
    std::optional<Offset> fack;
  };
  Status perform(const FollowerActions& actions, ReplicaSink& sink);
  Status read_and_receive(ReplicaSink& sink);
  Status take_what_came(ReplicaSink& sink);
  Status write(ByteView bytes);
  Result<std::size_t> wait_for_bytes();
  void wake_reader();

  std::unique_ptr<Connection> connection_;
  Follower follower_;
  Clock& clock_;
  ReplicationLinkOptions options_;
  Bytes buffer_;
  std::atomic<std::uint64_t> received_{0};
  std::atomic<std::int64_t> heard_us_{0};

  std::mutex mutex_;
  std::optional<Durable> to_acknowledge_;  // guarded
  bool stop_ = false;                      // guarded
  bool reading_ = false;                   // guarded: an interrupt now finds a read, or the read that comes next
};

}  // namespace anclora::redis
