#include "storage/repository/pack_builder.h"
#include "storage/repository/stored_entry.h"

namespace anclora::storage {
namespace {

Result<UnpackedEntry> read_unpacked(ReadStore& store, const Repository& repository, std::string name,
                                    TimelineId timeline, std::uint64_t sequence) {
  UnpackedEntry unpacked;
  ASSIGN_OR_RETURN(unpacked.object, store.get(name));
  ASSIGN_OR_RETURN(OpenedEntry opened, open_entry_object(repository.key(), name, unpacked.object));
  Result<StoredEntry> stored = decode_stored_entry(opened.content, opened.hash, timeline, sequence);
  if (!stored) return stored.error().with_context(name);
  unpacked.entry = std::move(stored->entry);
  unpacked.opened = std::move(opened);
  unpacked.object_name = std::move(name);
  return unpacked;
}

}  // namespace

Status for_each_unpacked(ReadStore& store, const Repository& repository, const SourceState& state,
                         const std::function<Status(const UnpackedEntry&)>& visit) {
  for (const TimelineState& timeline : state.timelines) {
    const bool newest = state.head && state.head->timeline == timeline.id;
    const auto& packs = timeline.packs;
    std::uint64_t sequence = packs.empty() ? timeline.first_kept_sequence : packs.back().last_sequence + 1;
    for (; !newest || sequence <= state.head->sequence; ++sequence) {
      Result<UnpackedEntry> entry = read_unpacked(
          store, repository, layout::log_entry(state.source, timeline.id, sequence), timeline.id, sequence);
      // A timeline that is not the newest ends with its kClosed, which may be packed.
      if (!entry && entry.error().kind() == ErrorKind::kNotFound && !newest) break;
      if (!entry) return entry.error();
      RETURN_IF_ERROR(visit(*entry));
      if (entry->entry.kind == EntryKind::kClosed) break;
    }
  }
  return {};
}

}  // namespace anclora::storage
