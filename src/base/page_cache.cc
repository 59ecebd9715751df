#include "base/page_cache.h"

#include <fcntl.h>

#include "base/unique_fd.h"

namespace anclora {

void let_go_of_pages(const FileSystem& files, const std::string& path) {
  if (&files != &posix_file_system()) return;
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (fd.is_open()) static_cast<void>(::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED));
}

}  // namespace anclora
