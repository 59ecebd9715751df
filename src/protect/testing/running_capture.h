// A repository in a folder and a capture that runs in threads of the test's own process, for tests with real servers.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/testing/temporary_directory.h"
#include "protect/capture/capture.h"
#include "redis/testing/redis_server.h"
#include "storage/repository/repository.h"
#include "storage/repository/source_state.h"
#include "storage/store/folder_store.h"

namespace anclora::protect {

// Throws std::runtime_error where it cannot be made.
class TestArchive {
 public:
  explicit TestArchive(bool encrypted = true);
  storage::Store& store() { return *store_; }
  const storage::Repository& repository() const { return *repository_; }
  std::string path() const { return folder_ / "repository"; }
  std::string outbox() const { return folder_ / "outbox"; }
  storage::SourceState state(const std::string& source = "default");

  // The stream of the newest base's timeline from that base on, and that base.
  struct Contents {
    storage::BaseInfo base;
    Bytes rdb;
    Bytes stream;  // the bytes after base.offset
    redis::Offset end() const { return base.offset + stream.size(); }
  };
  Contents read(const std::string& source = "default");

 private:
  TemporaryDirectory folder_;
  std::unique_ptr<storage::FolderStore> store_;
  std::optional<storage::Repository> repository_;
};

// Runs until stop() or destruction.
class RunningCapture {
 public:
  RunningCapture(TestArchive& archive, CaptureOptions options, storage::AppendStore* store = nullptr,
                 std::string outbox = {}, FileSystem& files = posix_file_system(), BaseMaker* base_maker = nullptr);
  ~RunningCapture();
  // Not after its end.
  CaptureStatus status() const { return capture_->status(); }
  std::optional<StuckThread> stuck(Duration bound) const { return capture_->stuck(bound); }
  Status stop(Duration drain_timeout = std::chrono::seconds(150));
  // The result of run(), once it returned by itself; throws after `patience`.
  Status wait_for_end(Duration patience = std::chrono::seconds(150));
  // Throws after `patience`, with what it waited for and the last status.
  void wait_for(const std::function<bool(const CaptureStatus&)>& reached, const std::string& what,
                Duration patience = std::chrono::seconds(150));
  void wait_protected(redis::Offset offset, Duration patience = std::chrono::seconds(150));

 private:
  std::unique_ptr<Capture> capture_;
  Status result_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

CaptureOptions options_for(const redis::RedisServer& source);
redis::Offset offset_of(redis::RedisServer& server);

}  // namespace anclora::protect
