// What writes to a source's log or checkpoints keeps off a mirror: the next pass would find other bytes than its
// source's.
#pragma once

#include <string_view>

#include "storage/store/store.h"

namespace anclora::app {

// kFailedPrecondition where `store` is a mirror that was not promoted; `instead` says what to do while its source
// lives.
Status require_not_a_mirror(storage::ReadStore& store, std::string_view instead = {});

}  // namespace anclora::app
