// How long to wait before trying again: doubling, with full jitter above the half, within a bound. Pure but for Random.
#pragma once

#include <algorithm>

#include "base/clock.h"
#include "base/random.h"

namespace anclora::protect {

class Backoff {
 public:
  Backoff(Duration first, Duration longest) : first_(first), longest_(longest), next_(first) {}

  // After a failure at `now`: when to try again.
  MonoTime fail(MonoTime now, Random& random) {
    const Duration wait = next_ / 2 + Duration(random.below(static_cast<std::uint64_t>(next_.count() / 2 + 1)));
    next_ = std::min(longest_, next_ * 2);
    active_ = true;
    retry_at_ = now + wait;
    return retry_at_;
  }
  void succeed() {
    next_ = first_;
    active_ = false;
  }
  bool active() const { return active_; }
  bool waiting(MonoTime now) const { return active_ && now < retry_at_; }
  MonoTime retry_at() const { return retry_at_; }

 private:
  Duration first_, longest_, next_;
  bool active_ = false;
  MonoTime retry_at_{};
};

}  // namespace anclora::protect
