// From the reader to the encoder: events in order, bounded by bytes.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "protect/capture/source_event.h"

namespace anclora::protect {

// Any thread.
class EventQueue {
 public:
  explicit EventQueue(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}

  // False when there was no room for `bytes` more within `timeout`; an event without bytes always has room.
  bool push(SourceEvent& event, std::size_t bytes, Duration timeout);
  // The next event; nothing after `timeout` or wake().
  std::optional<SourceEvent> pop(Duration timeout);
  void wake();
  // Buffers go round, so that not every read touches fresh memory: spare() gives one back (empty, with its capacity)
  // that was handed to recycle(), or a new one.
  void recycle(Bytes buffer);
  Bytes spare();
  bool empty() const;
  std::size_t bytes() const;

 private:
  struct Item {
    SourceEvent event;
    std::size_t bytes;
  };
  const std::size_t limit_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable pushed_, popped_;
  std::deque<Item> items_;
  std::size_t bytes_ = 0;
  bool woken_ = false;
  static constexpr std::size_t kSpares = 4;
  std::vector<Bytes> spares_;
};

}  // namespace anclora::protect
