// A Store in a folder: one file an object, named by the object. A put writes a temporary file in "~tmp" (a name that
// no object can have), syncs it, links it to its final name, and syncs the directory: at no moment is a torn object
// visible, and link() lets exactly one of several writers win, also across processes and on NFS.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/random.h"
#include "storage/store/store.h"

namespace anclora::storage {

// Any thread. `files` and `random` outlive it. The root is created by the first put. Directories are never removed by
// the store, so that what was synced once stays. Links, FIFOs and illegal names inside the root are listed as foreign,
// and a link in place of a directory is refused (kFailedPrecondition), never followed; the root itself may be a link.
class FolderStore final : public Store {
 public:
  using AppendStore::put_if_absent;
  FolderStore(FileSystem& files, Random& random, std::string root);

  Result<Bytes> get(std::string_view name, std::uint64_t limit_bytes) override;
  Result<Bytes> get_range(std::string_view name, std::uint64_t offset, std::uint64_t size) override;
  Result<ObjectInfo> head(std::string_view name) override;
  Result<Listing> list(std::string_view prefix, bool delimited) override;
  // Needs the right to write: it touches a file in "~tmp".
  Result<WallTime> now() override;
  std::string describe() const override { return root_; }
  // kResourceExhausted when the disk is full, kIo when a write or sync fails: the temporary file is abandoned, and if
  // the final name was linked before the directory's sync failed, whether the object stays is unknown.
  Result<PutOutcome> put_if_absent(std::string_view name, const Body& body) override;
  Status remove(std::string_view name) override;
  // Removes temporary files of puts that died, last written more than `older_than` ago.
  Result<std::uint64_t> sweep(Duration older_than) override;

 private:
  enum class Place : std::uint8_t { kMissing, kObject, kOther };
  std::string path_of(std::string_view name) const { return root_ + "/" + std::string(name); }
  std::string temporary_folder() const { return root_ + "/~tmp"; }
  std::string temporary_path();
  Result<Place> look_up(std::string_view name, ObjectInfo* info);
  Status require_object(std::string_view name, ObjectInfo* info);
  Result<std::string> write_temporary(const Body& body);
  Status make_durable_directories(std::string_view name);
  Status sync_from_root(std::string_view name);
  Result<PutOutcome> link_into_place(const std::string& temporary, std::string_view name);
  Result<PutOutcome> settle_existing(std::string_view name);
  Status create_root();

  FileSystem& files_;
  Random& random_;
  std::string root_;
  std::mutex mutex_;               // guards what follows, and random_
  std::set<std::string> durable_;  // directories whose own names are known to be on disk
};

}  // namespace anclora::storage
