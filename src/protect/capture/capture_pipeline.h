// The parts of capture behind the socket, put together and without threads: whoever owns it calls them in any order.
#pragma once

#include <memory>
#include <string>

#include "protect/capture/capture_options.h"
#include "protect/capture/capture_state.h"
#include "protect/capture/checkpoint_writer.h"
#include "protect/capture/packer.h"
#include "protect/capture/source_reader.h"
#include "protect/capture/stream_encoder.h"
#include "protect/capture/takeover.h"
#include "protect/capture/uploader.h"

namespace anclora::protect {

// What capture works with; all of it outlives it.
struct CaptureEnvironment {
  storage::AppendStore& store;
  const storage::Repository& repository;
  FileSystem& files;
  Clock& clock;
  Random& random;  // from any thread, where threads are used
};

// Thread rule: encoder(), uploader(), packer() and checkpoints() each from one thread; state_at() from any.
class CapturePipeline final : public ForkFinder {
 public:
  // Reads where the log stands, brings in the outbox, claims the log. Errors: see take_over().
  static Result<std::unique_ptr<CapturePipeline>> begin(const CaptureEnvironment& environment,
                                                        const CaptureOptions& options, Outbox& outbox,
                                                        CaptureState& state);

  StreamEncoder& encoder() { return *encoder_; }
  Uploader& uploader() { return *uploader_; }
  Packer& packer() { return *packer_; }
  CheckpointWriter& checkpoints() { return *checkpoints_; }
  UploadQueue& queue() { return queue_; }
  // As read at the beginning; nothing when the source is new or the store was away.
  const std::optional<storage::SourceState>& found() const { return found_; }
  const std::optional<Error>& store_was_away() const { return store_away_; }

  Result<redis::CommandParser> state_at(redis::Offset fork) override;

 private:
  CapturePipeline(const CaptureEnvironment& environment, const CaptureOptions& options, Outbox& outbox,
                  CaptureState& state);
  void build(Takeover takeover, const storage::Incarnation& incarnation);

  CaptureEnvironment environment_;
  const CaptureOptions& options_;
  Outbox& outbox_;
  CaptureState& state_;
  UploadQueue queue_;
  std::optional<storage::SourceState> found_;
  std::optional<Error> store_away_;
  std::unique_ptr<CheckpointWriter> checkpoints_;
  std::unique_ptr<Packer> packer_;
  std::unique_ptr<StreamEncoder> encoder_;
  std::unique_ptr<Uploader> uploader_;
};

}  // namespace anclora::protect
