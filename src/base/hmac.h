// HMAC-SHA256 (RFC 2104).
#pragma once

#include "base/bytes.h"

namespace anclora {

// 32 bytes.
Bytes hmac_sha256(ByteView key, ByteView message);

}  // namespace anclora
