// How far a restore has come, for whoever shows it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "storage/journal/position.h"

namespace anclora::protect {

struct RestoreProgress {
  std::string_view phase;  // "pre-flight", "safety copy", "waiting for the target", "base", "stream", "checks", ...
  std::uint64_t done_bytes = 0;
  std::uint64_t total_bytes = 0;
};
// Called from the restore's own thread, some times a second.
using OnRestoreProgress = std::function<void(const RestoreProgress&)>;

struct RestoreCheck {
  std::string name;    // "offset", "replication errors", "keys", ...
  std::string result;  // what was found, in a sentence
};

}  // namespace anclora::protect
