// Of which sources a verification of a whole repository says something.
#pragma once

#include "base/clock.h"
#include "storage/repository/source_state.h"

namespace anclora::protect {

// False where `source` came into the repository after `verified`, when the verification began. Where its first timeline
// was let go meanwhile, it was there before.
bool verification_covers(const storage::SourceState& source, WallTime verified);

}  // namespace anclora::protect
