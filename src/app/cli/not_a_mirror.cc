#include "app/cli/not_a_mirror.h"

#include <fmt/format.h>

#include "storage/repository/mirror.h"

namespace anclora::app {

Status require_not_a_mirror(storage::ReadStore& store, std::string_view instead) {
  ASSIGN_OR_RETURN(const storage::MirrorRole role, storage::mirror_role(store));
  if (role != storage::MirrorRole::kMirror) return {};
  const std::string promote =
      fmt::format("when its source is gone for good: anclora mirror --promote --to {}", store.describe());
  return Error(ErrorKind::kFailedPrecondition,
               store.describe() + " is a mirror: nothing but anclora mirror writes to it",
               instead.empty() ? promote : fmt::format("{}; {}", instead, promote));
}

}  // namespace anclora::app
