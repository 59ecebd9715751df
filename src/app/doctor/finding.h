// One thing that doctor found out about a Redis.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace anclora::app {

enum class Severity : std::uint8_t {
  kOk,       // as it should be
  kNote,     // worth knowing, nothing to mend
  kWarning,  // should be mended; protection works meanwhile, less well
  kError,    // this Redis cannot be protected until it is mended
};

// "ok", "note", "warning", "error": stable, used in --json.
std::string_view to_string(Severity severity);

struct Finding {
  std::string code;  // stable: "backlog-too-small"
  Severity severity = Severity::kOk;
  std::string text;
  std::vector<std::string> mend;  // commands for redis-cli, or one sentence
};

using Findings = std::vector<Finding>;

}  // namespace anclora::app
