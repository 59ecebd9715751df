// Turns what comes from the source into sealed entries and base parts, in order. Single-threaded, without waiting: the
// caller hands events and calls tick(); what it makes goes to the UploadQueue and the BaseTransfer.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "protect/capture/capture_options.h"
#include "protect/capture/capture_state.h"
#include "protect/capture/chain_start.h"
#include "protect/capture/command_indexer.h"
#include "protect/capture/entry_builder.h"
#include "protect/capture/source_event.h"
#include "protect/capture/upload_queue.h"
#include "storage/repository/log_writer.h"

namespace anclora::protect {

// One thread. Errors are those that no reconnect can mend (a bug, faulty memory): stop. What concerns one attachment is
// told to the state (CaptureState::drop).
class StreamEncoder {
 public:
  struct Context {
    const storage::Repository& repository;
    std::string source;
    SealPolicy policy;
    std::string base_spool;  // folder
    FileSystem& files;
    Clock& clock;
    Random& random;
    UploadQueue& queue;
    CaptureState& state;
  };
  StreamEncoder(Context context, ChainStart start, storage::Incarnation incarnation, storage::HolderId holder);

  // Takes the log: the first entry of this writer, where there is an open timeline.
  Status claim(std::string note);
  // What it does not need of the event it leaves there: the buffers of chunks.
  Status handle(SourceEvent& event);
  Status handle(SourceEvent&& event) { return handle(event); }
  // Seals what is due; announces a base that is whole.
  Status tick();
  // When tick() has something to do at the latest, as far as is known now.
  MonoTime next_tick() const;
  // Everything complete, at once.
  Status seal_all();
  // The last entry of this writer: another may take over at once.
  Status release();

  const storage::ChainTip& tip() const { return sealer_.tip(); }

 private:
  Status on(FullSyncBegan& event, Attachment attachment);
  Status on(BaseChunk& event, Attachment attachment);
  Status on(BaseReceived& event, Attachment attachment);
  Status on(StreamContinued& event, Attachment attachment);
  Status on(StreamForked& event, Attachment attachment);
  Status on(StreamChunk& event, Attachment attachment);
  Status on(LinkLost& event, Attachment attachment);

  bool timeline_is_open() const { return sealer_.tip().timeline.value != 0 && !sealer_.tip().closed && builder_; }
  void begin_stream(redis::CommandParser parser, std::string replication_id);
  bool may_reuse_timeline(const FullSyncBegan& event) const;
  storage::Origin origin_after(const std::string& reason) const;
  Status open_timeline(const storage::Origin& origin, redis::Offset start, const std::string& replid,
                       const std::string& reason, Attachment attachment);
  Status seal(storage::EntryKind kind, bool inside_command, const std::function<void(storage::LogEntry&)>& fill = {});
  Status push(storage::SealedEntry sealed, bool inside_command);
  Status seal_by_size();
  Status announce_base();
  void remove_other_spools(const std::string& spool);
  Status remove_spool(const std::string& folder);
  void tell_pings();
  void spill_behind_a_hanging_put(MonoTime now);
  bool due_by_time(MonoTime now) const;
  // Nothing: there is room.
  std::optional<Error> refused_room();
  Status heard();
  void drop(Attachment attachment, const Error& why, bool pause);
  void tell_resume(Attachment attachment);

  Context context_;
  storage::EntrySealer sealer_;
  storage::StreamIndexBuilder commands_;  // since the last entry
  CommandIndexer indexer_{commands_};
  storage::FrameCompressor compressor_;
  std::optional<EntryBuilder> builder_;
  std::shared_ptr<BaseTransfer> base_;
  bool base_complete_ = false;      // of the open timeline
  bool base_received_ = false;      // it is whole in the spool
  std::uint32_t base_attempt_ = 1;  // of the open timeline
  bool opened_here_ = false;        // the open timeline is of this process
  storage::Origin origin_;          // of the open timeline
  redis::Offset timeline_start_;
  WallTime newest_mark_;
  // While the source cannot be heard: when it was heard last. What is written meanwhile is not marked as younger.
  struct Heard {
    WallTime wall;
    MonoTime mono;
  };
  std::optional<Heard> silent_since_;
  bool silence_is_written_ = false;
  Attachment attachment_ = 0;  // the newest one heard of
  Attachment ignored_ = 0;     // attachments up to here were given up
  std::optional<redis::Offset> catch_up_to_;
  MonoTime last_sealed_;
  // The entry that is being put, and since when.
  struct Waiting {
    storage::TimelineId timeline;
    std::uint64_t sequence = 0;
    MonoTime since;
  };
  std::optional<Waiting> front_;
};

}  // namespace anclora::protect
