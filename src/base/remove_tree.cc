#include "base/remove_tree.h"

#include <utility>

namespace anclora {

Status remove_tree(FileSystem& files, const std::string& path) {
  const auto entries = files.list(path);
  if (!entries) return entries.error().kind() == ErrorKind::kNotFound ? Status() : Status(entries.error());
  Status first;
  const auto note = [&](Status status) {
    if (first && !status && status.error().kind() != ErrorKind::kNotFound) first = std::move(status);
  };
  for (const FileInfo& entry : *entries) {
    const std::string child = path + "/" + entry.name;
    note(entry.is_directory ? remove_tree(files, child) : files.remove(child));
  }
  note(files.remove_directory(path));
  return first;
}

}  // namespace anclora
