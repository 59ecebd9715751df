#include "storage/repository/stored_entry.h"

#include <fmt/format.h>

#include "storage/journal/entry_hash.h"
#include "storage/repository/sealed_object.h"

namespace anclora::storage {

Result<StoredEntry> decode_stored_entry(ByteView content, const Hash256& hash, TimelineId timeline,
                                        std::uint64_t sequence) {
  ASSIGN_OR_RETURN(LogEntry entry, decode_log_entry(content));
  if (entry.timeline != timeline || entry.sequence != sequence) {
    return Error(ErrorKind::kDataLoss,
                 fmt::format("log entry {} of timeline {} stands in the place of entry {} of timeline {}",
                             entry.sequence, entry.timeline.value, sequence, timeline.value));
  }
  return StoredEntry{std::move(entry), hash};
}

Result<StoredEntry> read_stored_entry(ReadStore& store, const Repository& repository, std::string_view source,
                                      TimelineId timeline, std::uint64_t sequence) {
  const std::string name = layout::log_entry(source, timeline, sequence);
  ASSIGN_OR_RETURN(const Bytes sealed, store.get(name, kMaxDocumentBytes));
  ASSIGN_OR_RETURN(const OpenedEntry opened, open_entry_object(repository.key(), name, sealed));
  Result<StoredEntry> entry = decode_stored_entry(opened.content, opened.hash, timeline, sequence);
  if (!entry) return entry.error().with_context(name);
  return entry;
}

Result<std::optional<std::uint64_t>> find_last_entry(ReadStore& store, std::string_view source, TimelineId timeline,
                                                     std::uint64_t first) {
  const auto there = [&](std::uint64_t sequence) {
    return object_exists(store, layout::log_entry(source, timeline, sequence));
  };
  ASSIGN_OR_RETURN(bool found, there(first));
  if (!found) return std::optional<std::uint64_t>();
  std::uint64_t last = first;
  std::uint64_t step = 1;
  while (found) {
    ASSIGN_OR_RETURN(found, there(last + step));
    if (!found) break;
    last += step;
    step *= 2;
  }
  // last is there, last + step is not.
  for (std::uint64_t missing = last + step; missing - last > 1;) {
    const std::uint64_t middle = last + (missing - last) / 2;
    ASSIGN_OR_RETURN(found, there(middle));
    (found ? last : missing) = middle;
  }
  return std::optional<std::uint64_t>(last);
}

}  // namespace anclora::storage
