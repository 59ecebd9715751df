#include "storage/repository/sealed_object.h"

namespace anclora::storage {

Result<bool> object_exists(ReadStore& store, const std::string& name) {
  Result<ObjectInfo> info = store.head(name);
  if (info) return true;
  if (info.error().kind() == ErrorKind::kNotFound) return false;
  return info.error().with_context(name);
}

Result<Bytes> read_sealed(ReadStore& store, const Repository& repository, const std::string& name,
                          std::uint64_t max_bytes) {
  ASSIGN_OR_RETURN(const Bytes sealed, store.get(name, max_bytes));
  return open_object(repository.key(), name, sealed, max_bytes);
}

Result<bool> create_object(AppendStore& store, const std::string& name, ByteView bytes) {
  Result<PutOutcome> outcome = store.put_if_absent(name, bytes);
  if (outcome && *outcome == PutOutcome::kCreated) return true;
  const bool unknown = !outcome && (outcome.error().kind() == ErrorKind::kUnavailable ||
                                    outcome.error().kind() == ErrorKind::kDeadlineExceeded);
  if (!outcome && !unknown) return outcome.error().with_context(name);
  const Result<Bytes> there = store.get(name);
  if (there) return *there == bytes;
  if (there.error().kind() == ErrorKind::kNotFound && unknown) return outcome.error().with_context(name);
  return there.error().with_context(name);
}

Result<bool> create_sealed(AppendStore& store, const Repository& repository, const std::string& name, ByteView content,
                           Random& random) {
  ASSIGN_OR_RETURN(const Bytes sealed, seal_object(repository.key(), name, content, random));
  return create_object(store, name, sealed);
}

}  // namespace anclora::storage
