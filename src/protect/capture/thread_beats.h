// When each of capture's threads last came round: whoever watches the process must not see it alive while one of them
// is stuck.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"

namespace anclora::protect {

enum class CaptureThread : std::uint8_t {
  kReader,
  kEncoder,
  kUploader,
  kStart,  // no thread of its own: reading where the log stands
};

struct StuckThread {
  std::string name;
  Duration silent{0};
};

// Any thread.
class ThreadBeats {
 public:
  // Longer than every bounded wait of a thread: connecting, a silent link, one put with its retries; and than reading
  // a large repository's log takes at the start.
  static constexpr Duration kStuckAfter = std::chrono::minutes(15);

  void beat(CaptureThread thread, MonoTime now) { last_us(thread) = now.time_since_epoch().count(); }
  // It is over: no longer watched.
  void end(CaptureThread thread) { last_us(thread) = kOver; }
  // The thread that has been silent for longest, if that is longer than `bound`.
  std::optional<StuckThread> stuck(MonoTime now, Duration bound = kStuckAfter) const {
    constexpr std::array<const char*, 4> kNames = {"reader", "encoder", "uploader", "start"};
    std::optional<StuckThread> worst;
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      const std::int64_t last = last_us_[i];
      if (last == kOver) continue;
      const Duration silent = now.time_since_epoch() - Duration(last);
      if (silent <= bound || (worst && silent <= worst->silent)) continue;
      worst = StuckThread{kNames[i], silent};
    }
    return worst;
  }

 private:
  static constexpr std::int64_t kOver = INT64_MIN;
  std::atomic<std::int64_t>& last_us(CaptureThread thread) { return last_us_[static_cast<std::size_t>(thread)]; }

  std::array<std::atomic<std::int64_t>, 4> last_us_{kOver, kOver, kOver, kOver};
};

}  // namespace anclora::protect
