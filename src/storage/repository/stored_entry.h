// Log entries as they stand in the store under their own names. For the .cc files of this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/repository/repository.h"
#include "storage/repository/source_state.h"

namespace anclora::storage {

struct StoredEntry {
  LogEntry entry;
  Hash256 hash{};  // entry_hash()
};

// Decodes content that was read under the name of (timeline, sequence); kDataLoss when it is another's.
Result<StoredEntry> decode_stored_entry(ByteView content, const Hash256& hash, TimelineId timeline,
                                        std::uint64_t sequence);
// kNotFound when there is none of this name.
Result<StoredEntry> read_stored_entry(ReadStore& store, const Repository& repository, std::string_view source,
                                      TimelineId timeline, std::uint64_t sequence);
// The timeline that this entry, its first that is left, opens or goes on with.
TimelineState timeline_of(const LogEntry& first);
// The last of the entries that stand in a row from `first` on; nothing when `first` is not there. Asks for
// about 2 log2(n) names, and lists nothing.
Result<std::optional<std::uint64_t>> find_last_entry(ReadStore& store, std::string_view source, TimelineId timeline,
                                                     std::uint64_t first);

}  // namespace anclora::storage
