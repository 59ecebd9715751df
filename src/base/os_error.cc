#include "base/os_error.h"

#include <cerrno>
#include <system_error>

namespace anclora {
namespace {

ErrorKind kind_of(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorKind::kNotFound;
    case EEXIST:
      return ErrorKind::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorKind::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return ErrorKind::kResourceExhausted;
    case ENOTEMPTY:
    case ELOOP:
    case EISDIR:
      return ErrorKind::kFailedPrecondition;
    case EINVAL:
    case ENAMETOOLONG:
      return ErrorKind::kInvalidArgument;
    default:
      return ErrorKind::kIo;
  }
}

}  // namespace

std::string os_error_text(int error_number) { return std::generic_category().message(error_number); }

Error os_error(int error_number, const std::string& what) {
  return Error(kind_of(error_number), what + ": " + os_error_text(error_number));
}

}  // namespace anclora
