// From a wall time to a place in the stream: through the indexes of packs, and the entries behind them.
#pragma once

#include "base/clock.h"
#include "protect/restore/source_view.h"

namespace anclora::protect {

struct PointInTime {
  storage::Position position;  // of the mark: not yet a command boundary
  WallTime time;               // of the mark
};

// The last mark in the window whose time is not after `time`; the window's beginning when there is none. Reads the
// index of about one pack. Where the clock of capture was set back, the later of the places at which it showed that
// time; where it never did (it jumped, or capture was away), the mark that is nearest before it.
Result<PointInTime> last_mark_not_after(const SourceView& source, const storage::RecoveryWindow& window, WallTime time);

}  // namespace anclora::protect
