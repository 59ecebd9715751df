#include "protect/capture/event_queue.h"

#include <utility>

namespace anclora::protect {

bool EventQueue::push(SourceEvent& event, std::size_t bytes, Duration timeout) {
  std::unique_lock lock(mutex_);
  const auto room = [&] { return bytes == 0 || items_.empty() || bytes_ + bytes <= limit_bytes_; };
  if (!popped_.wait_for(lock, timeout, room)) return false;
  bytes_ += bytes;
  items_.push_back({std::move(event), bytes});
  lock.unlock();  // so that whoever wakes does not wait at once for the lock
  pushed_.notify_one();
  return true;
}

std::optional<SourceEvent> EventQueue::pop(Duration timeout) {
  std::unique_lock lock(mutex_);
  if (timeout > Duration::zero()) pushed_.wait_for(lock, timeout, [&] { return woken_ || !items_.empty(); });
  woken_ = false;
  if (items_.empty()) return std::nullopt;
  SourceEvent event = std::move(items_.front().event);
  bytes_ -= items_.front().bytes;
  items_.pop_front();
  lock.unlock();
  popped_.notify_one();
  return event;
}

void EventQueue::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  pushed_.notify_one();
}

void EventQueue::recycle(Bytes buffer) {
  buffer.clear();
  const std::lock_guard lock(mutex_);
  if (spares_.size() < kSpares) spares_.push_back(std::move(buffer));
}

Bytes EventQueue::spare() {
  const std::lock_guard lock(mutex_);
  if (spares_.empty()) return {};
  Bytes buffer = std::move(spares_.back());
  spares_.pop_back();
  return buffer;
}

bool EventQueue::empty() const {
  const std::lock_guard lock(mutex_);
  return items_.empty();
}

std::size_t EventQueue::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace anclora::protect
