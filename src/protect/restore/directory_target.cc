#include "protect/restore/directory_target.h"

#include <fmt/format.h>

#include "base/write_file.h"
#include "protect/restore/partial_restore.h"
#include "protect/restore/restore_base.h"

namespace anclora::protect {
namespace {

constexpr std::string_view kBaseName = "appendonly.aof.1.base.rdb";
constexpr std::string_view kIncrementName = "appendonly.aof.1.incr.aof";
constexpr std::string_view kManifestName = "appendonly.aof.manifest";

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

// Writes the three files into `folder`.
class DirectoryWriter {
 public:
  DirectoryWriter(RestoreInput input, FileSystem& files, std::string folder, const OnRestoreProgress& on_progress)
      : input_(std::move(input)), files_(files), folder_(std::move(folder)), on_progress_(on_progress) {}

  Status write(DirectoryOutcome& outcome) {
    RETURN_IF_ERROR(files_.create_directories(folder_));
    RETURN_IF_ERROR(write_base(outcome));
    RETURN_IF_ERROR(write_increment(outcome));
    ASSIGN_OR_RETURN(auto manifest, files_.create(name(kManifestName)));
    RETURN_IF_ERROR(
        manifest->append(fmt::format("file {} seq 1 type b\nfile {} seq 1 type i\n", kBaseName, kIncrementName)));
    RETURN_IF_ERROR(manifest->sync());
    RETURN_IF_ERROR(manifest->close());
    return files_.sync_directory(folder_);
  }

 private:
  std::string name(std::string_view file) const { return folder_ + "/" + std::string(file); }

  void tell(std::string_view phase, std::uint64_t done, std::uint64_t total) const {
    if (on_progress_) on_progress_({phase, done, total});
  }

  Status write_base(DirectoryOutcome& outcome) {
    ASSIGN_OR_RETURN(RestoreBase reader, RestoreBase::open(input_));
    ASSIGN_OR_RETURN(auto file, files_.create(name(kBaseName)));
    Bytes buffer;
    while (true) {
      buffer.clear();
      ASSIGN_OR_RETURN(const std::size_t size, reader.read(buffer));
      if (size == 0) break;
      RETURN_IF_ERROR(file->append(buffer));
      outcome.base_bytes += size;
      tell("base", outcome.base_bytes, input_.route.base.rdb_bytes);
    }
    RETURN_IF_ERROR(file->sync());
    return file->close();
  }

  Status write_increment(DirectoryOutcome& outcome) {
    RestoreStream stream(input_);
    ASSIGN_OR_RETURN(auto file, files_.create(name(kIncrementName)));
    Bytes buffer;
    while (true) {
      buffer.clear();
      ASSIGN_OR_RETURN(const std::size_t size, stream.read(buffer));
      if (size == 0) break;
      RETURN_IF_ERROR(file->append(buffer));
      outcome.increment_bytes += size;
      tell("stream", stream.stream_bytes_read(), input_.route.stream_bytes());
    }
    outcome.commands = stream.commands();
    RETURN_IF_ERROR(file->sync());
    return file->close();
  }

  RestoreInput input_;
  FileSystem& files_;
  std::string folder_;
  const OnRestoreProgress& on_progress_;
};

void remove_what_was_begun(FileSystem& files, const std::string& root, const std::string& folder) {
  // The error that led here is the one to tell; a remainder has a name that says what it is.
  for (const std::string_view file : {kBaseName, kIncrementName, kManifestName})
    ignore_result(files.remove(folder + "/" + std::string(file)));
  ignore_result(files.remove_directory(folder));
  ignore_result(files.remove(root + "/" + std::string(kPartialLock)));
  ignore_result(files.remove_directory(root));
}

Status finish(FileSystem& files, const std::string& root, const std::string& path) {
  RETURN_IF_ERROR(files.sync_directory(root));
  RETURN_IF_ERROR(require_free_directory(files, path));
  RETURN_IF_ERROR(files.rename(root, path));
  RETURN_IF_ERROR(files.sync_directory(parent_folder(path)));
  // It is whole now, and redis-server passes over what its manifest does not name.
  ignore_result(files.remove(path + "/" + std::string(kPartialLock)));
  return {};
}

}  // namespace

Status require_free_directory(FileSystem& files, const std::string& path) {
  const std::string folder = without_slashes(path);
  const auto info = files.stat(folder);
  if (!info.has_value()) {
    if (info.error().kind() == ErrorKind::kNotFound) return {};
    return Error(info.error());
  }
  const Error taken(ErrorKind::kFailedPrecondition, folder + " is not empty",
                    "name a directory that is empty or does not exist");
  if (!info->is_directory)
    return Error(ErrorKind::kFailedPrecondition, folder + " is no directory: links are not followed", taken.hint());
  ASSIGN_OR_RETURN(const auto entries, files.list(folder));
  if (!entries.empty()) return taken;
  return {};
}

Result<DirectoryOutcome> restore_to_directory(RestoreInput input, FileSystem& files, Random& random,
                                              const std::string& path, const OnRestoreProgress& on_progress) {
  const std::string trimmed = without_slashes(path);
  if (trimmed.empty()) return Error(ErrorKind::kInvalidArgument, "dir: has no path", "write dir:/path/of/a/directory");
  RETURN_IF_ERROR(require_free_directory(files, trimmed));
  const std::string root = partial_name(trimmed, random);
  const std::string folder = root + "/appendonlydir";
  DirectoryOutcome outcome;
  outcome.path = trimmed;
  outcome.notes = remove_dead_partials(files, trimmed);
  RETURN_IF_ERROR(files.create_directories(root));
  ASSIGN_OR_RETURN(const auto lock, files.lock(root + "/" + std::string(kPartialLock)));
  DirectoryWriter writer(std::move(input), files, folder, on_progress);
  Status status = writer.write(outcome);
  if (status.has_value()) status = finish(files, root, trimmed);
  if (!status.has_value()) {
    remove_what_was_begun(files, root, folder);
    return Error(std::move(status).error()).with_context("cannot write the data directory " + trimmed);
  }
  return outcome;
}

}  // namespace anclora::protect
