#include "protect/restore/rdb_target.h"

#include <fmt/format.h>

#include "protect/restore/partial_restore.h"
#include "protect/restore/restore_base.h"
#include "redis/file_byte_source.h"
#include "redis/rdb/rdb_summary.h"

namespace anclora::protect {
namespace {

constexpr std::size_t kCopyBytes = kMiB;

// A file that is removed unless it was given its name.
class PartialFile {
 public:
  PartialFile(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  ~PartialFile() {
    if (begun_) ignore_result(files_.remove(path_));  // the error that led here is the one to tell
  }

  // Copies, judging the RDB's checksum on the way, and syncs.
  Result<redis::RdbFacts> fill(const std::function<Result<std::size_t>(Bytes&)>& read, std::uint64_t total,
                               const OnRestoreProgress& on_progress) {
    ASSIGN_OR_RETURN(auto file, files_.create(path_));
    begun_ = true;
    ASSIGN_OR_RETURN(lock_, files_.lock(path_));
    redis::RdbSummary summary;
    Bytes buffer;
    while (true) {
      buffer.clear();
      ASSIGN_OR_RETURN(const std::size_t size, read(buffer));
      if (size == 0) break;
      RETURN_IF_ERROR(summary.feed(buffer));
      RETURN_IF_ERROR(file->append(buffer));
      if (on_progress) on_progress({"writing", summary.fed_bytes(), total});
    }
    RETURN_IF_ERROR(file->sync());
    RETURN_IF_ERROR(file->close());
    RETURN_IF_ERROR(check_it_is_ours(summary.fed_bytes()));
    return summary.finish();
  }

  // link() does not replace: a name that was taken meanwhile stays what it was.
  Status name_it(const std::string& path) {
    RETURN_IF_ERROR(files_.link(path_, path));
    const std::size_t slash = path.rfind('/');
    return files_.sync_directory(slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash));
  }

  const std::string& path() const { return path_; }

 private:
  // Taken for a dead one and removed between its making and its lock, the file would be an empty one of the same name
  // now, which the lock made.
  Status check_it_is_ours(std::uint64_t written) {
    ASSIGN_OR_RETURN(const FileInfo named, files_.stat(path_));
    if (named.size_bytes == written) return {};
    return Error(ErrorKind::kUnavailable, path_ + " was taken away by another restore to the same place",
                 "give the command again");
  }

  FileSystem& files_;
  std::string path_;
  std::unique_ptr<FileLock> lock_;
  bool begun_ = false;
};

Result<redis::RdbFacts> write_base(const RestoreInput& input, PartialFile& file, const OnRestoreProgress& on_progress) {
  ASSIGN_OR_RETURN(RestoreBase reader, RestoreBase::open(input));
  return file.fill([&](Bytes& out) { return reader.read(out); }, input.route.base.rdb_bytes, on_progress);
}

Result<redis::RdbFacts> write_saved(ScratchRestore& scratch, PartialFile& file, const RestoreTools& tools,
                                    const ScratchSettings& settings, const OnRestoreProgress& on_progress) {
  ASSIGN_OR_RETURN(const std::string saved, scratch.server().save_rdb(settings.timeout));
  ASSIGN_OR_RETURN(auto readable, tools.files.open(saved));
  const std::uint64_t total = readable->size_bytes();
  redis::FileByteSource source(std::move(readable));
  return file.fill([&](Bytes& out) { return source.read_some(out, kCopyBytes); }, total, on_progress);
}

}  // namespace

Status require_free_file(FileSystem& files, const std::string& path) {
  const auto info = files.stat(path);
  if (!info.has_value() && info.error().kind() == ErrorKind::kNotFound) return {};
  if (!info.has_value()) return Error(info.error());
  return Error(ErrorKind::kAlreadyExists, path + " exists", "name a file that does not exist");
}

bool rdb_needs_scratch(const RestorePlan& plan) { return !plan.route.stretches.empty(); }

Result<RdbOutcome> restore_to_rdb(RestoreInput input, const RestorePlan& plan, const RdbDestination& destination,
                                  const ScratchSettings& settings, const RestoreTools& tools,
                                  const OnRestoreProgress& on_progress) {
  const bool local = !destination.upload;
  if (local) RETURN_IF_ERROR(require_free_file(tools.files, destination.path));
  const std::string stem = local ? destination.path : settings.work_directory + "/anclora-rdb";
  PartialFile file(tools.files, partial_name(stem, tools.random));
  RdbOutcome outcome;
  if (local) outcome.notes = remove_dead_partials(tools.files, destination.path);
  outcome.scratch_server = rdb_needs_scratch(plan);
  redis::RdbFacts facts;
  if (outcome.scratch_server) {
    ASSIGN_OR_RETURN(auto scratch, ScratchRestore::bring_up(std::move(input), plan, settings, tools, on_progress));
    outcome.commands = scratch->commands();
    outcome.checks.push_back({"offset", "the scratch server stands at the point's offset exactly"});
    outcome.checks.push_back({"replication errors", "none"});
    ASSIGN_OR_RETURN(facts, write_saved(*scratch, file, tools, settings, on_progress));
  } else {
    ASSIGN_OR_RETURN(facts, write_base(input, file, on_progress));
  }
  outcome.rdb_bytes = facts.size_bytes;
  outcome.rdb_version = facts.magic.version;
  outcome.checks.push_back({"checksum", std::string(redis::to_string(facts.checksum))});
  RETURN_IF_ERROR(local ? file.name_it(destination.path) : destination.upload(file.path()));
  return outcome;
}

}  // namespace anclora::protect
