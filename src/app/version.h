// The version of this program, as the build says.
#pragma once

namespace anclora::app {

#ifndef ANCLORA_VERSION
#define ANCLORA_VERSION "0.1.0"
#endif

inline constexpr const char* kVersion = ANCLORA_VERSION;

}  // namespace anclora::app
