// What a restore will do, as data: printed by --dry-run, shown before it starts, checked again when it runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protect/restore/recovery_point.h"
#include "protect/restore/restore_route.h"

namespace anclora::protect {

// Measured on two cores with job-shaped data (docs/operations): deliberately on the slow side.
inline constexpr std::uint64_t kBaseBytesPerSecond = 100'000'000;   // RDB bytes that a target loads
inline constexpr std::uint64_t kStreamBytesPerSecond = 33'000'000;  // of small writes that a target executes

struct PlannedPack {
  std::string object;
  std::uint64_t stored_bytes = 0;
};

// How much lies between the restored point and the newest protected one: what the restore gives up.
struct Distance {
  storage::Position newest;
  WallTime newest_time;
  Duration behind{0};       // newest_time - point.time
  std::uint64_t bytes = 0;  // of stream; 0 when the two are on different timelines
  bool same_timeline = true;
};

struct RestorePlan {
  std::string source;
  RecoveryPoint point;
  RestoreRoute route;
  Distance distance;
  std::vector<PlannedPack> packs;
  std::uint64_t entries = 0;       // not yet in packs, at most
  std::uint64_t fetch_bytes = 0;   // from the repository: the base, packs up to the point; entries as packs tell
  Duration expected{0};            // until the target holds it
  std::uint64_t memory_bytes = 0;  // that the data will take in a Redis
  bool scratch_server = false;     // a throw-away redis-server is needed: the same memory on this machine
};

Result<RestorePlan> make_restore_plan(const storage::SourceState& state, const RecoveryPoint& point);
std::string to_text(const RestorePlan& plan);
std::string to_json(const RestorePlan& plan);

}  // namespace anclora::protect
