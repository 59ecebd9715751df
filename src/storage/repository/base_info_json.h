// A BaseInfo as JSON: in checkpoints and in a base's manifest. For the .cc files of this folder.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "storage/repository/source_state.h"

namespace anclora::storage {

nlohmann::json base_info_json(const BaseInfo& base);
// Inside read_document() only (see json_fields.h).
BaseInfo read_base_info_json(const nlohmann::json& json);

}  // namespace anclora::storage
