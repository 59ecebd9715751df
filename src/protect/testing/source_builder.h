// Builds a source in a repository in memory without a Redis: bases, stream, packs, gaps, forks, at times of the test's
// choosing. Failures throw std::runtime_error, which GoogleTest reports.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protect/capture/entry_builder.h"
#include "protect/restore/restore_stream.h"
#include "protect/restore/source_view.h"
#include "storage/journal/stream_index_builder.h"
#include "storage/repository/log_writer.h"
#include "storage/store/memory_store.h"

namespace anclora::protect {

class SourceBuilder {
 public:
  explicit SourceBuilder(std::string source = "default", bool encrypted = false);

  // A new timeline whose stream begins at `offset`; the one before is closed.
  void open_timeline(redis::Offset offset, WallTime time, const storage::Origin& origin = {});
  // A complete base at the present end of the stream, announced by the log and a checkpoint.
  storage::BaseInfo base(ByteView rdb, WallTime time, std::uint32_t database = 0);
  // Received bytes; sealed and published as one entry by seal().
  void stream(ByteView bytes, WallTime time);
  void command(std::initializer_list<std::string_view> words, WallTime time);
  // Everything received, also a part of a command, as one entry.
  void seal();
  // With the next entry: what the source counted.
  void key_counts(storage::KeyCounts counts) { key_counts_ = std::move(counts); }
  // A sign of life.
  void sign_of_life(WallTime time);
  // All entries of the timeline that are not in a pack yet, as one pack that a checkpoint names.
  storage::PackInfo pack();

  redis::Offset end() const;  // of what was received
  storage::TimelineId timeline() const;
  storage::MemoryStore& store() { return store_; }
  const storage::Repository& repository() const { return *repository_; }
  const std::string& source() const { return source_; }
  // Loads the state; the view stays valid until the next call.
  SourceView view();
  RestoreInput input(storage::Position position);
  Clock& clock() { return clock_; }
  Random& random() { return random_; }

 private:
  void publish(const storage::SealedEntry& entry);
  void checkpoint(const storage::CheckpointDelta& delta);

  std::string source_;
  ManualClock clock_;
  SeededRandom random_{42};
  storage::MemoryStore store_{clock_};
  std::optional<storage::Repository> repository_;
  std::unique_ptr<storage::EntrySealer> sealer_;
  std::unique_ptr<storage::LogPublisher> publisher_;
  std::unique_ptr<EntryBuilder> builder_;
  std::vector<storage::SealedEntry> unpacked_;
  std::optional<storage::KeyCounts> key_counts_;
  WallTime last_time_;
  std::optional<storage::SourceState> state_;
};

// An RDB without keys of the given version, with a right checksum.
Bytes empty_rdb(unsigned version = 10);

}  // namespace anclora::protect
