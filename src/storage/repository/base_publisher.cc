#include <fmt/format.h>

#include <algorithm>

#include "storage/repository/base_writer.h"

namespace anclora::storage {
namespace {

constexpr std::uint64_t kPieceBytes = kMiB;
constexpr std::uint32_t kAttemptsLimit = 1000;

Result<bool> exists(ReadStore& store, const std::string& name) {
  const auto info = store.head(name);
  if (info.has_value()) return true;
  if (info.error().kind() == ErrorKind::kNotFound) return false;
  return Error(info.error());
}

// Ok when the object that stands there is, byte for byte, `body`; kDataLoss when it is not.
Status compare(ReadStore& store, const std::string& name, const Body& body) {
  ASSIGN_OR_RETURN(const ObjectInfo info, store.head(name));
  bool equal = info.size_bytes == body.size_bytes();
  for (std::uint64_t at = 0; equal && at < body.size_bytes(); at += kPieceBytes) {
    const std::uint64_t size = std::min(kPieceBytes, body.size_bytes() - at);
    ASSIGN_OR_RETURN(const Bytes mine, body.read(at, size));
    ASSIGN_OR_RETURN(const Bytes there, store.get_range(name, at, size));
    equal = mine == there;
  }
  if (equal) return {};
  return Error(ErrorKind::kDataLoss, name + ": other bytes stand under this name",
               "nothing was overwritten; make the base again: it gets a new name");
}

}  // namespace

Result<std::uint32_t> free_base_attempt(ReadStore& store, std::string_view source, TimelineId timeline,
                                        redis::Offset offset) {
  for (std::uint32_t attempt = 0; attempt < kAttemptsLimit; ++attempt) {
    const std::string name = layout::base_name(offset, attempt);
    ASSIGN_OR_RETURN(const bool manifest, exists(store, layout::base_manifest(source, timeline, name)));
    ASSIGN_OR_RETURN(const bool part, exists(store, layout::base_part(source, timeline, name, 0)));
    if (!manifest && !part) return attempt;
  }
  return Error(ErrorKind::kResourceExhausted,
               fmt::format("{} attempts at a base at {} stand in the repository", kAttemptsLimit,
                           to_string(Position{timeline, offset})),
               "remove what counts for nothing: anclora expire");
}

Status publish_part(AppendStore& store, FileSystem& files, const BaseEncoder::Part& part) {
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<Body> body, file_body(files, part.spool_path));
    if (body->size_bytes() != part.bytes)
      return Error(ErrorKind::kDataLoss, part.spool_path + " changed its size while it waited to be put");
    Result<PutOutcome> outcome = store.put_if_absent(part.object_name, *body);
    if (!outcome) return outcome.error().with_context(part.object_name);
    if (*outcome == PutOutcome::kExists) RETURN_IF_ERROR(compare(store, part.object_name, *body));
  }
  return files.remove(part.spool_path);
}

}  // namespace anclora::storage
