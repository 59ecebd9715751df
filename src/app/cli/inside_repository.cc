#include "app/cli/inside_repository.h"

#include <fmt/format.h>

#include <filesystem>

#include "app/daemon/state_folder.h"
#include "storage/repository/nested.h"

namespace anclora::app {

Status refuse_inside_repository(FileSystem& files, const std::string& path, const std::string& hint) {
  if (path.starts_with("s3://")) return {};
  std::error_code gone;  // the folder that one stands in may be removed
  const std::string here = std::filesystem::current_path(gone).string();
  const bool has_root = path.starts_with("file://") || path.starts_with('/');
  const std::string place = place_of(has_root || gone ? path : here + "/" + path);
  for (std::size_t slash = place.rfind('/'); slash != std::string::npos && slash > 0;
       slash = place.rfind('/', slash - 1)) {
    const std::string outer = place.substr(0, slash);
    if (storage::holds_repository(files, outer))
      return Error(ErrorKind::kFailedPrecondition, fmt::format("{} lies inside the repository {}", place, outer), hint);
  }
  return {};
}

}  // namespace anclora::app
