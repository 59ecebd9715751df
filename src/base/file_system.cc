#include "base/file_system.h"

#include <fmt/core.h>

namespace anclora {

Result<Bytes> FileSystem::read_all(const std::string& path, std::uint64_t limit_bytes) {
  ASSIGN_OR_RETURN(const std::unique_ptr<ReadableFile> file, open(path));
  const std::uint64_t size = file->size_bytes();
  if (size > limit_bytes)
    return Error(ErrorKind::kResourceExhausted, fmt::format("{} has {}, more than the {} that are allowed", path,
                                                            format_size(size), format_size(limit_bytes)));
  return file->read(0, static_cast<std::size_t>(size));
}

}  // namespace anclora
