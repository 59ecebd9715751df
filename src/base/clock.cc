#include "base/clock.h"

#include <time.h>

#include <thread>

namespace anclora {
namespace {

class SystemClock final : public Clock {
 public:
  WallTime wall_now() override { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }
  MonoTime mono_now() override { return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()); }
  void sleep_for(Duration duration) override { std::this_thread::sleep_for(duration); }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

WallTime ManualClock::wall_now() { return WallTime(Duration(wall_us_.load())); }
MonoTime ManualClock::mono_now() { return MonoTime(Duration(mono_us_.load())); }

void ManualClock::advance(Duration duration) {
  mono_us_ += duration.count();
  wall_us_ += duration.count();
}

void ManualClock::step_wall(Duration duration) { wall_us_ += duration.count(); }

}  // namespace anclora
