// What is said of an object that a later release wrote. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace anclora::storage {

// kUnsupported: `message` says what is not known; the hint says which release to install.
Error newer_format(std::string message);
// The same of `what` ("log entry") in format `version`, where this program reads up to `known`.
Error newer_version(std::string_view what, std::uint64_t version, std::uint64_t known);

}  // namespace anclora::storage
