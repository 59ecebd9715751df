// WHEN: how a person names a moment of a source's history. Pure.
//   latest | 2026-11-24T12:34:56Z | 5m ago | offset:[T/]N | before:[T/]N | tag:NAME
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "base/result.h"
#include "storage/journal/position.h"

namespace anclora::protect {

// No repository is older: what counts back from now, or keeps for so long, is at most this.
inline constexpr Duration kLongestAgo = std::chrono::days(36500);

struct WhenLatest {
  friend bool operator==(const WhenLatest&, const WhenLatest&) = default;
};
struct WhenTime {
  WallTime time;
  friend bool operator==(const WhenTime&, const WhenTime&) = default;
};
struct WhenAgo {
  Duration ago;
  friend bool operator==(const WhenAgo&, const WhenAgo&) = default;
};
// After byte `offset`; the newest timeline when none is named.
struct WhenOffset {
  std::optional<storage::TimelineId> timeline;
  redis::Offset offset;
  friend bool operator==(const WhenOffset&, const WhenOffset&) = default;
};
// Just before the command whose first byte is at `command`: the way `find` names commands.
struct WhenBefore {
  std::optional<storage::TimelineId> timeline;
  redis::Offset command;
  friend bool operator==(const WhenBefore&, const WhenBefore&) = default;
};
struct WhenTag {
  std::string name;
  friend bool operator==(const WhenTag&, const WhenTag&) = default;
};

using When = std::variant<WhenLatest, WhenTime, WhenAgo, WhenOffset, WhenBefore, WhenTag>;

// kInvalidArgument with all the forms in its hint.
Result<When> parse_when(std::string_view text);
// What parse_when() reads back as the same.
std::string to_string(const When& when);

}  // namespace anclora::protect
