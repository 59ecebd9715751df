// The outbox's file "chain" as bytes. Pure. Format: docs/formats/outbox.md.
#pragma once

#include "protect/capture/outbox.h"

namespace anclora::protect {

Bytes encode_saved_chain(const SavedChain& chain);
// kDataLoss: damaged; kUnsupported: a newer version.
Result<SavedChain> decode_saved_chain(ByteView bytes);

}  // namespace anclora::protect
