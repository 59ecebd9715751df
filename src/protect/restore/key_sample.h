// How many keys the source held near a recovery point, as it said itself while it was captured.
#pragma once

#include <optional>

#include "protect/restore/restore_stream.h"

namespace anclora::protect {

// The newest counts at or before the end of the route, in its last stretch. Reads the log around that end: the entries
// behind the newest pack, or one or two packs. Nothing: none were recorded there.
Result<std::optional<storage::KeyCounts>> find_key_counts(const RestoreInput& input);

}  // namespace anclora::protect
