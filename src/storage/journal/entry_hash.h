// The hash by which a log entry's successor names it. A large entry is named by the frames it was published with: they
// are an eighth of its content, and packs keep them. Pure. Format: docs/formats/log-entry.md.
#pragma once

#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "storage/journal/frame_codec.h"

namespace anclora::storage {

// An entry of at least this much content keeps its frames for ever, in a pack too.
inline constexpr std::size_t kLargeEntryBytes = 256 * kKiB;

// Fed with an entry's frames in order. One thread.
class EntryHasher {
 public:
  EntryHasher();
  ~EntryHasher();
  void add(const CompressedFrame& frame);
  // `content`: what the frames hold, needed only when they hold less than kLargeEntryBytes. Once.
  Hash256 finish(ByteView content);
  std::uint64_t plain_bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Hash256 entry_hash(ByteView content, const std::vector<CompressedFrame>& frames);

struct OpenedEntry {
  Bytes content;
  Hash256 hash{};
};
// As open_object(), for the object of a log entry.
Result<OpenedEntry> open_entry_object(const ObjectKey& key, std::string_view object_name, ByteView sealed,
                                      std::uint64_t limit_bytes = 64 * kMiB);

}  // namespace anclora::storage
