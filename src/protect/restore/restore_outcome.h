// What a restore into a target came to: the answer to "how much is lost, how long did it take, is it right?".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protect/restore/restore_plan.h"
#include "protect/restore/restore_progress.h"

namespace anclora::protect {

struct RestoreOutcome {
  std::string target;
  RecoveryPoint point;
  Distance distance;                           // to the newest protected point: the achieved RPO
  std::optional<std::uint64_t> commands_lost;  // between the two; nothing when it was not counted
  Duration took{0};                            // from the first question to the last check: the achieved RTO
  std::uint64_t base_bytes = 0;
  std::uint64_t commands = 0;  // replayed
  std::uint64_t keys = 0;
  std::vector<RestoreCheck> checks;
  std::vector<std::string> warnings;
  std::string safety_source;   // of the copy that was taken; empty: none
  std::string safety_command;  // brings it back
};

std::string to_text(const RestoreOutcome& outcome);
std::string to_json(const RestoreOutcome& outcome);

// Commands between the point and the newest protected one, without what changes no data (PING, SELECT, MULTI, ...). By
// the indexes, and by reading the commands where a pack lies on both sides of the point.
Result<std::uint64_t> count_commands_lost(const SourceView& source, const RestorePlan& plan);

}  // namespace anclora::protect
