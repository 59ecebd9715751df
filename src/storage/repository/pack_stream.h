// The entries of one pack, one after the other, from a store. For the .cc files of this folder.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "storage/journal/stream_index.h"
#include "storage/repository/source_state.h"
#include "storage/repository/stored_entry.h"

namespace anclora::storage {

// Fetches the pack in pieces, so that memory stays flat. Checks sequences, offsets and hashes against each other and
// against what the checkpoint says of the pack. One thread.
class PackStream {
 public:
  // kNotFound when the pack is gone.
  static Result<PackStream> open(ReadStore& store, const Repository& repository, std::string_view source,
                                 const PackInfo& pack);
  PackStream(PackStream&&) noexcept;
  PackStream& operator=(PackStream&&) noexcept;
  ~PackStream();
  // Nothing after the last, once the whole pack was checked.
  Result<std::optional<StoredEntry>> next();

 private:
  struct State;
  explicit PackStream(std::unique_ptr<State> state);
  friend Result<StoredEntry> read_first_of_pack(ReadStore& store, const Repository& repository, std::string_view source,
                                                const PackInfo& pack);
  std::unique_ptr<State> state_;
};

// kNotFound when the pack is gone.
Result<StoredEntry> read_last_of_pack(ReadStore& store, const Repository& repository, std::string_view source,
                                      const PackInfo& pack);
// The same for the first, whatever it follows: of `pack` only timeline, sequences and size are needed.
Result<StoredEntry> read_first_of_pack(ReadStore& store, const Repository& repository, std::string_view source,
                                       const PackInfo& pack);
// The index at a pack's end, without reading the rest.
Result<StreamIndex> read_pack_index(ReadStore& store, const Repository& repository, std::string_view source,
                                    const PackInfo& pack);

}  // namespace anclora::storage
