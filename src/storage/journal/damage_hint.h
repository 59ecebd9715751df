// The next step where what is stored is not what was written: one text for all who meet it.
#pragma once

namespace anclora::storage {

inline constexpr const char* kDamageHint = "anclora verify shows what is damaged; a mirror may hold a whole copy";

}  // namespace anclora::storage
