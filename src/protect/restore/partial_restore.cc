#include "protect/restore/partial_restore.h"

#include <fmt/format.h>

#include <algorithm>

namespace anclora::protect {
namespace {

constexpr std::size_t kDigits = 8;

bool is_partial_of(std::string_view name, std::string_view stem) {
  return name.size() == stem.size() + kDigits && name.starts_with(stem) &&
         std::ranges::all_of(name.substr(stem.size()),
                             [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Regular files and directories to this depth, which is all that a restore makes.
Status remove_tree(FileSystem& files, const std::string& folder, int depth) {
  ASSIGN_OR_RETURN(const auto entries, files.list(folder));
  for (const FileInfo& entry : entries) {
    const std::string path = folder + "/" + entry.name;
    const bool descend = entry.is_directory && depth > 0;
    RETURN_IF_ERROR(descend ? remove_tree(files, path, depth - 1) : files.remove(path));
  }
  return files.remove_directory(folder);
}

Status remove_if_dead(FileSystem& files, const std::string& path, bool is_directory) {
  ASSIGN_OR_RETURN(const auto lock, files.lock(is_directory ? path + "/" + std::string(kPartialLock) : path));
  return is_directory ? remove_tree(files, path, 1) : files.remove(path);
}

}  // namespace

std::string partial_name(const std::string& path, Random& random) {
  return fmt::format("{}.partial-{}", path, to_hex(random.bytes(kDigits / 2)));
}

std::vector<std::string> remove_dead_partials(FileSystem& files, const std::string& path) {
  std::vector<std::string> notes;
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const std::string stem = path.substr(slash == std::string::npos ? 0 : slash + 1) + ".partial-";
  const auto entries = files.list(folder);
  if (!entries) return notes;  // writing there will tell
  for (const FileInfo& entry : *entries) {
    if (!is_partial_of(entry.name, stem) || (!entry.is_directory && !entry.is_regular)) continue;
    const std::string left = folder + "/" + entry.name;
    const Status removed = remove_if_dead(files, left, entry.is_directory);
    if (removed) {
      notes.push_back("removed " + left + ", which an interrupted restore left");
    } else if (removed.error().kind() == ErrorKind::kFailedPrecondition) {
      notes.push_back("another restore is writing " + left);
    } else {
      notes.push_back(
          fmt::format("{} is left of an interrupted restore; remove it by hand: {}", left, removed.error().message()));
    }
  }
  return notes;
}

}  // namespace anclora::protect
