// Wraps a FileSystem and fails where a test says. Every effectful operation has a number, from 1, so that a sweep can
// run once without faults, ask operations(), and fail each of them in turn.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"

namespace anclora {

struct FileFault {
  enum class Kind : std::uint8_t {
    kFailBefore,   // the operation has no effect and fails
    kFailAfter,    // it is done, and still fails
    kShortAppend,  // an append writes its first half and fails; other operations fail before
    kCrash,        // it has no effect; it and every later call, reads included, answer kCancelled
  };
  std::uint64_t operation = 0;  // the number of the first one that fails
  Kind kind = Kind::kFailBefore;
  ErrorKind error = ErrorKind::kIo;  // kIo or kResourceExhausted
  std::uint64_t times = 1;           // so many operations in a row
};

// Effectful: create, append, sync, link, rename, remove, remove_directory, create_directories, sync_directory, lock,
// touch. As on a real disk, a file whose append or sync failed must be abandoned: its later ones answer kIo and are not
// counted. Any thread. `inner` outlives this and all files opened through it.
class FaultyFileSystem final : public FileSystem {
 public:
  explicit FaultyFileSystem(FileSystem& inner);
  ~FaultyFileSystem() override;

  void plan(FileFault fault);
  // A disk that fails for as long as it is so: every effectful operation at or below `folder` fails before with `error`
  // (any kind), with `reads` opening, listing and reading a file there too; other paths work. Numbers go on. A file
  // that is open fails as well.
  // After `times` failures it is mended.
  void break_folder(std::string folder, ErrorKind error, bool reads, std::uint64_t times = UINT64_MAX);
  void mend_folder();
  // How often a broken folder failed a call.
  std::uint64_t refused() const;
  std::uint64_t operations() const;
  bool has_crashed() const;
  // "operation 17, append /outbox/3: crash"; empty when no fault has struck. For the message of a failing test.
  std::string last_fault() const;

  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override;
  Result<std::unique_ptr<ReadableFile>> open(const std::string& path) override;
  Status link(const std::string& existing, const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status remove_directory(const std::string& path) override;
  Status create_directories(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<std::vector<FileInfo>> list(const std::string& path) override;
  Result<FileInfo> stat(const std::string& path) override;
  Result<std::string> resolve(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  Status touch(const std::string& path) override;

  class Schedule;

 private:
  FileSystem& inner_;
  std::shared_ptr<Schedule> schedule_;
};

}  // namespace anclora
