// Options that the rest of the command line makes meaningless: what a person typed is done or refused, never ignored.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
}

namespace anclora::app {

// kInvalidArgument when one of `options` of `command` was given; `why` ends the sentence "--replace does nothing ...".
Status refuse_idle(const CLI::App& command, const std::vector<std::string>& options, std::string_view why,
                   const std::string& hint = "leave it out");

}  // namespace anclora::app
