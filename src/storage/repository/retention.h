// Which recovery points are kept, and what that lets go: a plan that is data. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "storage/repository/pin.h"
#include "storage/repository/source_state.h"

namespace anclora::storage {

struct RetentionPolicy {
  Duration every_moment = std::chrono::days(7);
  Duration hourly = std::chrono::hours(48);
  Duration daily = std::chrono::days(7);
  Duration weekly = std::chrono::weeks(4);
  // A restore of any moment inside the every-moment window replays at most about this much stream.
  std::uint64_t replay_bytes = std::uint64_t{2} * 1024 * kMiB;
};

// A point that is kept, and why ("pin before-release", "weekly", ...).
struct KeptPoint {
  Position position;
  WallTime time;
  std::string reason;
  std::string base;  // the base exactly there; empty: one must be made before its log may go
};

struct RetentionPlan {
  WallTime every_moment_from;     // every moment since then stays restorable
  std::vector<KeptPoint> points;  // beyond it
  std::vector<KeptPoint> bases_to_make;
  std::vector<BaseInfo> retire_bases;
  std::vector<PackInfo> retire_packs;
  std::vector<TimelineId> retire_timelines;
  std::map<std::uint32_t, std::pair<std::uint64_t, redis::Offset>> first_kept;  // timeline -> sequence, offset
  std::vector<std::string> explanations;                                        // what stays and why, for people
  std::uint64_t bytes_freed = 0;

  bool retires_anything() const;
  CheckpointDelta delta() const;
  // As a mark, and back: what is let go by this plan and is marked.
  Retirement retirement(std::string mark) const;
  void limit_to(const Retirement& marked);
};

// While `bases_to_make` is not empty the plan retires nothing that making them needs: make them, reload, plan again.
RetentionPlan plan_retention(const SourceState& state, const std::vector<Pin>& pins, const RetentionPolicy& policy,
                             WallTime now);

}  // namespace anclora::storage
