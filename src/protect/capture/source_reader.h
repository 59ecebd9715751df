// Keeps capture attached to its source: connects, resumes or asks for a full synchronisation, hands on what comes, and
// comes back after a cut, never faster than a source can bear.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/socket.h"
#include "protect/capture/backoff.h"
#include "protect/capture/capture_options.h"
#include "protect/capture/capture_state.h"
#include "protect/capture/event_queue.h"
#include "protect/capture/thread_beats.h"
#include "redis/client/info.h"
#include "redis/replication/replication_link.h"

namespace anclora::protect {

// Finds the state of the archived stream at the place where a promoted replica's history leaves ours; waits until all
// before it is published. An error: no fork can be made (kUnavailable: not now).
class ForkFinder {
 public:
  virtual ~ForkFinder() = default;
  virtual Result<redis::CommandParser> state_at(redis::Offset fork) = 0;
};

class SourceReader final : private redis::ReplicaSink {
 public:
  struct Context {
    redis::RedisUrl url;
    AckMode ack;
    Dialer& dialer;
    Clock& clock;
    Random& random;
    EventQueue& events;
    CaptureState& state;
    ForkFinder& forks;
    ThreadBeats& beats;
    bool mask_secrets = true;
  };
  explicit SourceReader(Context context);

  // Until stop(). An error: the source refused us before it ever accepted us, and no later attempt can help (wrong
  // password, no permission, not a Redis).
  Status run();
  // Any thread.
  void stop();
  // Any thread: tells the source what is protected.
  void acknowledge();

 private:
  Status attach();
  Status follow(const std::optional<redis::Info>& info, std::optional<redis::ResumePoint> resume);
  Result<redis::Info> ask_info();
  // Where a promoted replica that is behind us leaves our history.
  static std::optional<redis::Offset> fork_point(const redis::Info& info, const redis::ResumePoint& resume);
  std::string full_sync_reason(const redis::FullResyncStarted& started) const;
  void pause_before_next(const Status& ended, Duration attached_for);
  bool wait(Duration duration);
  void beat() { context_.beats.beat(CaptureThread::kReader, context_.clock.mono_now()); }
  bool full_sync_loop(MonoTime now);
  Status push(decltype(SourceEvent::what) what, std::size_t bytes);

  Status on_base_started(const redis::FullResyncStarted& started) override;
  Status on_base_bytes(ByteView bytes) override;
  Status on_base_complete() override;
  Status on_continue(const redis::ContinueAccepted& accepted) override;
  Status on_stream_bytes(ByteView bytes, redis::Offset first) override;
  Status on_stream_buffer(Bytes& buffer, redis::Offset first) override;
  Status push_stream(Bytes bytes);
  void acknowledge_answered();

  Context context_;
  Attachment attachment_ = 0;
  std::optional<redis::ResumePoint> resume_;  // asked for by the present attachment
  std::optional<redis::CommandParser> fork_;  // likewise
  bool accepted_ = false;                     // the source accepted us once
  bool streaming_ = false;                    // in the present attachment
  MonoTime streaming_since_;
  bool reached_ = false;              // likewise: the source answered, and is not loading
  std::vector<MonoTime> full_syncs_;  // that led to nothing
  bool caught_up_ = false;            // the attachment before streamed for a while
  std::string synced_replid_;         // of the newest full sync
  Backoff backoff_;
  Backoff unreached_;  // while the source is not there: nothing that it does is at fault
  std::atomic<bool> stopping_{false};
  std::mutex link_mutex_;
  std::shared_ptr<redis::ReplicationLink> link_;  // guarded
  bool fack_ = false;                             // guarded: the source understands FACK
  bool answered_ = false;                         // guarded: the source said whether its history is ours
};

}  // namespace anclora::protect
