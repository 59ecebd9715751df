// Which arguments of a write command are keys, for commands as they occur in a replication stream.
#pragma once

#include <cstdint>
#include <string_view>

#include "storage/journal/command_view.h"

namespace anclora::storage {

enum class KeyRule : std::uint8_t {
  kUnknown,               // a command that is not in the table
  kNone,                  // PING, SELECT, PUBLISH, FUNCTION, ...
  kFirst,                 // SET key value
  kSecond,                // XGROUP CREATE key group
  kFirstTwo,              // RENAME from to
  kAll,                   // DEL key ...
  kAllButFirst,           // BITOP and destination key ...
  kEveryOther,            // MSET key value ...
  kCountFirst,            // LMPOP numkeys key ...
  kCountSecond,           // EVAL script numkeys key ...
  kDestinationThenCount,  // ZUNIONSTORE destination numkeys key ...
  kFirstAndStore,         // SORT key ... STORE destination; GEORADIUS likewise
};

struct CommandFacts {
  std::string_view name;
  KeyRule keys = KeyRule::kUnknown;
};

inline constexpr std::size_t kUnknownCommand = 0;

// The command's place in the table, kUnknownCommand when it is not in it. `name` is in upper case. A few nanoseconds.
std::size_t find_command(std::string_view name);
// 0 < place < command_table_size().
const CommandFacts& command_facts(std::size_t place);
std::size_t command_table_size();

// Of a command with many arguments: which of those beyond the first few may be keys. 0: none, 1: any, 2: every other.
unsigned key_argument_step(KeyRule rule);

// Calls on_key(view) for each key among the arguments that are there. False when some of the keys are not, or cannot be
// told.
template <class OnKey>
bool for_each_key(KeyRule rule, const CommandView& command, const OnKey& on_key);

// --- implementation -------------------------------------------------------------------------------------------------

// Places first, first + step, ... below `end` of all arguments.
struct KeyPlaces {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  std::uint64_t step = 1;
  bool known = true;
};
KeyPlaces counted_key_places(const CommandView& command, std::size_t count_at);
// The place of the destination after STORE or STOREDIST: [place, place + 1), or nothing; unknown when arguments are
// cut.
KeyPlaces stored_key_place(const CommandView& command);

template <class OnKey>
bool visit_places(const CommandView& command, const KeyPlaces& places, const OnKey& on_key) {
  if (!places.known) return false;
  const std::uint64_t there = command.arguments.size();
  const std::uint64_t end = places.end < command.argument_count ? places.end : command.argument_count;
  for (std::uint64_t at = places.first; at < end; at += places.step) {
    if (at >= there) return false;
    on_key(command.arguments[static_cast<std::size_t>(at)]);
  }
  return true;
}

template <class OnKey>
bool for_each_key(KeyRule rule, const CommandView& command, const OnKey& on_key) {
  constexpr std::uint64_t kAll = ~std::uint64_t{0};
  switch (rule) {
    case KeyRule::kUnknown:
      return false;
    case KeyRule::kNone:
      return true;
    case KeyRule::kFirst:
      return visit_places(command, {0, 1}, on_key);
    case KeyRule::kSecond:
      return visit_places(command, {1, 2}, on_key);
    case KeyRule::kFirstTwo:
      return visit_places(command, {0, 2}, on_key);
    case KeyRule::kAll:
      return visit_places(command, {0, kAll}, on_key);
    case KeyRule::kAllButFirst:
      return visit_places(command, {1, kAll}, on_key);
    case KeyRule::kEveryOther:
      return visit_places(command, {0, kAll, 2}, on_key);
    case KeyRule::kCountFirst:
      return visit_places(command, counted_key_places(command, 0), on_key);
    case KeyRule::kCountSecond:
      return visit_places(command, counted_key_places(command, 1), on_key);
    case KeyRule::kDestinationThenCount:
      return visit_places(command, {0, 1}, on_key) && visit_places(command, counted_key_places(command, 1), on_key);
    case KeyRule::kFirstAndStore:
      return visit_places(command, {0, 1}, on_key) && visit_places(command, stored_key_place(command), on_key);
  }
  return false;
}

}  // namespace anclora::storage
