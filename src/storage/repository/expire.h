// Carrying out a retention plan: retire by a checkpoint, wait out the grace, delete. The only code that deletes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "storage/repository/repository.h"
#include "storage/repository/retention.h"
#include "storage/store/store.h"

namespace anclora::storage {

struct ExpireGrace {
  Duration packed_entries = std::chrono::hours(1);  // log entries that a pack covers
  Duration retired = std::chrono::hours(24);        // everything else
};

// What one run may delete now: found by listing, judged by the chain, by the store's own clock.
struct DeletionPlan {
  struct Item {
    std::string object;
    std::uint64_t size_bytes = 0;
    std::string reason;  // "packed", "retired", "never counted", "superseded"
  };
  std::vector<Item> items;
  std::uint64_t bytes = 0;
};

// Reads only. `now`: by the store's own clock, where it is to be carried out. kDataLoss while a checkpoint is damaged
// that no newer one makes up for: then nothing may be deleted.
Result<DeletionPlan> plan_deletions(ReadStore& store, const Repository& repository, std::string_view source,
                                    const ExpireGrace& grace, WallTime now);

// For a copy that was taken before --replace ("safety/<name>"): all of it, once every pin of it has expired and the
// grace is over; else nothing.
Result<DeletionPlan> plan_safety_deletions(ReadStore& store, const Repository& repository, std::string_view copy,
                                           const ExpireGrace& grace, WallTime now);

// Deletes what a plan of plan_deletions() names, oldest names first. Each object is judged again against a freshly
// loaded state before the first delete: an object that counts again (a pin, a base, a pack) stops the run with
// kAborted-like kFenced.
Status execute_deletions(Store& store, const Repository& repository, std::string_view source, const DeletionPlan& plan,
                         const ExpireGrace& grace);

// For a checkpoint after the deletions: the retired objects of which nothing is left (so that the chain forgets them).
Result<CheckpointDelta> forget_deleted(ReadStore& store, const Repository& repository, std::string_view source);

}  // namespace anclora::storage
