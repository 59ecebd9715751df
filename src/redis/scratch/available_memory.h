// How much memory this machine, or the container we run in, can still give.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace anclora::redis {

// Of the machine (MemAvailable) or of the control group, whichever is less. kUnsupported where Linux's /proc is
// missing.
Result<std::uint64_t> available_memory_bytes();
// kResourceExhausted when less than `needed_bytes` is available, naming both; `what` needs it.
Status check_available_memory(std::uint64_t needed_bytes, std::string_view what);

}  // namespace anclora::redis
