// Packs beside the publishing, so that merging a minute of log never delays an entry. Single-threaded but for the
// hand-over: the uploader offers, a thread of its own (or a test) steps.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "protect/capture/backoff.h"
#include "protect/capture/capture_state.h"
#include "protect/capture/checkpoint_writer.h"
#include "protect/capture/pack_feeder.h"
#include "protect/capture/upload_queue.h"

namespace anclora::protect {

class Packer {
 public:
  struct Context {
    storage::AppendStore& store;
    const storage::Repository& repository;
    std::string source;
    std::string folder;
    FileSystem& files;
    Clock& clock;
    Random& random;
    CaptureState& state;
    CheckpointWriter& checkpoints;
    Duration age = storage::kPackAge;
  };
  explicit Packer(Context context);

  // Any thread: a published entry. Beyond a bound in memory entries are left out; a later run packs them.
  void offer(std::shared_ptr<const QueuedEntry> entry);
  void offer(const std::string& object_name, Bytes object);

  // The packer's thread. False: nothing to do now.
  bool step();
  void wait(Duration timeout);
  void wake();

 private:
  struct Offered {
    std::shared_ptr<const QueuedEntry> entry;  // or
    std::string object_name;
    Bytes object;
    std::size_t weight = 0;
  };
  void push(Offered offered);
  void add(const Offered& offered);
  bool close();  // true

  Context context_;
  PackFeeder feeder_;
  Backoff failures_;
  std::mutex mutex_;
  std::condition_variable offered_;
  std::deque<Offered> queue_;
  std::size_t queued_bytes_ = 0;
  bool woken_ = false;
};

}  // namespace anclora::protect
