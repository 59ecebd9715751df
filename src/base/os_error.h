// What the operating system answers (errno), as an Error.
#pragma once

#include <string>

#include "base/result.h"

namespace anclora {

// "what: No space left on device", with the kind that tells a caller what to do. ENOENT and ENOTDIR: kNotFound;
// EEXIST: kAlreadyExists; EACCES, EPERM, EROFS: kPermissionDenied; ENOSPC, EDQUOT, EFBIG, EMFILE, ENFILE, ENOMEM:
// kResourceExhausted; ENOTEMPTY, ELOOP, EISDIR: kFailedPrecondition; every other: kIo.
Error os_error(int error_number, const std::string& what);

// "No space left on device".
std::string os_error_text(int error_number);

}  // namespace anclora
