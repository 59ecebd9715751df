#include "app/cli/idle_option.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

namespace anclora::app {

Status refuse_idle(const CLI::App& command, const std::vector<std::string>& options, std::string_view why,
                   const std::string& hint) {
  for (const std::string& option : options)
    if (command.get_option(option)->count() > 0)
      return Error(ErrorKind::kInvalidArgument, fmt::format("{} does nothing {}", option, why), hint);
  return {};
}

}  // namespace anclora::app
