// What is sealed and not yet published, in order: a few entries in memory; behind a store that is slow or away, all of
// them durable in the outbox. Between the encoder, which pushes, and the uploader, which takes from the front.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "protect/capture/outbox.h"
#include "storage/journal/stream_index_builder.h"
#include "storage/repository/log_writer.h"

namespace anclora::protect {

struct UploadLimits {
  std::size_t entries = 16;
  std::size_t bytes = 12 * kMiB;  // of objects and contents in memory
};

// A sealed entry with the state of the stream after it.
struct QueuedEntry {
  storage::SealedEntry sealed;
  redis::StreamState after;
  bool inside_command = false;  // it ends inside a command
  storage::StreamIndexFragment fragment;
};
std::size_t weight_of(const QueuedEntry& entry);  // in memory

// Any thread. Once an entry was refused room (full()), no more may be sealed until there is room.
class UploadQueue {
 public:
  UploadQueue(Outbox& outbox, UploadLimits limits) : outbox_(outbox), limits_(limits) {}

  // Never loses the entry: what cannot go to the outbox stays in memory. The error tells why the outbox failed.
  Status push(QueuedEntry entry);
  // The store failed: from now on everything goes through the outbox, until it is empty again.
  Status spill();
  // What may be needed to begin again without the store; saved before the first entry is spilled, and by save_chain().
  void set_published(SavedChain chain);
  Status save_chain();

  struct Front {
    storage::TimelineId timeline;
    std::uint64_t sequence = 0;
    std::shared_ptr<const QueuedEntry> memory;  // null: it waits in the outbox
    std::optional<Outbox::Pending> stored;
  };
  std::optional<Front> front() const;
  Result<Bytes> read(const Outbox::Pending& entry) const;
  // After the front was published.
  void pop_front();

  bool empty() const;
  bool spilling() const;
  // No room, memory being at its limits, and why the outbox takes no more: its limit, a full disk, one that fails.
  std::optional<Error> full() const;
  // Tries to move what waits in memory to the outbox; to be called while full().
  void relieve();
  std::uint64_t outbox_bytes() const;
  std::size_t outbox_entries() const;
  std::size_t memory_entries() const;

  // Waits until wake() is called or, unless `only_wake`, something waits here; at most `timeout`.
  void wait(Duration timeout, bool only_wake = false);
  void wake();

 private:
  Status spill_locked();
  Status save_locked();
  std::size_t weight() const;
  bool over_limits() const;

  Outbox& outbox_;
  const UploadLimits limits_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  std::deque<std::shared_ptr<const QueuedEntry>> memory_;  // behind those in the outbox
  std::size_t memory_bytes_ = 0;
  bool spilling_ = false;
  std::optional<Error> refusal_;  // of the newest try to spill
  std::optional<SavedChain> published_;
  bool chain_saved_ = false;  // published_ as it was when spilling began is durable
};

}  // namespace anclora::protect
