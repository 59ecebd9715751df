// The newest verification record of a repository that can be read.
#pragma once

#include <optional>
#include <vector>

#include "app/view/source_report.h"
#include "storage/repository/repository.h"
#include "storage/store/store.h"

namespace anclora::app {

struct VerificationLook {
  std::optional<LastVerification> last;         // nothing when it was never verified
  std::vector<storage::DamagedObject> damaged;  // newer records that cannot be read: what they told is not known
};

// Steps over damaged records, a few at most, and over names that are none of ours.
Result<VerificationLook> last_verification(storage::ReadStore& store, const storage::Repository& repository);

}  // namespace anclora::app
