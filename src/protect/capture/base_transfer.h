// One base on its way from the source into the repository: encoded to a spool by one thread, put by another.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "redis/rdb/rdb_summary.h"
#include "storage/repository/base_writer.h"

namespace anclora::protect {

class BaseTransfer {
 public:
  // `time`: of the state that the base holds.
  BaseTransfer(const storage::Repository& repository, FileSystem& files, std::string spool_folder, std::string source,
               storage::TimelineId timeline, redis::Offset offset, std::uint32_t attempt, WallTime time,
               Random& random);

  // The encoder's thread.
  Status write(ByteView rdb);
  Status finish();
  // In force for the stream that follows, from the base's own fields; known once its head was written.
  std::uint32_t stream_database() const;

  // The uploader's thread: puts one part. False: none is ready. After the last one all_put() is true.
  Result<bool> put_one(storage::AppendStore& store);

  // Any thread.
  void abandon(std::string why = {});
  std::string why_abandoned() const;
  bool abandoned() const { return abandoned_; }
  bool received() const { return received_; }
  bool all_put() const { return all_put_; }
  std::uint64_t received_bytes() const { return received_bytes_; }
  std::uint64_t spooled_bytes() const { return encoder_.spooled_bytes(); }
  std::optional<storage::BaseInfo> info() const;
  storage::TimelineId timeline() const { return timeline_; }
  redis::Offset offset() const { return offset_; }

 private:
  Status put(storage::AppendStore& store, const storage::BaseEncoder::Part& part);
  Status require_readable(const storage::BaseEncoder::Part& part);

  FileSystem& files_;
  const storage::TimelineId timeline_;
  const redis::Offset offset_;
  const WallTime time_;
  storage::BaseEncoder encoder_;
  redis::RdbSummary head_;
  std::deque<storage::BaseEncoder::Part> ready_;
  std::atomic<bool> abandoned_{false}, received_{false}, all_put_{false};
  std::atomic<std::uint64_t> received_bytes_{0};
  mutable std::mutex mutex_;
  std::optional<storage::BaseInfo> info_;
  std::string why_abandoned_;
};

}  // namespace anclora::protect
