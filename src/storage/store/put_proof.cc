#include "storage/store/put_proof.h"

#include <fmt/format.h>

namespace anclora::storage {
namespace {

constexpr std::string_view kHint =
    "use a server that honours If-None-Match (Amazon S3, Ceph, MinIO, R2), or, if only one writer will ever use this "
    "repository, --single-writer";

Error refused(const AppendStore& store, std::string_view fault) {
  return Error(ErrorKind::kUnsupported, fmt::format("{} cannot keep two writers apart: {}", store.describe(), fault),
               std::string(kHint));
}

}  // namespace

Result<std::string> prove_put_if_absent(AppendStore& store, Random& random) {
  const std::string name = "probe/" + to_hex(random.bytes(16));
  const Bytes first = "first probe " + to_hex(random.bytes(16));
  const Bytes second = "second probe, of another length " + to_hex(random.bytes(16));
  ASSIGN_OR_RETURN(const PutOutcome created, store.put_if_absent(name, first));
  if (created != PutOutcome::kCreated) {
    // After a lost reply a retry finds our own bytes there; then the proof goes on.
    ASSIGN_OR_RETURN(const Bytes there, store.get(name, 4 * kKiB));
    if (there != first) return refused(store, "a name that was never used is said to be taken");
  }
  ASSIGN_OR_RETURN(const PutOutcome again, store.put_if_absent(name, second));
  ASSIGN_OR_RETURN(const Bytes bytes, store.get(name, 4 * kKiB));
  if (bytes == second) {
    return refused(store,
                   "the server ignores If-None-Match and overwrote an object that a put-if-absent must leave alone");
  }
  if (bytes != first) return refused(store, "an object just written does not read back");
  if (again == PutOutcome::kCreated) {
    return refused(store, "the server answered that it created an object whose name was taken");
  }
  return name;
}

}  // namespace anclora::storage
