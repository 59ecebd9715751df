// From REPLICAOF until the target holds the recovery point: it reaches us, loads the base, is compared where the source
// counted its keys, and acknowledges the last byte.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "protect/restore/live_link.h"
#include "protect/restore/live_target.h"
#include "redis/replication/feeder.h"

namespace anclora::protect {

// One thread. The source stands still at the base until look_for_key_counts() was called.
class LiveWait {
 public:
  // All of it outlives the wait.
  struct Parts {
    const std::string& name;    // of the target
    const Endpoint& announced;  // where it was told to find us
    const RestorePlan& plan;
    const LiveTargetOptions& options;
    const RestoreTools& tools;
    const OnRestoreProgress& on_progress;
    LiveLink& link;
    redis::Feeder& feeder;
    ReplaySource& source;
  };
  explicit LiveWait(Parts parts) : parts_(parts) {}

  // While the base is on its way. Where the counts cannot be read nothing is compared: what is damaged on the way to
  // the point is met by the stream itself.
  void look_for_key_counts(RestoreInput input);
  // Until the target stands at the point. kUnavailable: it did not reach us, or is gone; kDeadlineExceeded; kCancelled;
  // kDataLoss: it holds other numbers of keys than the source; kFailedPrecondition: left().
  Status until_there();
  // It does not follow us any more: what it holds and whom it follows is another's word from then on.
  bool left() const { return left_; }
  // Where its keys were compared with the source's; empty: nowhere.
  const std::string& compared_at() const { return compared_at_; }

 private:
  void go_on(std::optional<redis::Offset> stop);
  Status compare_and_go_on();
  Status compare_key_counts();
  Error not_reached(const redis::FeederProgress& progress) const;
  Error too_long(const redis::FeederProgress& progress) const;
  Error left_us(const std::string& how);

  Parts parts_;
  std::optional<storage::KeyCounts> key_counts_;
  std::string compared_at_;
  bool left_ = false;
};

}  // namespace anclora::protect
