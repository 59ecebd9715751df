// Which stretches of which timelines lead from one position to another. Pure. For the .cc files of this folder.
#pragma once

#include <optional>
#include <vector>

#include "storage/repository/source_state.h"

namespace anclora::storage {

struct PathStretch {
  TimelineState timeline;
  std::optional<redis::Offset> from;  // entries that end at or before it are passed over; none: from its start
  std::optional<redis::Offset> cut;   // where the next stretch forks off; none in the last
};

// Oldest first. kNotFound: no such timeline; kFailedPrecondition: a gap lies between, or the timelines parted before.
Result<std::vector<PathStretch>> path_between(const SourceState& state, Position from, std::optional<Position> to);

}  // namespace anclora::storage
