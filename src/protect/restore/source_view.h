// One source of a repository, opened for reading: what every reader of history is given.
#pragma once

#include "storage/repository/repository.h"
#include "storage/repository/source_state.h"
#include "storage/store/store.h"

namespace anclora::protect {

// All three outlive it. `state` is a moment's knowledge: a reader that meets kNotFound loads it anew (expire ran).
struct SourceView {
  storage::ReadStore& store;
  const storage::Repository& repository;
  const storage::SourceState& state;
};

}  // namespace anclora::protect
