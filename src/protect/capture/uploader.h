// Publishes what the encoder made: entries in order, one put in flight; parts of a base between them; and moves
// *protected up to*. Single-threaded, without waiting.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "protect/capture/backoff.h"
#include "protect/capture/capture_options.h"
#include "protect/capture/capture_state.h"
#include "protect/capture/checkpoint_writer.h"
#include "protect/capture/packer.h"
#include "protect/capture/upload_queue.h"
#include "storage/repository/log_writer.h"
#include "storage/repository/source_state.h"
#include "storage/store/store.h"

namespace anclora::protect {

// One thread.
class Uploader {
 public:
  struct Context {
    storage::AppendStore& store;
    const storage::Repository& repository;
    std::string source;
    std::string url;  // without secrets
    Clock& clock;
    Random& random;
    UploadQueue& queue;
    CaptureState& state;
    Packer& packer;
    CheckpointWriter& checkpoints;
  };
  // `timeline`, `base_complete`: of the newest published entry.
  Uploader(Context context, storage::TimelineId timeline, bool base_complete);

  // One piece of work. False: there is none now. An error ends this writer: kFenced, kFailedPrecondition (the log went
  // on without it). Failures of the store are no errors: it tries again, less and less often.
  Result<bool> step();
  // When step() may have work again, at the latest.
  MonoTime next_step() const;
  bool store_away() const { return failures_.active(); }

 private:
  Result<bool> publish_front(const UploadQueue::Front& front);
  void published_from_memory(const std::shared_ptr<const QueuedEntry>& entry);
  struct Opened {
    storage::LogEntry entry;
    Hash256 hash{};
  };
  Result<Bytes> read_stored(const Outbox::Pending& stored) const;
  Result<Opened> open_stored(const std::string& name, const UploadQueue::Front& front, ByteView object) const;
  void published_from_outbox(const std::string& name, const Opened& opened, Bytes object);
  void note_published(const storage::LogEntry& entry, const Hash256& hash, std::size_t object_bytes,
                      std::uint64_t stream_bytes);
  void note_event(const storage::LogEntry& entry, const Hash256& hash);
  void note_base(const storage::LogEntry& entry);
  Status announce_bases();
  bool base_may_go(const BaseTransfer& base) const;
  Result<bool> put_base_part();
  Status put_side_data(const BaseTransfer& base);
  void store_failed(const Error& error);

  Context context_;
  storage::LogPublisher publisher_;
  std::map<std::string, storage::BaseInfo, std::less<>> known_bases_;    // put here, not announced yet
  std::deque<std::pair<storage::TimelineId, std::string>> unannounced_;  // complete bases of an earlier run
  storage::TimelineId timeline_;                                         // of the newest published entry
  bool base_complete_ = false;                                           // of that timeline
  bool base_part_turn_ = false;
  Backoff failures_;
};

}  // namespace anclora::protect
