// Hysteresis of one probe at one vantage point: N bad looks in a row make it down, M good ones up again.
#pragma once

#include <cstdint>
#include <optional>

#include "respond/detect/reading.h"

namespace anclora::respond {

// Pure. An unknown look neither lengthens nor breaks a streak: a server that alternates between refusing and hanging
// in a way that tells nothing is still going down. Unknown for as many looks as make it down is the state unknown.
class ProbeTrack {
 public:
  ProbeTrack(std::uint32_t bad_in_a_row, std::uint32_t good_in_a_row);
  void add(Reading reading);

  // Unknown until enough looks agree for the first time.
  ProbeState state() const { return state_; }
  const std::optional<Reading>& last() const { return last_; }
  // When the streak that made it down began: the t_out of an outage. Nothing unless down.
  std::optional<WallTime> down_since() const;
  // When the state became what it is.
  std::optional<WallTime> changed_at() const { return changed_at_; }
  std::uint32_t bad_streak() const { return bad_; }

 private:
  void become(ProbeState state, WallTime at);

  std::uint32_t bad_in_a_row_, good_in_a_row_;
  std::uint32_t bad_ = 0, good_ = 0, unknown_ = 0;
  ProbeState state_ = ProbeState::kUnknown;
  std::optional<Reading> last_;
  std::optional<WallTime> first_bad_, changed_at_;
};

}  // namespace anclora::respond
