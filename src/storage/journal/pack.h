// A pack: about a minute of the log in one object, with an index at its end that can be read alone. Pure.
// Layout: segments (objects of large entries, runs of small ones), the sealed index, a fixed trailer. Format:
// docs/formats/pack.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "storage/journal/entry_hash.h"
#include "storage/journal/frame_codec.h"
#include "storage/journal/log_entry.h"
#include "storage/journal/stream_index.h"

namespace anclora::storage {

inline constexpr std::size_t kPackTrailerBytes = 32;

// Emits the object's bytes through `sink` as they become available, so that a pack never stands in memory whole.
// Large entries are taken as the objects they were published as; small ones are compressed together.
class PackWriter {
 public:
  using Sink = std::function<Status(ByteView)>;
  // `log_prefix`: what the names of the entries' objects start with ("sources/<name>/<timeline>/log/");
  // `first_sequence`: of the first entry. The pack's own name is needed only in the end.
  PackWriter(const ObjectKey& key, std::string log_prefix, std::uint64_t first_sequence, FrameCompressor& compressor,
             Random& random, Sink sink);
  ~PackWriter();
  // The next entry, smaller than kLargeEntryBytes: encode_log_entry()'s.
  Status add(ByteView content);
  // The next entry, of at least kLargeEntryBytes: its object as it was published.
  Status add_object(ByteView object);
  Status finish(std::string_view pack_name, const StreamIndex& index);
  std::uint64_t bytes_written() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Where the index lies, from the last kPackTrailerBytes of the object.
struct PackTrailer {
  std::uint64_t index_offset = 0;
  std::uint64_t index_bytes = 0;
};
Result<PackTrailer> decode_pack_trailer(ByteView trailer, std::uint64_t object_bytes);
Result<StreamIndex> open_pack_index(const ObjectKey& key, std::string_view object_name, ByteView sealed_index);

// Reads the entries of a pack in order from its sealed bytes, fed in pieces. Each entry's content is handed to
// `on_entry`, with the hash by which its successor names it.
class PackReader {
 public:
  using OnEntry = std::function<Status(ByteView content, const Hash256& hash)>;
  PackReader(const ObjectKey& key, std::string_view object_name, OnEntry on_entry);
  ~PackReader();
  Status feed(ByteView sealed);  // the bytes before index_offset, in order
  Status finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace anclora::storage
