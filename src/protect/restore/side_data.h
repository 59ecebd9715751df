// What a base's source was set to: beside the data, for the pre-flight's questions to a target.
#pragma once

#include <functional>
#include <string>

#include "protect/restore/restore_plan.h"
#include "storage/repository/repository.h"
#include "storage/store/store.h"

namespace anclora::protect {

// The JSON that needs_of() takes; empty where the base has none, or where it cannot be opened: `warn` is told then, the
// pre-flight asks for less and the data needs it not. Errors: of the store.
Result<std::string> side_data_of(storage::ReadStore& store, const storage::Repository& repository,
                                 const RestorePlan& plan, const std::function<void(const std::string&)>& warn);

}  // namespace anclora::protect
