// anclora verify: does everything in a repository still say what it said when it was written?
#pragma once

#include <functional>

#include "base/clock.h"
#include "base/random.h"
#include "protect/verify/sighting.h"
#include "protect/verify/verify_report.h"
#include "storage/repository/repository.h"
#include "storage/store/store.h"

namespace anclora::protect {

struct VerifyOptions {
  double percent = 100;    // of log entries, packs, bases and side objects; names and chains are always checked whole
  std::uint64_t seed = 0;  // which ones: the same seed reads the same objects
  std::function<void(const VerifyCounts&)> on_progress;
  // What others saw of these sources before this began; what the last verification saw is looked up.
  std::vector<Sighting> sightings;
};

// Key slots, checkpoints, every log entry and pack (each opens, the hashes chain, packs hold what they merged, nothing
// is missing between the first kept entry and the head), bases (every part, the hash of all, CRC64), pins, records; and
// that all is still there which was seen earlier. Damage is in the report; an error means that it could not be looked
// for (store away, key wrong).
Result<VerifyReport> verify_repository(storage::ReadStore& store, const storage::Repository& repository, Clock& clock,
                                       const VerifyOptions& options);

// Writes the report to records/verify/<id>; answers the object's name.
Result<std::string> write_verify_record(storage::AppendStore& store, const storage::Repository& repository,
                                        const VerifyReport& report, Random& random);

}  // namespace anclora::protect
