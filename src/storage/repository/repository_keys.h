// What stands at the top of a repository: the configuration and the key slots. For the .cc files of this folder.
#pragma once

#include <map>
#include <string>

#include "storage/journal/key_slot.h"
#include "storage/repository/repository.h"

namespace anclora::storage {

// As stored; slots by the last component of their names.
struct RepositoryHead {
  Bytes config;
  std::map<std::string, Bytes> slots;
};

// kDataLoss: sources are here, and the configuration that stood above them is gone.
Status refuse_lost_config(ReadStore& store);

// kNotFound when there is no repository.
Result<RepositoryHead> read_repository_head(ReadStore& store);
struct OpenedKey {
  Secret key;
  std::string slot;
};
// The repository's key: from the first slot that one of the secrets opens. A damaged slot beside it does no harm.
Result<OpenedKey> unlock(const RepositoryHead& head, ByteView repository_id, const Unlock& secrets);
// What stands in keys/ may be why: no key at all, or what a link leads to, which is not followed. Else `refused`
// itself.
Error why_none_opens(ReadStore& store, Error refused);
Status put_key_slot(AppendStore& store, const KeySlot& slot, Random& random);
// The copy that open_with_cache() keeps. read: kNotFound when there is none.
Status write_cached_head(FileSystem& files, const std::string& folder, const RepositoryHead& head);
Result<RepositoryHead> read_cached_head(FileSystem& files, const std::string& folder);

}  // namespace anclora::storage
