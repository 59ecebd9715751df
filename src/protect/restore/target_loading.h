// A target that is loading its dataset answers little and is soon done: waited for, not refused.
#pragma once

#include <functional>

#include "base/clock.h"
#include "protect/restore/live_link.h"
#include "protect/restore/restore_progress.h"

namespace anclora::protect {

struct LoadingPatience {
  Duration stalled = std::chrono::minutes(1);  // without a byte more loaded
  Duration at_most = std::chrono::hours(1);
};

// Ok once it does not load (any more). kUnavailable with how far it came when patience is over; kCancelled. Tells the
// phase "the target is loading its data" with the bytes loaded.
Status wait_until_loaded(LiveLink& link, Clock& clock, const std::function<bool()>& is_cancelled,
                         const OnRestoreProgress& on_progress, const LoadingPatience& patience = {});

}  // namespace anclora::protect
