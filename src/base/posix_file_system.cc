#include "base/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "base/file_permissions.h"
#include "base/os_error.h"
#include "base/unique_fd.h"

namespace anclora {
namespace {

FileInfo info_of(std::string name, const struct ::stat& facts) {
  FileInfo info;
  info.name = std::move(name);
  info.size_bytes = static_cast<std::uint64_t>(facts.st_size);
  info.modified = WallTime(std::chrono::seconds(facts.st_mtim.tv_sec) + Duration(facts.st_mtim.tv_nsec / 1000));
  info.is_directory = S_ISDIR(facts.st_mode);
  info.is_regular = S_ISREG(facts.st_mode);
  return info;
}

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  Status append(ByteView bytes) override {
    RETURN_IF_ERROR(expect_usable());
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return fail(errno, "cannot write to ");
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }

  Status sync() override {
    RETURN_IF_ERROR(expect_usable());
    if (::fdatasync(fd_.get()) != 0) return fail(errno, "cannot sync ");
    return {};
  }

  Status close() override {
    if (!fd_.is_open()) return {};
    // Linux has released the descriptor whatever close() answers.
    if (::close(fd_.release()) != 0 && errno != EINTR) return fail(errno, "cannot close ");
    return {};
  }

 private:
  // The kernel forgets the dirty pages of a failed sync: a later one that succeeds would prove nothing.
  Status expect_usable() const {
    if (failed_) return Error(ErrorKind::kIo, path_ + " failed before and must be abandoned");
    if (!fd_.is_open()) return Error(ErrorKind::kInternal, path_ + " is already closed");
    return {};
  }
  Error fail(int error_number, const char* what) {
    failed_ = true;
    return os_error(error_number, what + path_);
  }

  std::string path_;
  UniqueFd fd_;
  bool failed_ = false;
};

class PosixReadableFile final : public ReadableFile {
 public:
  PosixReadableFile(std::string path, UniqueFd fd, std::uint64_t size_bytes)
      : path_(std::move(path)), fd_(std::move(fd)), size_bytes_(size_bytes) {}

  std::uint64_t size_bytes() const override { return size_bytes_; }

  Result<Bytes> read(std::uint64_t offset, std::size_t size) const override {
    if (offset > size_bytes_ || size > size_bytes_ - offset) return too_short(offset, size);
    Bytes out(size, '\0');
    for (std::size_t done = 0; done < size;) {
      const ssize_t got = ::pread(fd_.get(), out.data() + done, size - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return os_error(errno, "cannot read " + path_);
      if (got == 0) return too_short(offset, size);
      done += static_cast<std::size_t>(got);
    }
    return out;
  }

 private:
  Error too_short(std::uint64_t offset, std::size_t size) const {
    return Error(ErrorKind::kDataLoss, fmt::format("{} ends before the {} bytes at {}", path_, size, offset));
  }

  std::string path_;
  UniqueFd fd_;
  std::uint64_t size_bytes_;
};

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(UniqueFd fd) : fd_(std::move(fd)) {}

 private:
  UniqueFd fd_;
};

// Whether the locked descriptor still is what the path names: its last holder may have removed the file.
bool still_named(int fd, const std::string& path) {
  struct ::stat by_fd = {};
  struct ::stat by_path = {};
  return ::fstat(fd, &by_fd) == 0 && ::lstat(path.c_str(), &by_path) == 0 && by_fd.st_ino == by_path.st_ino &&
         by_fd.st_dev == by_path.st_dev;
}

Status make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (fd.is_open()) give_to_owner_of_folder(fd.get(), path);
    return {};
  }
  const int error_number = errno;
  struct ::stat facts = {};
  if (::stat(path.c_str(), &facts) == 0) {
    if (S_ISDIR(facts.st_mode)) return {};
    return Error(ErrorKind::kAlreadyExists, path + " is there and is not a directory");
  }
  return os_error(error_number, "cannot create the directory " + path);
}

}  // namespace

Result<std::unique_ptr<WritableFile>> PosixFileSystem::create(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.is_open()) return os_error(errno, "cannot create " + path);
  give_to_owner_of_folder(fd.get(), path);
  return std::make_unique<PosixWritableFile>(path, std::move(fd));
}

Result<std::unique_ptr<ReadableFile>> PosixFileSystem::open(const std::string& path) {
  // O_NONBLOCK: a FIFO must not hold us up; it has no effect on regular files.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd.is_open() && errno == ELOOP) return Error(ErrorKind::kFailedPrecondition, path + " is a symbolic link");
  if (!fd.is_open()) return os_error(errno, "cannot open " + path);
  struct ::stat facts = {};
  if (::fstat(fd.get(), &facts) != 0) return os_error(errno, "cannot stat " + path);
  if (!S_ISREG(facts.st_mode)) return Error(ErrorKind::kFailedPrecondition, path + " is not a regular file");
  return std::make_unique<PosixReadableFile>(path, std::move(fd), static_cast<std::uint64_t>(facts.st_size));
}

Status PosixFileSystem::link(const std::string& existing, const std::string& path) {
  if (::link(existing.c_str(), path.c_str()) == 0) return {};
  if (errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK)
    return Error(ErrorKind::kUnsupported, fmt::format("cannot link {} as {}: {}", existing, path, os_error_text(errno)),
                 "use a file system with hard links");
  return os_error(errno, fmt::format("cannot link {} as {}", existing, path));
}

Status PosixFileSystem::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return {};
  return os_error(errno, fmt::format("cannot rename {} to {}", from, to));
}

Status PosixFileSystem::remove(const std::string& path) {
  if (::unlink(path.c_str()) == 0) return {};
  return os_error(errno, "cannot remove " + path);
}

Status PosixFileSystem::remove_directory(const std::string& path) {
  if (::rmdir(path.c_str()) == 0) return {};
  return os_error(errno, "cannot remove the directory " + path);
}

Status PosixFileSystem::create_directories(const std::string& path) {
  if (path.empty()) return Error(ErrorKind::kInvalidArgument, "cannot create a directory without a name");
  struct ::stat facts = {};
  if (::stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode)) return {};
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    RETURN_IF_ERROR(make_directory(path.substr(0, slash)));
  return make_directory(path);
}

Status PosixFileSystem::sync_directory(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open()) return os_error(errno, "cannot open the directory " + path);
  if (::fsync(fd.get()) != 0) return os_error(errno, "cannot sync the directory " + path);
  return {};
}

Result<std::vector<FileInfo>> PosixFileSystem::list(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (!directory) return os_error(errno, "cannot list " + path);
  std::vector<FileInfo> entries;
  while (true) {
    errno = 0;
    const struct ::dirent* entry = ::readdir(directory.get());
    if (entry == nullptr && errno != 0) return os_error(errno, "cannot list " + path);
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct ::stat facts = {};
    if (::fstatat(::dirfd(directory.get()), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0)
      entries.push_back(info_of(name, facts));
    else if (errno != ENOENT)  // removed since it was listed: not there
      return os_error(errno, fmt::format("cannot stat {}/{}", path, name));
  }
  std::sort(entries.begin(), entries.end(), [](const FileInfo& a, const FileInfo& b) { return a.name < b.name; });
  return entries;
}

Result<FileInfo> PosixFileSystem::stat(const std::string& path) {
  struct ::stat facts = {};
  if (::lstat(path.c_str(), &facts) != 0) return os_error(errno, "cannot stat " + path);
  return info_of(path, facts);
}

Result<std::string> PosixFileSystem::resolve(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> resolved(::realpath(path.c_str(), nullptr), std::free);
  if (!resolved) return os_error(errno, "cannot resolve " + path);
  return std::string(resolved.get());
}

Result<std::uint64_t> PosixFileSystem::free_bytes(const std::string& path) {
  struct ::statvfs facts = {};
  if (::statvfs(path.c_str(), &facts) != 0) return os_error(errno, "cannot ask for the free space at " + path);
  return static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
}

Result<std::unique_ptr<FileLock>> PosixFileSystem::lock(const std::string& path) {
  while (true) {
    constexpr int kFlags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    UniqueFd fd(::open(path.c_str(), kFlags | O_CREAT | O_EXCL, 0600));
    if (fd.is_open()) {
      // Only what was made here is given away: another file under that name may be a link to anything of root's.
      give_to_owner_of_folder(fd.get(), path);
    } else if (errno == EEXIST) {
      fd.reset(::open(path.c_str(), kFlags));
      if (!fd.is_open() && errno == ENOENT) continue;  // its last holder has removed it
    }
    if (!fd.is_open()) return os_error(errno, "cannot open the lock file " + path);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno == EWOULDBLOCK)
        return Error(ErrorKind::kFailedPrecondition, path + " is locked by another process",
                     "stop the process that holds it, or use another folder");
      return os_error(errno, "cannot lock " + path);
    }
    if (still_named(fd.get(), path)) return std::make_unique<PosixFileLock>(std::move(fd));
  }
}

Status PosixFileSystem::touch(const std::string& path) {
  if (::utimensat(AT_FDCWD, path.c_str(), nullptr, AT_SYMLINK_NOFOLLOW) == 0) return {};
  return os_error(errno, "cannot touch " + path);
}

FileSystem& posix_file_system() {
  static PosixFileSystem file_system;
  return file_system;
}

}  // namespace anclora
