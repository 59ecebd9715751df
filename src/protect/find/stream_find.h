// anclora find: which commands did what, when, and how to get the state before them back.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protect/find/found_command.h"
#include "protect/find/key_pattern.h"
#include "protect/restore/source_view.h"

namespace anclora::protect {

struct FindQuery {
  bool dangerous = false;              // FLUSHALL, FLUSHDB, SWAPDB, mass deletions: by indexes alone
  std::optional<std::string> command;  // a name, in any case
  std::optional<KeyPattern> key;
  std::optional<WallTime> since, until;  // of receipt, both ends included
  std::uint64_t limit = 1000;            // lines; more are counted as `cut_off`
};

struct FindSummary {
  std::uint64_t found = 0;
  bool cut_off = false;  // there is more than the limit
  std::uint64_t indexes_read = 0;
  std::uint64_t stretches_scanned = 0;  // whose commands had to be read one by one
  std::uint64_t bytes_scanned = 0;
  std::string note;  // for the person: why this had to read everything, ...
  // Damaged or lost: what they hold was not looked at, in full or in part.
  std::vector<storage::DamagedObject> unread;
};

// What can be said before it starts: a GLOB without a literal prefix up to ':' reads everything in the time asked for.
std::string scan_note(const FindQuery& query);

// Hands out what is found, oldest first; an error from `on_found` ends it. What is damaged or lost ends nothing: it is
// in the summary. Memory stays flat.
// kInvalidArgument: nothing to look for, or `dangerous` together with a command or key.
Result<FindSummary> find_commands(const SourceView& source, const FindQuery& query,
                                  const std::function<Status(const FoundCommand&)>& on_found);

}  // namespace anclora::protect
