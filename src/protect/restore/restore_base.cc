#include "protect/restore/restore_base.h"

#include <algorithm>

namespace anclora::protect {
namespace {

// Expire tells the checkpoints before it takes anything away.
Error why_missing(const RestoreInput& input, const Error& missing) {
  const storage::BaseInfo& base = input.route.base;
  const auto now =
      storage::load_source_state(*input.store, *input.repository, input.state.source, storage::DamagedTail::kStepBack);
  if (!now.has_value()) return now.error();
  const auto has = [&](const storage::TimelineState& timeline) {
    return timeline.id == base.timeline &&
           std::ranges::any_of(timeline.bases, [&](const auto& kept) { return kept.name == base.name; });
  };
  if (std::ranges::any_of(now->timelines, has))
    return Error(
        ErrorKind::kDataLoss, "base " + base.name + " is damaged: " + missing.message(),
        "see all that is damaged with anclora verify; copy it from a mirror, or restore an older point, before "
        "this base, or one after a later base: anclora history");
  return Error(ErrorKind::kUnavailable, "base " + base.name + " was removed by expire meanwhile: " + missing.message(),
               "run the restore again: it plans with what is kept now");
}

}  // namespace

Result<RestoreBase> RestoreBase::open(const RestoreInput& input) {
  auto reader = storage::BaseReader::open(*input.store, *input.repository, input.state.source, input.route.base,
                                          storage::BaseReader::Proof::kChecksum);
  if (reader.has_value()) return RestoreBase(input, std::move(*reader));
  return reader.error().kind() == ErrorKind::kNotFound ? why_missing(input, reader.error()) : reader.error();
}

Result<std::size_t> RestoreBase::read(Bytes& out) {
  auto size = reader_.read(out);
  if (size.has_value() || size.error().kind() != ErrorKind::kNotFound) return size;
  return why_missing(*input_, size.error());
}

}  // namespace anclora::protect
