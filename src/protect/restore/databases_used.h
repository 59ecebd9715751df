// Which databases the data really uses, where the source's own setting does not answer whether a target has enough.
#pragma once

#include <cstdint>
#include <functional>

#include "protect/restore/restore_progress.h"
#include "protect/restore/restore_stream.h"

namespace anclora::protect {

// The highest database of the base's keys and of the stream's SELECTs, plus one. Reads all of both, once; memory stays
// flat. kUnsupported: the base is of a version whose values cannot be stepped over. kDataLoss: damaged. kCancelled.
Result<std::uint32_t> count_databases_used(RestoreInput input, const std::function<bool()>& is_cancelled,
                                           const OnRestoreProgress& on_progress);

}  // namespace anclora::protect
