// Durations and sizes of the command line, each within the range in which its option makes sense.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace anclora::app {

// `text` as parse_duration() reads it; also "0" and "0s" where `least` is zero. kInvalidArgument, naming the option,
// the text and the range, when it is no duration or out of the range.
Result<Duration> duration_option(std::string_view option, const std::string& text, Duration least, Duration most);
// The same for a size, as parse_size() reads it.
Result<std::uint64_t> size_option(std::string_view option, const std::string& text, std::uint64_t least,
                                  std::uint64_t most);

}  // namespace anclora::app
