#include "app/cli/work_directory.h"

#include <fmt/format.h>

namespace anclora::app {

Status require_work_directory(FileSystem& files, const std::string& path) {
  const auto refused = [&path](std::string_view why) {
    return Error(ErrorKind::kInvalidArgument, fmt::format("--work-dir {}: {}", path, why),
                 "make it first, or name a folder that is there");
  };
  const auto real = files.resolve(path);
  if (!real && real.error().kind() == ErrorKind::kNotFound) return refused("there is no such folder");
  if (!real) return real.error().with_context("--work-dir");
  ASSIGN_OR_RETURN(const FileInfo info, files.stat(*real));
  return info.is_directory ? Status() : refused("not a folder");
}

}  // namespace anclora::app
