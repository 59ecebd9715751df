// Reads ahead of a slow consumer in a thread of its own, so that decoding overlaps with sending.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "redis/byte_source.h"

namespace anclora::redis {

// One consumer thread. Holds about `limit_bytes` and one chunk more. Destroying it waits for the read under way.
class Prefetch {
 public:
  Prefetch(std::unique_ptr<ByteSource> source, std::size_t chunk_bytes, std::size_t limit_bytes);
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;
  ~Prefetch();

  // The next chunk; empty at the end, and ever after; nothing when none came within `timeout`; else the source's error,
  // after all that came before it.
  Result<std::optional<Bytes>> next(Duration timeout);
  // Gives a chunk's memory back for the next ones.
  void recycle(Bytes chunk);

 private:
  void run();
  Bytes take_buffer();
  Result<bool> fill(Bytes& chunk);

  std::unique_ptr<ByteSource> source_;
  const std::size_t chunk_bytes_;
  const std::size_t limit_bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Bytes> ready_;
  std::size_t ready_bytes_ = 0;
  std::vector<Bytes> spare_;
  std::optional<Status> ended_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace anclora::redis
