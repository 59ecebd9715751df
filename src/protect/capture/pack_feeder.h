// Merges what was just published into packs, with the index of their commands.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "protect/capture/command_indexer.h"
#include "redis/resp/command_parser.h"
#include "storage/journal/stream_index_builder.h"
#include "storage/repository/pack_builder.h"

namespace anclora::protect {

// One thread. A pack that fails for good is given up: its entries stay readable one by one.
class PackFeeder {
 public:
  PackFeeder(storage::AppendStore& store, const storage::Repository& repository, FileSystem& files, std::string folder,
             std::string source, Clock& clock, Random& random, Duration age = storage::kPackAge);

  // A published entry, with what it adds to the index where that is known (a large entry must come with it). Close a
  // due() pack first. An error means that the pack was given up.
  Status add(const storage::SealedEntry& sealed, const storage::StreamIndexFragment* fragment);
  // The same as it is stored, and as it opened.
  Status add(const std::string& object_name, ByteView object, const storage::OpenedEntry& opened);
  bool due() const;
  bool empty() const { return builder_.empty(); }
  // False: an entry of this name leaves a hole behind those held; close them first.
  bool takes(const std::string& object_name) const { return empty() || object_name == next_name_; }
  // kUnavailable, kDeadlineExceeded: again later. Any other error: the pack was given up.
  Result<storage::PackInfo> close();

 private:
  void index(const storage::LogEntry& entry, ByteView bytes, const Hash256& hash);
  void give_up();

  void expect_after(const storage::LogEntry& entry);

  const std::string source_;
  std::string next_name_;
  storage::PackBuilder builder_;
  storage::StreamIndexBuilder index_;
  CommandIndexer indexer_{index_};
  std::optional<storage::StreamIndex> taken_;  // of a pack whose put is tried again
  std::optional<redis::CommandParser> parser_;
  Clock& clock_;
};

// Packs what an earlier run published and did not pack, up to the head of `state`; announces it by checkpoints.
Status pack_leftovers(storage::AppendStore& store, const storage::Repository& repository, FileSystem& files,
                      const std::string& folder, const storage::SourceState& state, Clock& clock, Random& random,
                      const std::function<bool()>& stopping);

}  // namespace anclora::protect
