#include "respond/detect/probe_track.h"

#include <algorithm>
#include <utility>

namespace anclora::respond {

std::string_view to_string(ProbeState state) {
  switch (state) {
    case ProbeState::kUp:
      return "up";
    case ProbeState::kDown:
      return "down";
    case ProbeState::kUnknown:
      return "unknown";
  }
  return "unknown";
}

ProbeTrack::ProbeTrack(std::uint32_t bad_in_a_row, std::uint32_t good_in_a_row)
    : bad_in_a_row_(std::max(1U, bad_in_a_row)), good_in_a_row_(std::max(1U, good_in_a_row)) {}

void ProbeTrack::become(ProbeState state, WallTime at) {
  if (state == state_) return;
  state_ = state;
  changed_at_ = at;
}

void ProbeTrack::add(Reading reading) {
  const WallTime at = reading.at;
  switch (reading.state) {
    case ProbeState::kDown:
      if (bad_ == 0) first_bad_ = at;
      ++bad_;
      good_ = unknown_ = 0;
      if (bad_ >= bad_in_a_row_) become(ProbeState::kDown, at);
      break;
    case ProbeState::kUp:
      ++good_;
      unknown_ = 0;
      // While it is down, one good look among bad ones does not make the outage younger.
      if (state_ != ProbeState::kDown || good_ >= good_in_a_row_) bad_ = 0;
      if (good_ >= good_in_a_row_) become(ProbeState::kUp, at);
      break;
    case ProbeState::kUnknown:
      ++unknown_;
      good_ = 0;
      if (unknown_ >= bad_in_a_row_ && state_ != ProbeState::kDown) become(ProbeState::kUnknown, at);
      break;
  }
  last_ = std::move(reading);
}

std::optional<WallTime> ProbeTrack::down_since() const {
  return state_ == ProbeState::kDown ? first_bad_ : std::nullopt;
}

}  // namespace anclora::respond
