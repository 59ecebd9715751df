#include "base/testing/witness.h"

#include <time.h>

#include <algorithm>

namespace anclora {
namespace {

constexpr Duration kSleep = std::chrono::milliseconds(20);
constexpr Duration kComputing = std::chrono::milliseconds(5);
constexpr Duration kUnnoticed = std::chrono::milliseconds(3);  // of each round: no idle machine is more exact

Duration computed() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::duration_cast<Duration>(std::chrono::seconds(used.tv_sec) +
                                              std::chrono::nanoseconds(used.tv_nsec));
}

}  // namespace

Witness::Witness() : thread_([this] { work(); }) {}

Witness::~Witness() { stop(); }

Duration Witness::limit(Duration promised) {
  stop();
  return promised + 10 * lost_.load();
}

void Witness::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void Witness::work() {
  while (!stopping_) {
    const MonoTime began = system_clock().mono_now();
    system_clock().sleep_for(kSleep);
    for (const Duration end = computed() + kComputing; computed() < end;) {
    }
    const auto took = std::chrono::duration_cast<Duration>(system_clock().mono_now() - began);
    lost_ = lost_.load() + std::max(Duration::zero(), took - kSleep - kComputing - kUnnoticed);
  }
}

}  // namespace anclora
