// Which base and which stretches of stream lead to a position: across forks, from what a source's state says. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "storage/repository/source_state.h"

namespace anclora::protect {

// The bytes after `from` up to and with `to` of one timeline's stream.
struct StreamStretch {
  storage::TimelineId timeline;
  redis::Offset from, to;
  std::uint64_t bytes() const { return to - from; }
};

struct RestoreRoute {
  storage::BaseInfo base;
  std::vector<StreamStretch> stretches;  // in the order of replay; empty when the base is the position itself
  std::uint64_t stream_bytes() const;
};

const storage::TimelineState* find_timeline(const storage::SourceState& state, storage::TimelineId id);

// The route that replays least; between bases of one offset the one that a scratch server made (it loads faster).
// kNotFound when no base from which the stream is kept lies at or before it, or no such timeline is known.
Result<RestoreRoute> route_to(const storage::SourceState& state, storage::Position position);

// The newest point of a timeline that can be restored; nothing when it has none.
std::optional<storage::RecoveryWindow> newest_window(const storage::SourceState& state);
std::optional<redis::Offset> newest_offset(const storage::SourceState& state, storage::TimelineId timeline);

}  // namespace anclora::protect
