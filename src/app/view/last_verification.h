// The newest verification record of a repository.
#pragma once

#include <optional>

#include "app/view/source_report.h"
#include "storage/repository/repository.h"
#include "storage/store/store.h"

namespace anclora::app {

// Nothing when it was never verified.
Result<std::optional<LastVerification>> last_verification(storage::ReadStore& store,
                                                          const storage::Repository& repository);

}  // namespace anclora::app
