// Secrets from a file or from the person at the terminal; never from argv.
#pragma once

#include <string>

#include "base/file_system.h"
#include "base/result.h"
#include "base/secret.h"

namespace anclora {

// The first line of the file, without its newline. Links are followed. kInvalidArgument when the file is larger than 4
// KiB or its first line is empty; kNotFound, kPermissionDenied as open().
Result<Secret> read_secret_file(FileSystem& file_system, const std::string& path);

// Asks on the terminal, with echo off. kFailedPrecondition when there is no terminal; kInvalidArgument for an empty
// line; kCancelled at the end of input.
Result<Secret> prompt_secret(const std::string& prompt);

}  // namespace anclora
