// One way of looking at one thing from one place. Probes look; but for the beacon's own key they change nothing.
#pragma once

#include "base/clock.h"
#include "respond/detect/reading.h"

namespace anclora::respond {

// Thread rule: one look at a time per object.
class Probe {
 public:
  virtual ~Probe() = default;
  // Answers within `timeout` with whatever it saw by then; never throws, never blocks longer.
  virtual Reading look(Duration timeout) = 0;
};

}  // namespace anclora::respond
