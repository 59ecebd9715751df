// When the next base is due: by age, or because replaying from the newest one would take too long. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "storage/journal/position.h"

namespace anclora::protect {

// Replay speeds that are counted on, into a local server: whichever is slower decides.
inline constexpr std::uint64_t kReplayBytesPerSecond = 100'000'000;
inline constexpr std::uint64_t kReplayCommandsPerSecond = 300'000;

class BaseSchedule {
 public:
  BaseSchedule(Duration every, Duration replay_limit) : every_(every), replay_limit_(replay_limit) {}

  // A base of the state after `position` was made at `time`; `commands`: how many were received until now.
  void made(storage::Position position, WallTime time, std::uint64_t commands) {
    newest_ = position;
    made_at_ = time;
    commands_ = commands;
  }
  // `protected_up_to` tells where a base could stand now. Not due without new data, or before there is a first base. On
  // a later timeline too: a fork shares the offsets of its parent and its base.
  bool due(const std::optional<storage::Position>& protected_up_to, WallTime now, std::uint64_t commands) const {
    if (!newest_ || !protected_up_to || *protected_up_to <= *newest_) return false;
    if (now - made_at_ >= every_) return true;
    return replay_time(*protected_up_to, commands) > replay_limit_;
  }
  Duration replay_time(const storage::Position& position, std::uint64_t commands) const {
    if (!newest_ || position <= *newest_) return {};
    const std::uint64_t bytes = position.offset > newest_->offset ? position.offset - newest_->offset : 0;
    const std::uint64_t count = commands > commands_ ? commands - commands_ : 0;
    return std::max(std::chrono::milliseconds(bytes * 1000 / kReplayBytesPerSecond),
                    std::chrono::milliseconds(count * 1000 / kReplayCommandsPerSecond));
  }

 private:
  Duration every_, replay_limit_;
  std::optional<storage::Position> newest_;
  WallTime made_at_;
  std::uint64_t commands_ = 0;
};

}  // namespace anclora::protect
