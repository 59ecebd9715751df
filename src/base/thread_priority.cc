#include "base/thread_priority.h"

#include <sys/resource.h>

#include <algorithm>

namespace anclora {

namespace {
constexpr int kNicest = 19;
}  // namespace

// On Linux, who = 0 of PRIO_PROCESS is the calling thread alone (setpriority(2), "C library/kernel differences").
void be_nicer(int steps) {
  const int now = ::getpriority(PRIO_PROCESS, 0);
  ::setpriority(PRIO_PROCESS, 0, std::min(kNicest, now + steps));
}

}  // namespace anclora
