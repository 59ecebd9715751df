#include "base/file_permissions.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/os_error.h"

namespace anclora {

Status copy_permissions(const std::string& from, const std::string& to) {
  struct stat model{};
  struct stat own{};
  if (::stat(from.c_str(), &model) != 0 || ::lstat(to.c_str(), &own) != 0)
    return errno == ENOENT ? Status() : Status(os_error(errno, "cannot look at " + from));
  const bool another = model.st_uid != own.st_uid || model.st_gid != own.st_gid;
  const bool for_all = (model.st_mode & S_IROTH) != 0;
  if (another && ::lchown(to.c_str(), model.st_uid, model.st_gid) != 0 && !for_all)
    return os_error(errno,
                    "cannot give " + to + " to user " + std::to_string(model.st_uid) + ", whose " + from + " is");
  if (::chmod(to.c_str(), model.st_mode & 07777U) != 0) return os_error(errno, "cannot set the mode of " + to);
  return {};
}

}  // namespace anclora
