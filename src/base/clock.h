// Time, injected. WallTime is for people and indexes; MonoTime is for intervals and deadlines; neither orders data.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace anclora {

using Duration = std::chrono::microseconds;
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::microseconds>;

// Thread rule: every method may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall_now() = 0;
  virtual MonoTime mono_now() = 0;
  virtual void sleep_for(Duration duration) = 0;
};

// The machine's clock; lives for ever.
Clock& system_clock();

// A clock that moves only when told, or by what is slept on it.
class ManualClock final : public Clock {
 public:
  WallTime wall_now() override;
  MonoTime mono_now() override;
  void sleep_for(Duration duration) override { advance(duration); }
  void advance(Duration duration);
  // Steps the wall clock alone, as an administrator or NTP would.
  void step_wall(Duration duration);

 private:
  std::atomic<std::int64_t> mono_us_{1'000'000};
  std::atomic<std::int64_t> wall_us_{1'767'225'600'000'000};  // 2026-01-01T00:00:00Z
};

// "2026-11-24T12:34:56.789012Z": RFC 3339 in UTC with microseconds.
std::string format_rfc3339(WallTime time);
// Accepts RFC 3339 with any offset and 0 to 9 fractional digits; kInvalidArgument otherwise.
Result<WallTime> parse_rfc3339(std::string_view text);
// "5m", "1h30m", "200ms", "7d": kInvalidArgument unless a positive duration.
Result<Duration> parse_duration(std::string_view text);
// "1h 02m", "4.2 s", "180 ms".
std::string format_duration(Duration duration);
// "64MiB", "4GiB", "1048576", "10MB": kInvalidArgument otherwise.
Result<std::uint64_t> parse_size(std::string_view text);
// "507.2 MiB".
std::string format_size(std::uint64_t bytes);

}  // namespace anclora
