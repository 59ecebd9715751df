#include "base/faulty_file_system.h"

#include <fmt/core.h>

#include <algorithm>
#include <mutex>
#include <optional>

namespace anclora {

// Numbers operations and knows which fail.
class FaultyFileSystem::Schedule {
 public:
  void plan(FileFault fault) {
    const std::lock_guard lock(mutex_);
    faults_.push_back(fault);
  }

  // The fault that strikes the operation which starts now, if one does.
  std::optional<FileFault> next(const char* what, const std::string& path) {
    const std::lock_guard lock(mutex_);
    if (crashed_) return FileFault{operations_, FileFault::Kind::kCrash, ErrorKind::kCancelled, 1};
    ++operations_;
    if (is_broken(path)) {
      count_refusal();
      last_fault_ = fmt::format("operation {}, {} {}: the disk fails", operations_, what, path);
      return FileFault{operations_, FileFault::Kind::kFailBefore, broken_->error, 1};
    }
    for (const FileFault& fault : faults_) {
      if (operations_ < fault.operation || operations_ - fault.operation >= fault.times) continue;
      crashed_ = fault.kind == FileFault::Kind::kCrash;
      static constexpr const char* kKinds[] = {"fails before", "fails after", "short append", "crash"};
      last_fault_ =
          fmt::format("operation {}, {} {}: {}", operations_, what, path, kKinds[static_cast<std::size_t>(fault.kind)]);
      return fault;
    }
    return std::nullopt;
  }

  Error error_of(const FileFault& fault) const {
    const std::lock_guard lock(mutex_);
    if (crashed_) return Error(ErrorKind::kCancelled, "crashed: " + last_fault_);
    return Error(fault.error, "planned fault: " + last_fault_);
  }

  Status expect_alive() const {
    const std::lock_guard lock(mutex_);
    if (crashed_) return Error(ErrorKind::kCancelled, "crashed: " + last_fault_);
    return {};
  }
  Status expect_readable(const std::string& path) {
    RETURN_IF_ERROR(expect_alive());
    const std::lock_guard lock(mutex_);
    if (!is_broken(path) || !broken_->reads) return {};
    count_refusal();
    return Error(broken_->error, "planned fault: reading " + path + ": the disk fails");
  }

  void break_folder(std::string folder, ErrorKind error, bool reads, std::uint64_t times) {
    const std::lock_guard lock(mutex_);
    broken_ = Broken{std::move(folder), error, reads, times};
  }
  void mend_folder() {
    const std::lock_guard lock(mutex_);
    broken_.reset();
  }
  std::uint64_t refused() const {
    const std::lock_guard lock(mutex_);
    return refused_;
  }

  std::uint64_t operations() const {
    const std::lock_guard lock(mutex_);
    return operations_;
  }

  std::string last_fault() const {
    const std::lock_guard lock(mutex_);
    return last_fault_;
  }

 private:
  struct Broken {
    std::string folder;
    ErrorKind error;
    bool reads = false;
    std::uint64_t times_left = 0;
  };
  // Under the lock, these two.
  void count_refusal() {
    ++refused_;
    --broken_->times_left;
  }
  bool is_broken(const std::string& path) const {
    return broken_ && broken_->times_left > 0 && path.starts_with(broken_->folder) &&
           (path.size() == broken_->folder.size() || path[broken_->folder.size()] == '/');
  }

  mutable std::mutex mutex_;
  std::vector<FileFault> faults_;
  std::optional<Broken> broken_;
  std::uint64_t refused_ = 0;
  std::uint64_t operations_ = 0;
  bool crashed_ = false;
  std::string last_fault_;
};

namespace {

using Schedule = FaultyFileSystem::Schedule;

// Runs one numbered operation under the schedule. `action` answers a Status or a Result.
template <class Action>
auto run(Schedule& schedule, const char* what, const std::string& path, Action action) -> decltype(action()) {
  const std::optional<FileFault> fault = schedule.next(what, path);
  if (!fault) return action();
  if (fault->kind == FileFault::Kind::kFailAfter) {
    auto answer = action();
    if (!answer.has_value()) return answer;
  }
  return schedule.error_of(*fault);
}

class FaultyWritableFile final : public WritableFile {
 public:
  FaultyWritableFile(std::unique_ptr<WritableFile> inner, std::shared_ptr<Schedule> schedule, std::string path)
      : inner_(std::move(inner)), schedule_(std::move(schedule)), path_(std::move(path)) {}

  Status append(ByteView bytes) override {
    RETURN_IF_ERROR(expect_usable());
    const std::optional<FileFault> fault = schedule_->next("append", path_);
    if (!fault) return note(inner_->append(bytes));
    failed_ = true;
    if (fault->kind == FileFault::Kind::kFailAfter) RETURN_IF_ERROR(inner_->append(bytes));
    if (fault->kind == FileFault::Kind::kShortAppend)
      RETURN_IF_ERROR(inner_->append(bytes.substr(0, bytes.size() / 2)));
    return schedule_->error_of(*fault);
  }
  Status sync() override {
    RETURN_IF_ERROR(expect_usable());
    return note(run(*schedule_, "sync", path_, [this] { return inner_->sync(); }));
  }
  Status close() override {
    RETURN_IF_ERROR(schedule_->expect_alive());
    return inner_->close();
  }

 private:
  Status expect_usable() const {
    RETURN_IF_ERROR(schedule_->expect_alive());
    if (failed_) return Error(ErrorKind::kIo, path_ + " failed before and must be abandoned");
    return {};
  }
  Status note(Status status) {
    failed_ = !status.has_value();
    return status;
  }

  std::unique_ptr<WritableFile> inner_;
  std::shared_ptr<Schedule> schedule_;
  std::string path_;
  bool failed_ = false;
};

class FaultyReadableFile final : public ReadableFile {
 public:
  FaultyReadableFile(std::unique_ptr<ReadableFile> inner, std::shared_ptr<Schedule> schedule, std::string path)
      : inner_(std::move(inner)), schedule_(std::move(schedule)), path_(std::move(path)) {}

  std::uint64_t size_bytes() const override { return inner_->size_bytes(); }
  Result<Bytes> read(std::uint64_t offset, std::size_t size) const override {
    RETURN_IF_ERROR(schedule_->expect_readable(path_));
    return inner_->read(offset, size);
  }

 private:
  std::unique_ptr<ReadableFile> inner_;
  std::shared_ptr<Schedule> schedule_;
  std::string path_;
};

}  // namespace

FaultyFileSystem::FaultyFileSystem(FileSystem& inner) : inner_(inner), schedule_(std::make_shared<Schedule>()) {}
FaultyFileSystem::~FaultyFileSystem() = default;

void FaultyFileSystem::plan(FileFault fault) { schedule_->plan(fault); }
void FaultyFileSystem::break_folder(std::string folder, ErrorKind error, bool reads, std::uint64_t times) {
  schedule_->break_folder(std::move(folder), error, reads, times);
}
void FaultyFileSystem::mend_folder() { schedule_->mend_folder(); }
std::uint64_t FaultyFileSystem::refused() const { return schedule_->refused(); }
std::uint64_t FaultyFileSystem::operations() const { return schedule_->operations(); }
bool FaultyFileSystem::has_crashed() const { return !schedule_->expect_alive().has_value(); }
std::string FaultyFileSystem::last_fault() const { return schedule_->last_fault(); }

Result<std::unique_ptr<WritableFile>> FaultyFileSystem::create(const std::string& path) {
  ASSIGN_OR_RETURN(auto file, run(*schedule_, "create", path, [&] { return inner_.create(path); }));
  return std::make_unique<FaultyWritableFile>(std::move(file), schedule_, path);
}

Result<std::unique_ptr<ReadableFile>> FaultyFileSystem::open(const std::string& path) {
  RETURN_IF_ERROR(schedule_->expect_readable(path));
  ASSIGN_OR_RETURN(auto file, inner_.open(path));
  return std::make_unique<FaultyReadableFile>(std::move(file), schedule_, path);
}

Status FaultyFileSystem::link(const std::string& existing, const std::string& path) {
  return run(*schedule_, "link", path, [&] { return inner_.link(existing, path); });
}

Status FaultyFileSystem::rename(const std::string& from, const std::string& to) {
  return run(*schedule_, "rename", to, [&] { return inner_.rename(from, to); });
}

Status FaultyFileSystem::remove(const std::string& path) {
  return run(*schedule_, "remove", path, [&] { return inner_.remove(path); });
}

Status FaultyFileSystem::remove_directory(const std::string& path) {
  return run(*schedule_, "remove directory", path, [&] { return inner_.remove_directory(path); });
}

Status FaultyFileSystem::create_directories(const std::string& path) {
  return run(*schedule_, "create directories", path, [&] { return inner_.create_directories(path); });
}

Status FaultyFileSystem::sync_directory(const std::string& path) {
  return run(*schedule_, "sync directory", path, [&] { return inner_.sync_directory(path); });
}

Result<std::vector<FileInfo>> FaultyFileSystem::list(const std::string& path) {
  RETURN_IF_ERROR(schedule_->expect_readable(path));
  return inner_.list(path);
}

Result<FileInfo> FaultyFileSystem::stat(const std::string& path) {
  RETURN_IF_ERROR(schedule_->expect_alive());
  return inner_.stat(path);
}

Result<std::string> FaultyFileSystem::resolve(const std::string& path) {
  RETURN_IF_ERROR(schedule_->expect_alive());
  return inner_.resolve(path);
}

Result<std::uint64_t> FaultyFileSystem::free_bytes(const std::string& path) {
  RETURN_IF_ERROR(schedule_->expect_alive());
  return inner_.free_bytes(path);
}

Result<std::unique_ptr<FileLock>> FaultyFileSystem::lock(const std::string& path) {
  return run(*schedule_, "lock", path, [&] { return inner_.lock(path); });
}

Status FaultyFileSystem::touch(const std::string& path) {
  return run(*schedule_, "touch", path, [&] { return inner_.touch(path); });
}

}  // namespace anclora
