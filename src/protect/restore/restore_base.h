// The base that a restore begins with.
#pragma once

#include "protect/restore/restore_stream.h"

namespace anclora::protect {

// One thread. Like storage::BaseReader, but it says why what should be there is not: kUnavailable where expire took the
// base meanwhile, kDataLoss where it still counts (the message names the object).
class RestoreBase {
 public:
  // `input` outlives it.
  static Result<RestoreBase> open(const RestoreInput& input);
  // Appends up to about a frame to `out`; 0 at the end, after the whole was checked.
  Result<std::size_t> read(Bytes& out);

 private:
  RestoreBase(const RestoreInput& input, storage::BaseReader reader) : input_(&input), reader_(std::move(reader)) {}

  const RestoreInput* input_;
  storage::BaseReader reader_;
};

}  // namespace anclora::protect
