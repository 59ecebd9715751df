// Collects what counts anew and writes it as checkpoints: a delta a minute, at once when it is urgent. Single-threaded
// but for the hand-over.
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "protect/capture/backoff.h"
#include "protect/capture/capture_state.h"
#include "storage/repository/source_state.h"

namespace anclora::protect {

class CheckpointWriter {
 public:
  struct Context {
    storage::AppendStore& store;
    const storage::Repository& repository;
    std::string source;
    Duration every;
    Clock& clock;
    Random& random;
    CaptureState& state;
  };
  CheckpointWriter(Context context, storage::CheckpointDelta first);

  // Any thread: `change` adds to the delta that waits. Urgent: written at the next step.
  void add(const std::function<void(storage::CheckpointDelta&)>& change, bool urgent);

  // Any thread: something waits that step() writes at once.
  bool urgent() const;

  // Any thread: the newest entry that was published, on which all stands that is packed and announced from now on.
  void stands_on(std::string entry_name);
  // Any thread. kUnavailable when that entry is gone: the repository was replaced by an older copy of itself, which
  // knows nothing of what is to be packed or announced.
  Status check_ground() const;

  // One thread. False: nothing to do now.
  bool step();
  // All that waits, whatever the time.
  Status write_now();

 private:
  Context context_;
  Backoff failures_;
  MonoTime last_written_;
  mutable std::mutex mutex_;
  storage::CheckpointDelta waiting_;
  bool urgent_ = false;
  std::string ground_;  // empty: nothing was published yet
};

}  // namespace anclora::protect
