// The state folder of one capture: what is sealed and not yet in the repository, and what is needed to start while the
// store is away. Survives kill -9 and power loss. Format: docs/formats/outbox.md.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/file_system.h"
#include "base/random.h"
#include "base/result.h"
#include "redis/resp/command_parser.h"
#include "storage/journal/log_entry.h"
#include "storage/repository/log_writer.h"

namespace anclora::protect {

// The end of the published chain, with what is needed to go on from it without reading the store.
struct SavedChain {
  std::string source_url;  // without secrets
  storage::ChainTip tip;
  redis::StreamState state;  // of the stream at tip.last
  bool base_complete = false;
};

// One thread at a time.
class Outbox {
 public:
  // Takes the folder's lock (kFailedPrecondition: another process has it), makes what is missing, removes what a crash
  // left half written. Entries are kept up to `limit_bytes`.
  static Result<std::unique_ptr<Outbox>> open(FileSystem& files, Random& random, std::string folder,
                                              std::uint64_t limit_bytes);

  struct Pending {
    storage::TimelineId timeline;
    std::uint64_t sequence = 0;
    storage::EntryKind kind = storage::EntryKind::kStream;
    std::uint64_t bytes = 0;
    std::string path;
  };

  const storage::HolderId& holder() const { return holder_; }
  const std::deque<Pending>& pending() const { return pending_; }
  std::uint64_t pending_bytes() const { return pending_bytes_; }
  std::uint64_t limit_bytes() const { return limit_bytes_; }
  const std::string& folder() const { return folder_; }
  // Where a base waits for its put (the link's own, and a later one from the source), and where a copy of the
  // repository's configuration and key slots is kept.
  std::string base_spool() const { return folder_ + "/base"; }
  std::string later_base_spool() const { return folder_ + "/later-base"; }
  std::string repository_copy() const { return folder_ + "/repository"; }

  // Keeps an object durably behind all others. kResourceExhausted: the limit or the disk is reached; any error: it is
  // not relied on, and may be given again.
  Status append(storage::TimelineId timeline, std::uint64_t sequence, storage::EntryKind kind, ByteView object);
  Result<Bytes> read(const Pending& entry) const;
  // After its put. A failure leaves the file; it is found published at the next start.
  void remove_first();
  // Puts all pending entries aside, under "abandoned/": they can never be published.
  Status abandon_all() { return abandon_from(0); }
  // The same for the pending entry of this index and all behind it.
  Status abandon_from(std::size_t index);
  // Empties the spools of bases.
  Status clear_base_spool();

  Status save(const SavedChain& chain);
  // Nothing when none was saved; kDataLoss when the file is damaged.
  Result<std::optional<SavedChain>> load() const { return read_chain(files_, folder_); }
  // The same of a folder that another process may have open.
  static Result<std::optional<SavedChain>> read_chain(FileSystem& files, const std::string& folder);

 private:
  Outbox(FileSystem& files, std::string folder, std::uint64_t limit_bytes)
      : files_(files), folder_(std::move(folder)), limit_bytes_(limit_bytes) {}
  static Result<std::unique_ptr<Outbox>> open_folder(FileSystem& files, Random& random, std::string folder,
                                                     std::uint64_t limit_bytes);
  Status write_file(const std::string& folder, const std::string& name, ByteView bytes);
  Status load_holder(Random& random);
  Status find_entries();
  std::string entries_folder() const { return folder_ + "/entries"; }

  FileSystem& files_;
  std::string folder_;
  std::uint64_t limit_bytes_;
  std::unique_ptr<FileLock> lock_;
  storage::HolderId holder_{};
  std::deque<Pending> pending_;
  std::uint64_t pending_bytes_ = 0;
};

}  // namespace anclora::protect
