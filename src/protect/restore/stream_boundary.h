// Where in a stream one may cut: at a command boundary outside MULTI. Reads only the entries around the place asked
// for.
#pragma once

#include <optional>

#include "base/clock.h"
#include "protect/restore/source_view.h"
#include "redis/resp/command_parser.h"

namespace anclora::protect {

struct BoundarySearch {
  redis::Offset at_or_before;          // the last place to cut at that is not after what was asked
  std::optional<redis::Offset> after;  // the first one after it, where it is known and not beyond `limit`
  std::optional<WallTime> time;        // of the last mark at or before what was asked, where the entry has one
  bool exact(redis::Offset asked) const { return at_or_before == asked; }
};

// `limit` is the newest offset of that timeline that may be read; asked <= limit. `after` is looked for within 64 MiB.
Result<BoundarySearch> find_boundaries(const SourceView& source, storage::Position asked, redis::Offset limit);

// Where to read from so that the command which holds the byte after `from` is seen from its start: the end of an entry
// that does not end inside a command. As far as the log is kept.
Result<redis::Offset> start_of_command(const SourceView& source, storage::Position from);

// The state of the stream at the beginning of `entry`; nothing when it begins inside a command.
std::optional<redis::StreamState> entry_start(const storage::LogEntry& entry);

}  // namespace anclora::protect
