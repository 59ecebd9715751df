// What somebody saw of a repository earlier, and verify must find again: objects that were deleted leave no other
// trace.
#pragma once

#include <string>
#include <vector>

#include "protect/verify/verify_report.h"
#include "storage/repository/source_state.h"

namespace anclora::protect {

// How far a source had come. `checkpoint` 0: not known.
struct Sighting {
  SeenSource seen;
  std::string by;  // "the verification of 2026-11-24T12:00:00Z"
};

struct EarlierVerification {
  std::vector<Sighting> sources;
  std::vector<std::string> key_slots;
  std::string by;
};

// The newest record that can be read; empty when there is none.
Result<EarlierVerification> read_earlier_verification(storage::ReadStore& store, const storage::Repository& repository);

// Says in the report what `sighting` knows to be missing of the source that is now as `state` says.
Status compare_with(const Sighting& sighting, storage::ReadStore& store, const storage::SourceState& state,
                    VerifyReport& report);
// Bases stand at positions that were protected: one beyond the newest entry tells that entries are missing.
void compare_with_bases(const storage::SourceState& state, VerifyReport& report);
// Sources of which nothing is left.
void compare_sources(const std::vector<Sighting>& sightings, const std::vector<std::string>& sources,
                     VerifyReport& report);
// Slots that stood earlier and were not removed by `key remove`. Those that a newer one of their kind replaces are
// told once; the others stay in the report for the next verification.
Status compare_key_slots(const EarlierVerification& earlier, storage::ReadStore& store, VerifyReport& report);

}  // namespace anclora::protect
