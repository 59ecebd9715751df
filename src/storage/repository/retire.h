// Letting go what the policy no longer keeps, so that a tag of the same moment is honoured or refused, never lost.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "storage/repository/pin.h"
#include "storage/repository/retention.h"
#include "storage/store/store.h"

namespace anclora::storage {

// Step 1: a checkpoint marks what the policy lets go; it still counts. From then on pin_recovery_point() refuses what
// hangs on it. `plan` says what was marked; nothing to let go: no checkpoint, and the mark is empty.
struct MarkedRetention {
  RetentionPlan plan;
  WallTime now;  // by the store's clock: what the policy was judged at
  std::string mark;
};
Result<MarkedRetention> mark_retention(AppendStore& store, const Repository& repository, std::string_view source,
                                       const RetentionPolicy& policy, Clock& clock, Random& random);

// Step 2: reads state and pins again, and retires what was marked and is still let go. What another expire marked anew
// meanwhile stays. The plan that was carried out.
Result<RetentionPlan> retire_marked(AppendStore& store, const Repository& repository, std::string_view source,
                                    const RetentionPolicy& policy, const MarkedRetention& marked, Clock& clock,
                                    Random& random);

// Writes a pin, and looks again whether what it names is kept. kFailedPrecondition when expire is letting it go: then
// the pin, if it was written, means nothing and is taken away again, where that is permitted. Success: it is honoured
// from now on. kAlreadyExists as write_pin().
Status pin_recovery_point(Store& store, const Repository& repository, std::string_view source, const Pin& pin,
                          Random& random);

}  // namespace anclora::storage
