// A source's log written step by step, as capture would, for tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/testing/temporary_directory.h"
#include "storage/repository/base_writer.h"
#include "storage/repository/log_writer.h"
#include "storage/repository/pack_builder.h"
#include "storage/repository/source_state.h"

namespace anclora::storage {

// A whole RDB with this text inside and a right checksum.
Bytes tiny_rdb(std::string_view text);
// A repository without encryption, made in `store`.
Repository make_plain_repository(AppendStore& store, Clock& clock, Random& random);

// Every step publishes, and fails the running test when it cannot. One thread.
class TestSource {
 public:
  TestSource(AppendStore& store, const Repository& repository, ManualClock& clock, Random& random,
             std::string name = "default");

  // Closes the timeline, if there is one, and opens the next.
  void open(const Origin& origin, redis::Offset start, std::string replication_id = std::string(40, 'a'));
  void open_first(std::uint64_t start = 0) { open(Origin{}, redis::Offset{start}); }
  SealedEntry append(ByteView bytes);
  void append_kind(EntryKind kind, std::string text = {});  // text: note, base or new replication id
  // A base of the state after the newest byte; announced by a kBaseComplete, not yet by a checkpoint.
  BaseInfo base(ByteView rdb, std::string origin = "source", std::uint32_t attempt = 1);
  // All entries since the last pack; not yet named by a checkpoint.
  PackInfo pack();
  std::uint64_t checkpoint(const CheckpointDelta& delta, bool full = false);
  // What a checkpoint says of a timeline that was just opened.
  TimelineState opened() const { return opened_; }

  SourceState load();
  const ChainTip& tip() const { return sealer_->tip(); }
  const std::vector<SealedEntry>& entries() const { return entries_; }  // all that were published
  const std::string& name() const { return name_; }
  ManualClock& clock() { return clock_; }

 private:
  void publish(const SealedEntry& entry);
  LogEntry draft(EntryKind kind);

  AppendStore& store_;
  const Repository& repository_;
  ManualClock& clock_;
  Random& random_;
  std::string name_;
  TemporaryDirectory folder_;
  std::unique_ptr<EntrySealer> sealer_;
  LogPublisher publisher_;
  PackBuilder packs_;
  std::vector<SealedEntry> entries_;
  TimelineState opened_;
};

}  // namespace anclora::storage
