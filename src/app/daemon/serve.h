// `anclora serve`: a plan, kept unattended. Watches in this process, so that it needs nobody to see; everything that
// can hang or needs much is a child process of this same program. ADR 15.
#pragma once

#include <optional>
#include <string>

#include "app/cli/command_context.h"
#include "app/server/api_router.h"

namespace anclora::app {

struct ServeOptions {
  std::string plan_file;
  std::string site;                // where this process looks from
  std::optional<Endpoint> listen;  // nothing: no API
  ApiRules rules;
  bool capture = true;  // false: others capture, expire and verify; serve only watches and acts
  bool drills = true;
  Duration jobs_after = std::chrono::seconds(60);  // since the start, before the first expire, verify or drill
};

// Until it is asked to stop; then the children are asked, in order, and waited for.
Result<int> serve(CommandContext& context, const ServeOptions& options);

}  // namespace anclora::app
