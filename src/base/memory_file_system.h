// A file system in memory that models durability, for tests that crash: it knows which bytes and names were synced.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/memory_tree.h"
#include "base/random.h"

namespace anclora {

// Hard links, no symbolic ones; "a/b" and "/a/b" are the same path; "/" is there. Files opened before a crash answer
// kCancelled after it, and their locks are free. A file's bytes are durable only by its own sync(), its name only by
// sync_directory() of its directory, a new directory only by that of its parent.
class MemoryFileSystem final : public FileSystem {
 public:
  // `clock` gives modification times.
  explicit MemoryFileSystem(Clock& clock);
  ~MemoryFileSystem() override;

  // Power off and on: what remains is what survived.
  void crash(CrashMode mode, Random& random);
  // Appends beyond it are short and answer kResourceExhausted. Unlimited at first.
  void set_capacity(std::uint64_t bytes);

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

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace anclora
