// How much time this machine did not give while a test measured. A promise in seconds is one of a machine that has
// them: beside a witness a test holds it where the machine was idle, and does not fail where it was loaded.
#pragma once

#include <atomic>
#include <thread>

#include "base/clock.h"

namespace anclora {

// From construction until the first limit() a thread sleeps and computes a little, again and again, and adds up what
// came late. One thread at a time.
class Witness {
 public:
  Witness();
  ~Witness();
  // `promised` where nothing came late, and ten times what did more.
  Duration limit(Duration promised);

 private:
  void work();
  void stop();

  std::atomic<bool> stopping_{false};
  std::atomic<Duration> lost_{Duration::zero()};
  std::thread thread_;
};

}  // namespace anclora
