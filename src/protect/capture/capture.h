// Protects one source until stopped: attaches to it as a replica and archives its base and stream. The threads around
// CapturePipeline: reader (socket), encoder, uploader, packer, control.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/socket.h"
#include "protect/capture/base_maker.h"
#include "protect/capture/capture_options.h"
#include "protect/capture/capture_pipeline.h"
#include "protect/capture/capture_status.h"
#include "protect/capture/thread_beats.h"

namespace anclora::protect {

class Capture {
 public:
  // `base_maker`: for BaseFrom::kScratch; null where no later bases are made so. The outbox folder is locked from here
  // on (kFailedPrecondition: by another process).
  static Result<std::unique_ptr<Capture>> open(const CaptureEnvironment& environment, Dialer& dialer,
                                               BaseMaker* base_maker, CaptureOptions options,
                                               const std::string& outbox_folder);
  ~Capture();

  // Until stop() or what no retry can mend. Ok: drained, everything received is protected. kUnavailable: stopped, the
  // rest is kept in the outbox. kFenced: another writer has the log; the outbox is kept. Else: see take_over(), and the
  // source's refusal. Once.
  Status run();
  // Any thread; not from a signal handler. What was received is published within `drain_timeout`, or stays in the
  // outbox.
  void stop(Duration drain_timeout);
  // Any thread.
  CaptureStatus status() const;
  // Any thread: reader, encoder, uploader or what a start reads that has not come round for `bound`.
  std::optional<StuckThread> stuck(Duration bound = ThreadBeats::kStuckAfter) const {
    return beats_.stuck(environment_.clock.mono_now(), bound);
  }

 private:
  struct Running;  // threads and queues of one incarnation
  Capture(const CaptureEnvironment& environment, Dialer& dialer, BaseMaker* base_maker, CaptureOptions options,
          std::unique_ptr<Outbox> outbox);
  Result<std::unique_ptr<CapturePipeline>> begin();
  Status run_once(CapturePipeline& pipeline);
  Status drain(Running& running);
  bool may_begin_again(const Error& error);

  CaptureEnvironment environment_;
  Dialer& dialer_;
  const CaptureOptions options_;
  std::unique_ptr<Outbox> outbox_;
  CaptureState state_;
  ThreadBeats beats_;
  std::unique_ptr<BaseMaker> by_source_;  // BaseFrom::kSource
  BaseMaker* base_maker_;                 // who makes later bases; null: nobody
  std::atomic<bool> stopping_{false};
  std::atomic<std::int64_t> drain_timeout_us_{0};
  std::mutex running_mutex_;
  Running* running_ = nullptr;  // guarded
};

}  // namespace anclora::protect
