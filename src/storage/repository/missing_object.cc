#include "storage/repository/missing_object.h"

#include "storage/journal/damage_hint.h"
#include "storage/repository/sealed_object.h"

namespace anclora::storage {

Error missing_object(ReadStore& store, const std::string& source, std::uint64_t checkpoint_ordinal,
                     const std::string& object) {
  const Result<bool> moved_on = object_exists(store, layout::checkpoint(source, checkpoint_ordinal + 1));
  if (!moved_on) return moved_on.error();
  if (*moved_on) return Error(ErrorKind::kNotFound, object + " is gone", kReloadHint);
  return Error(ErrorKind::kDataLoss, object + " is missing: a hole in the log", kDamageHint);
}

}  // namespace anclora::storage
