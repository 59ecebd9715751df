#include "redis/replication/prefetch.h"

#include <utility>

namespace anclora::redis {

Prefetch::Prefetch(std::unique_ptr<ByteSource> source, std::size_t chunk_bytes, std::size_t limit_bytes)
    : source_(std::move(source)), chunk_bytes_(chunk_bytes), limit_bytes_(limit_bytes), thread_([this] { run(); }) {}

Prefetch::~Prefetch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Bytes Prefetch::take_buffer() {
  const std::lock_guard lock(mutex_);
  Bytes buffer;
  if (!spare_.empty()) {
    buffer = std::move(spare_.back());
    spare_.pop_back();
  }
  buffer.clear();
  return buffer;
}

void Prefetch::recycle(Bytes chunk) {
  const std::lock_guard lock(mutex_);
  if (spare_.size() * chunk_bytes_ < limit_bytes_) spare_.push_back(std::move(chunk));
}

// False at the end of the source.
Result<bool> Prefetch::fill(Bytes& chunk) {
  chunk.reserve(chunk_bytes_);
  while (chunk.size() < chunk_bytes_) {
    ASSIGN_OR_RETURN(const std::size_t got, source_->read_some(chunk, chunk_bytes_ - chunk.size()));
    if (got == 0) return false;
  }
  return true;
}

void Prefetch::run() {
  while (true) {
    Bytes chunk = take_buffer();
    const Result<bool> more = fill(chunk);
    std::unique_lock lock(mutex_);
    if (!chunk.empty()) {
      ready_bytes_ += chunk.size();
      ready_.push_back(std::move(chunk));
    }
    if (!more || !*more) ended_ = more ? Status() : Status(more.error());
    changed_.notify_all();
    changed_.wait(lock, [this] { return stopping_ || ended_ || ready_bytes_ < limit_bytes_; });
    if (stopping_ || ended_) return;
  }
}

Result<std::optional<Bytes>> Prefetch::next(Duration timeout) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, timeout, [this] { return !ready_.empty() || ended_; })) return std::nullopt;
  if (ready_.empty()) {
    RETURN_IF_ERROR(*ended_);
    return std::optional<Bytes>(Bytes());
  }
  Bytes chunk = std::move(ready_.front());
  ready_.pop_front();
  ready_bytes_ -= chunk.size();
  lock.unlock();
  changed_.notify_all();
  return std::optional<Bytes>(std::move(chunk));
}

}  // namespace anclora::redis
