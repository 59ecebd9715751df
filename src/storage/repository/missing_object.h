// What it means that an object which a state counts on is not there.
#pragma once

#include <cstdint>
#include <string>

#include "storage/store/store.h"

namespace anclora::storage {

inline constexpr const char* kReloadHint =
    "load the source's state again and plan anew: expire removed what was planned on";

// kNotFound when the source has a checkpoint after the one that the state was loaded with: taken by expire or packed
// meanwhile, the hint says how to go on. Else kDataLoss: it is lost. The store's own error when that cannot be asked.
Error missing_object(ReadStore& store, const std::string& source, std::uint64_t checkpoint_ordinal,
                     const std::string& object);

}  // namespace anclora::storage
