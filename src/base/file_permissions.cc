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

void give_to_owner_of_folder(int fd, const std::string& path) {
  if (::geteuid() != 0) return;
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  struct stat model{};
  struct stat own{};
  if (::stat(folder.c_str(), &model) != 0 || ::fstat(fd, &own) != 0) return;
  const bool private_to_owner = (model.st_mode & (S_IRWXG | S_IRWXO)) == 0;
  // A file that has another name, too, is not one that was just made.
  if (S_ISREG(own.st_mode) && own.st_nlink != 1) return;
  if (!private_to_owner || own.st_uid != 0 || model.st_uid == 0) return;
  // A container or an NFS server may forbid it. The file is whole all the same, and root's, as any other program's
  // would be.
  static_cast<void>(::fchown(fd, model.st_uid, model.st_gid) == 0);
}

}  // namespace anclora
