// What a replica says to its primary: short commands, and single line feeds that mean "still here". Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace anclora::redis {

// Reads one command after another. A peer that is not a replica is found out by limits, all below: nothing it declares
// is allocated. One thread at a time.
class TargetRequestParser {
 public:
  static constexpr std::size_t kArgumentsLimit = 64;
  static constexpr std::size_t kArgumentLimitBytes = 4 * kKiB;
  static constexpr std::size_t kCommandLimitBytes = 16 * kKiB;
  static constexpr std::size_t kLineLimitBytes = 1 * kKiB;

  // Takes over `bytes`; at most kCommandLimitBytes of them wait for their end.
  void feed(ByteView bytes) { waiting_.append(bytes); }
  // The next command, its name first and in upper case; nothing while it is incomplete. Empty lines are passed over.
  // kInvalidArgument: no command, or beyond a limit; of no use after that.
  Result<std::optional<std::vector<std::string>>> next();

 private:
  // A line without its end at waiting_[at]; moves `at` behind it.
  Result<std::optional<std::string>> take_line(std::size_t& at) const;
  Result<std::optional<std::vector<std::string>>> take_array();
  Result<std::optional<std::vector<std::string>>> take_inline();

  Bytes waiting_;
};

}  // namespace anclora::redis
