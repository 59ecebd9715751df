// Builds the index of entries that are not yet in a pack, as capture would when it packs them.
#pragma once

#include <optional>

#include "redis/resp/command_parser.h"
#include "storage/journal/stream_index_builder.h"

namespace anclora::protect {

// One thread; entries of one timeline in order: a mass deletion that runs through several of them is seen.
class EntryIndexer {
 public:
  void add(const storage::LogEntry& entry, const Hash256& content_hash);
  // Of what was added since the last take().
  storage::StreamIndex take() { return builder_.take(); }
  storage::StreamIndex index(const storage::LogEntry& entry, const Hash256& content_hash) {
    add(entry, content_hash);
    return take();
  }

 private:
  storage::StreamIndexBuilder builder_;
  std::optional<redis::CommandParser> parser_;
};

}  // namespace anclora::protect
