// What an error reply, or an answer that is no reply at all, means for the caller. Pure.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace anclora::redis {

// `text`: an error reply without its '-'; `what`: what was asked ("AUTH"). Never repeats arguments.
// NOAUTH, WRONGPASS and their older wordings: kUnauthenticated; NOPERM, DENIED: kPermissionDenied; LOADING, MASTERDOWN,
// NOMASTERLINK, BUSY, CLUSTERDOWN, TRYAGAIN, "max number of clients": kUnavailable; "unknown command": kUnsupported;
// OOM: kResourceExhausted; everything else: kFailedPrecondition.
Error error_of_reply(std::string_view text, std::string_view what);

// For bytes that are not Redis's protocol: kFailedPrecondition, saying what they look like (HTTP, TLS, SSH, ...).
Error error_of_foreign_bytes(ByteView first_bytes);

}  // namespace anclora::redis
