#include "storage/store/folder_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/store/folder_walk.h"
#include "storage/store/object_name.h"

namespace anclora::storage {
namespace {

constexpr std::size_t kChunkBytes = 1 * kMiB;
// A pack or a part of a base goes to disk piece by piece, so that the small puts beside it need not wait for all of it.
constexpr std::uint64_t kSyncEveryBytes = 4 * kMiB;

std::string parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

// The directories of an object's name below the root, outermost first: "a/b/c" → "a", "a/b".
std::vector<std::string_view> directories_of(std::string_view name) {
  std::vector<std::string_view> out;
  for (std::size_t slash = name.find('/'); slash != std::string_view::npos; slash = name.find('/', slash + 1)) {
    out.push_back(name.substr(0, slash));
  }
  return out;
}

Error disk_error(Error error, std::string_view root) {
  if (error.kind() != ErrorKind::kResourceExhausted) return error;
  return error.with_hint(fmt::format("free space on the file system of {}, for example with `anclora expire`", root));
}

}  // namespace

FolderStore::FolderStore(FileSystem& files, Random& random, std::string root)
    : files_(files), random_(random), root_(std::move(root)) {
  while (root_.size() > 1 && root_.ends_with('/')) root_.pop_back();
}

std::string FolderStore::temporary_path() {
  const std::lock_guard lock(mutex_);
  return temporary_folder() + "/" + to_hex(random_.bytes(16));
}

// Every component is examined without following links, so that a planted link leads nowhere.
Result<FolderStore::Place> FolderStore::look_up(std::string_view name, ObjectInfo* info) {
  for (const std::string_view directory : directories_of(name)) {
    const auto found = files_.stat(path_of(directory));
    if (!found.has_value()) {
      if (found.error().kind() == ErrorKind::kNotFound) return Place::kMissing;
      return found.error();
    }
    if (found->is_regular) return Place::kMissing;
    if (!found->is_directory) {
      return Error(ErrorKind::kFailedPrecondition,
                   fmt::format("{} is a link or a special file where a directory is expected", path_of(directory)),
                   "it was not made by Anclora DR: look at it and remove it");
    }
  }
  const auto found = files_.stat(path_of(name));
  if (!found.has_value()) {
    if (found.error().kind() == ErrorKind::kNotFound) return Place::kMissing;
    return found.error();
  }
  if (!found->is_regular) return Place::kOther;
  if (info != nullptr) *info = ObjectInfo{std::string(name), found->size_bytes, found->modified};
  return Place::kObject;
}

Status FolderStore::require_object(std::string_view name, ObjectInfo* info) {
  RETURN_IF_ERROR(check_object_name(name));
  ASSIGN_OR_RETURN(const Place place, look_up(name, info));
  if (place == Place::kObject) return {};
  return Error(ErrorKind::kNotFound, fmt::format("no object {} in {}", name, root_));
}

Result<Bytes> FolderStore::get(std::string_view name, std::uint64_t limit_bytes) {
  RETURN_IF_ERROR(require_object(name, nullptr));
  return files_.read_all(path_of(name), limit_bytes);
}

Result<Bytes> FolderStore::get_range(std::string_view name, std::uint64_t offset, std::uint64_t size) {
  RETURN_IF_ERROR(require_object(name, nullptr));
  ASSIGN_OR_RETURN(const auto file, files_.open(path_of(name)));
  if (offset > file->size_bytes() || size > file->size_bytes() - offset) {
    return Error(ErrorKind::kDataLoss, fmt::format("object {} in {} has {} bytes; {} bytes at {} were asked for", name,
                                                   root_, file->size_bytes(), size, offset));
  }
  return file->read(offset, size);
}

Result<ObjectInfo> FolderStore::head(std::string_view name) {
  ObjectInfo info;
  RETURN_IF_ERROR(require_object(name, &info));
  return info;
}

Result<Listing> FolderStore::list(std::string_view prefix, bool delimited) {
  RETURN_IF_ERROR(check_list_prefix(prefix));
  return walk_folder(files_, root_, prefix, delimited);
}

Result<WallTime> FolderStore::now() {
  RETURN_IF_ERROR(create_root());
  const std::string path = temporary_path();
  ASSIGN_OR_RETURN(auto file, files_.create(path));
  RETURN_IF_ERROR(file->close());
  RETURN_IF_ERROR(files_.touch(path));
  const auto info = files_.stat(path);
  ignore_result(files_.remove(path));  // a leftover is swept later
  if (!info.has_value()) return info.error();
  return info->modified;
}

// Done once in this store's life. A predecessor may have made the root and died before it synced the names above it:
// so the ancestors that were there are synced too, as far as we may, and those made now must succeed.
Status FolderStore::create_root() {
  {
    const std::lock_guard lock(mutex_);
    if (durable_.contains(temporary_folder())) return {};
  }
  std::set<std::string> made;
  std::vector<std::string> ancestry;
  for (std::string path = root_; path != "/" && path != "."; path = parent_of(path)) {
    ancestry.push_back(path);
    const auto found = files_.stat(path);
    if (found.has_value()) continue;
    if (found.error().kind() != ErrorKind::kNotFound) return found.error();
    made.insert(path);
  }
  RETURN_IF_ERROR(files_.create_directories(temporary_folder()));
  for (const std::string& path : ancestry) {
    const Status synced = files_.sync_directory(parent_of(path));
    if (!synced.has_value() && made.contains(path)) return synced.error();
  }
  RETURN_IF_ERROR(files_.sync_directory(root_));
  const std::lock_guard lock(mutex_);
  durable_.insert(temporary_folder());
  return {};
}

Status FolderStore::make_durable_directories(std::string_view name) {
  const auto directories = directories_of(name);
  if (directories.empty()) return {};
  const std::string innermost(directories.back());
  {
    const std::lock_guard lock(mutex_);
    if (durable_.contains(innermost)) return {};
  }
  RETURN_IF_ERROR(files_.create_directories(path_of(innermost)));
  for (const std::string_view directory : directories)
    RETURN_IF_ERROR(files_.sync_directory(parent_of(path_of(directory))));
  const std::lock_guard lock(mutex_);
  durable_.insert(innermost);
  return {};
}

Result<std::string> FolderStore::write_temporary(const Body& body) {
  const std::string path = temporary_path();
  ASSIGN_OR_RETURN(const std::string durable, body.durable_file(files_));
  if (!durable.empty() && files_.link(durable, path)) return path;  // else it may lie on another file system: copied
  ASSIGN_OR_RETURN(auto file, files_.create(path));
  const auto fill = [&]() -> Status {
    for (std::uint64_t offset = 0; offset < body.size_bytes();) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(kChunkBytes, body.size_bytes() - offset));
      ASSIGN_OR_RETURN(const Bytes chunk, body.read(offset, size));
      RETURN_IF_ERROR(file->append(chunk));
      offset += size;
      if (offset % kSyncEveryBytes == 0 && offset < body.size_bytes()) RETURN_IF_ERROR(file->sync());
    }
    RETURN_IF_ERROR(file->sync());
    return file->close();
  };
  if (const Status filled = fill(); !filled.has_value()) {
    file.reset();
    ignore_result(files_.remove(path));  // abandoned either way; a leftover is swept later
    return disk_error(filled.error(), root_);
  }
  return path;
}

// Content is synced before it is linked, so an object that is visible has its bytes on disk; what may be missing is
// its name, and the names of the directories above, if their maker died before its sync.
Result<PutOutcome> FolderStore::settle_existing(std::string_view name) {
  RETURN_IF_ERROR(sync_from_root(name));
  return PutOutcome::kExists;
}

Status FolderStore::sync_from_root(std::string_view name) {
  RETURN_IF_ERROR(files_.sync_directory(root_));
  for (const std::string_view directory : directories_of(name))
    RETURN_IF_ERROR(files_.sync_directory(path_of(directory)));
  return {};
}

Result<PutOutcome> FolderStore::link_into_place(const std::string& temporary, std::string_view name) {
  RETURN_IF_ERROR(make_durable_directories(name));
  Status linked = files_.link(temporary, path_of(name));
  if (!linked.has_value() && linked.error().kind() == ErrorKind::kNotFound) {
    // The root itself is gone, to which the temporary file belongs: an unmounted disk. Nothing is begun anew under it.
    if (!files_.stat(temporary)) return disk_error(linked.error(), root_);
    // Somebody removed the directory behind our back.
    {
      const std::lock_guard lock(mutex_);
      durable_.clear();
    }
    RETURN_IF_ERROR(make_durable_directories(name));
    linked = files_.link(temporary, path_of(name));
  }
  if (linked.has_value()) {
    RETURN_IF_ERROR(files_.sync_directory(parent_of(path_of(name))));
    return PutOutcome::kCreated;
  }
  if (linked.error().kind() != ErrorKind::kAlreadyExists) return disk_error(linked.error(), root_);
  return settle_existing(name);
}

Result<PutOutcome> FolderStore::put_if_absent(std::string_view name, const Body& body) {
  RETURN_IF_ERROR(check_object_name(name));
  RETURN_IF_ERROR(create_root());
  ASSIGN_OR_RETURN(const Place place, look_up(name, nullptr));
  if (place == Place::kObject) return settle_existing(name);
  if (place == Place::kOther) {
    return Error(ErrorKind::kFailedPrecondition, fmt::format("{} is there and is not a file", path_of(name)),
                 "it was not made by Anclora DR: look at it and remove it");
  }
  ASSIGN_OR_RETURN(const std::string temporary, write_temporary(body));
  auto outcome = link_into_place(temporary, name);
  ignore_result(files_.remove(temporary));  // the object has its own name; a leftover is swept later
  return outcome;
}

Status FolderStore::remove(std::string_view name) {
  RETURN_IF_ERROR(check_object_name(name));
  ASSIGN_OR_RETURN(const Place place, look_up(name, nullptr));
  if (place != Place::kObject) return {};
  const Status removed = files_.remove(path_of(name));
  if (!removed.has_value() && removed.error().kind() != ErrorKind::kNotFound) return removed.error();
  RETURN_IF_ERROR(files_.sync_directory(parent_of(path_of(name))));
  // The only folder that is of no more use once it is empty; another init may have its probe there.
  if (name.starts_with("probe/")) ignore_result(files_.remove_directory(parent_of(path_of(name))));
  return {};
}

Result<std::uint64_t> FolderStore::sweep(Duration older_than) {
  ASSIGN_OR_RETURN(const WallTime present, now());
  ASSIGN_OR_RETURN(const auto entries, files_.list(temporary_folder()));
  std::uint64_t removed = 0;
  for (const FileInfo& entry : entries) {
    if (!entry.is_regular || present - entry.modified < older_than) continue;
    const Status gone = files_.remove(temporary_folder() + "/" + entry.name);
    if (gone.has_value()) {
      ++removed;
    } else if (gone.error().kind() != ErrorKind::kNotFound) {
      return gone.error();
    }
  }
  return removed;
}

}  // namespace anclora::storage
