#include "base/write_file.h"

#include <algorithm>

namespace anclora {

std::string parent_folder(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
}

Status write_file(FileSystem& files, const std::string& path, ByteView bytes) {
  ASSIGN_OR_RETURN(const auto file, files.create(path));
  RETURN_IF_ERROR(file->append(bytes));
  RETURN_IF_ERROR(file->sync());
  return file->close();
}

Status replace_file(FileSystem& files, const std::string& path, ByteView bytes) {
  const std::string fresh = path + ".new";
  if (Status removed = files.remove(fresh); !removed && removed.error().kind() != ErrorKind::kNotFound) return removed;
  RETURN_IF_ERROR(write_file(files, fresh, bytes));
  RETURN_IF_ERROR(files.rename(fresh, path));
  return files.sync_directory(parent_folder(path));
}

}  // namespace anclora
