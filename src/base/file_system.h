// Every effect on files goes through FileSystem, so that a test can crash, tear or fill the disk at any step.
// PosixFileSystem is the real one, MemoryFileSystem a model that knows what was synced, FaultyFileSystem wraps either.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace anclora {

struct FileInfo {
  std::string name;  // the last component in list(), the asked path in stat()
  std::uint64_t size_bytes = 0;
  WallTime modified;
  bool is_directory = false;
  bool is_regular = false;  // false for links, devices, FIFOs
};

// One thread at a time. Destroying it closes without sync. After a failed append or sync the file must be abandoned.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  // All of `bytes` or an error (kResourceExhausted when the disk is full, kIo otherwise).
  virtual Status append(ByteView bytes) = 0;
  // fdatasync.
  virtual Status sync() = 0;
  virtual Status close() = 0;
};

// Any thread.
class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  virtual std::uint64_t size_bytes() const = 0;
  // Exactly `size` bytes at `offset`; kDataLoss when the file is shorter.
  virtual Result<Bytes> read(std::uint64_t offset, std::size_t size) const = 0;
};

// Held until destroyed; the operating system frees it when the process dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// Any thread. Paths are absolute or relative to the working directory; links are not followed for the last component
// on open for reading (O_NOFOLLOW). Errors name the path. "Missing" is always kNotFound.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // Creates; kAlreadyExists when the name is taken (O_EXCL), mode 0600.
  virtual Result<std::unique_ptr<WritableFile>> create(const std::string& path) = 0;
  virtual Result<std::unique_ptr<ReadableFile>> open(const std::string& path) = 0;
  // The whole file; kResourceExhausted when it is larger than `limit_bytes`.
  Result<Bytes> read_all(const std::string& path, std::uint64_t limit_bytes = 64 * kMiB);
  // Gives `existing` the second name `path`, atomically; kAlreadyExists when taken. The first name stays.
  virtual Status link(const std::string& existing, const std::string& path) = 0;
  // Replaces `to` when it exists.
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& path) = 0;            // a file
  virtual Status remove_directory(const std::string& path) = 0;  // an empty one
  // mkdir -p, mode 0700; ok when it is there.
  virtual Status create_directories(const std::string& path) = 0;
  // fsync of the directory: names created, linked, renamed or removed in it are durable after it.
  virtual Status sync_directory(const std::string& path) = 0;
  // Entries without "." and "..", sorted by name.
  virtual Result<std::vector<FileInfo>> list(const std::string& path) = 0;
  // Does not follow a link (lstat).
  virtual Result<FileInfo> stat(const std::string& path) = 0;
  // The absolute path with every link followed, also the last: where a person's own path may be a link, as mounted
  // secrets are.
  virtual Result<std::string> resolve(const std::string& path) = 0;
  virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;
  // An exclusive lock on a file that is created when missing; kFailedPrecondition when another process holds it.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
  // Sets the modification time to now: needed where the file system's own clock must be asked.
  virtual Status touch(const std::string& path) = 0;
};

// The real one; lives for ever.
FileSystem& posix_file_system();

}  // namespace anclora
