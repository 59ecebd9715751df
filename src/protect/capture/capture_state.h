// What the threads of capture share beside their queues: where the stream is, what is protected, what to tell the
// source, and the status that others read.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "protect/capture/base_transfer.h"
#include "protect/capture/capture_status.h"
#include "protect/capture/source_event.h"
#include "redis/rdb/rdb_versions.h"
#include "redis/replication/follower.h"
#include "storage/repository/log_writer.h"

namespace anclora::protect {

// Any thread.
class CaptureState {
 public:
  explicit CaptureState(Clock& clock) : clock_(clock) {}

  // --- the link ---
  void set_link(LinkState link, std::string detail = {});
  // The encoder cannot use this attachment any more: the reader must leave it. `pause`: until resumed().
  void drop(Attachment attachment, Error why, bool pause);
  std::optional<Error> dropped(Attachment attachment) const;
  // Why, until resumed().
  std::optional<Error> paused() const;
  // The same pause, perhaps for another reason.
  void still_paused(Error why);
  void resumed();
  // The encoder took everything of this attachment; from where the stream may be asked for (nothing: a full sync).
  void set_resume(Attachment attachment, std::optional<redis::ResumePoint> resume);
  // Waits for it; false when `timeout` passed first.
  bool wait_for_resume(Attachment attachment, Duration timeout, std::optional<redis::ResumePoint>& resume);
  std::optional<redis::ResumePoint> resume() const;
  // `commands`: how many came since the last call.
  void set_received(redis::Offset received, std::uint64_t commands = 0);

  // --- acknowledgement ---
  // A full sync began on the link: nothing is acknowledged until its timeline is protected.
  void full_sync_began(Attachment attachment);
  // Likewise for a fork: offsets beyond it were acknowledged for another history.
  void fork_began(Attachment attachment);
  void timeline_opened(Attachment attachment, storage::TimelineId timeline);
  // Nothing but PINGs was received after `sealed_up_to`, the end of the newest entry.
  void only_pings_since(redis::Offset sealed_up_to, redis::Offset received);
  void no_pings();
  // 0 until the base of the timeline that the link is on is complete. PINGs behind what is protected are acknowledged
  // with it: they carry nothing, and a source that shuts down waits for its very last byte.
  redis::Offset acknowledged() const;

  // --- the source's own word ---
  void set_source_offset(redis::Offset offset);
  std::optional<redis::Offset> source_offset() const;
  void set_source_server(std::optional<redis::Product> server);
  std::optional<redis::Product> source_server() const;
  // What INFO counted at an offset of the history `replid`.
  void set_key_counts(std::string replid, storage::KeyCounts counts);
  // Once: the newest counts at or before `last` of that history; those of another one are forgotten.
  std::optional<storage::KeyCounts> take_key_counts(const std::string& replid, redis::Offset last);
  // What its own INFO says is wrong with it although the link is well; empty: nothing, or it was not heard.
  void set_source_trouble(std::string trouble);
  std::string source_trouble() const;
  void set_side_data(std::string json);
  std::string side_data() const;

  // --- the base ---
  void set_base(std::shared_ptr<BaseTransfer> base);
  std::shared_ptr<BaseTransfer> base() const;

  // --- publishing ---
  void sealed(redis::Offset last, std::optional<MonoTime> oldest_byte);
  void holding_since(std::optional<MonoTime> oldest_byte);
  struct Published {
    storage::Position position;  // its boundary
    WallTime time;
    redis::Offset last;
    bool base_complete = false;
    std::uint64_t stream_bytes = 0;
    std::uint64_t object_bytes = 0;
  };
  void published(const Published& entry);
  // What is protected already when capture starts; what an earlier run of this process left here is forgotten.
  void start_from(const storage::Position& position, WallTime time, bool base_complete);
  void store_answered();
  void store_failed(const Error& error);
  void failed(const Error& error);
  enum class Count : std::uint8_t { kBase, kPack, kCheckpoint, kFullSync, kPartialSync };
  void count(Count what);
  std::optional<storage::Position> protected_up_to() const;

  void set_source(std::string name, std::string url);
  void set_outbox(std::uint64_t bytes, std::uint64_t entries, std::uint64_t limit);
  CaptureStatus status() const;

 private:
  void fill_lag(CaptureStatus& status) const;

  Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable resume_set_;
  CaptureStatus status_;
  Attachment dropped_up_to_ = 0;
  std::optional<Error> dropped_why_;
  std::optional<Error> paused_why_;
  Attachment resume_of_ = 0;
  std::optional<redis::ResumePoint> resume_;
  Attachment synced_ = 0;         // the attachment of the newest full sync
  Attachment opened_by_ = 0;      // the one whose timeline is open
  storage::TimelineId timeline_;  // that timeline
  struct Pings {
    redis::Offset from, to;
  };
  std::optional<Pings> pings_;
  std::optional<redis::Offset> source_offset_;
  std::optional<redis::Product> source_server_;
  std::string source_trouble_;
  std::string side_data_;
  std::string key_counts_replid_;
  std::optional<storage::KeyCounts> key_counts_;
  std::shared_ptr<BaseTransfer> base_;
  struct Waiting {
    redis::Offset last;
    MonoTime since;
  };
  std::deque<Waiting> waiting_;  // sealed, not published
  std::optional<MonoTime> holding_since_;
  storage::Position newest_;  // boundary of the newest published entry
};

}  // namespace anclora::protect
