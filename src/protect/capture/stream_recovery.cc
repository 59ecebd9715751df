#include "protect/capture/stream_recovery.h"

#include <fmt/core.h>

#include <algorithm>

namespace anclora::protect {
namespace {

struct NoVisitor final : redis::CommandVisitor {
  void on_command(const redis::Command&) override {}
};

redis::CommandParser parser_at(redis::Offset offset, const storage::LogEntry& entry) {
  const redis::Offset boundary = entry.open_multi ? *entry.open_multi - 1 : offset;
  return redis::CommandParser({offset, boundary, entry.database, entry.open_multi});
}

}  // namespace

Result<bool> StreamRecovery::add(const storage::LogEntry& entry) { return add_up_to(entry, entry.last); }

Result<bool> StreamRecovery::add_up_to(const storage::LogEntry& entry, redis::Offset end) {
  if (entry.kind == storage::EntryKind::kClosed) {
    parser_.reset();
    return true;
  }
  redis::Offset from = entry.first;
  if (entry.pending_bytes == 0) {
    parser_ = parser_at(from, entry);
  } else if (!parser_ || parser_->state().offset != from) {
    if (!entry.first_command || *entry.first_command > end) return false;
    from = *entry.first_command;
    parser_ = parser_at(from, entry);
  }
  NoVisitor visitor;
  const ByteView bytes =
      ByteView(entry.bytes).substr(static_cast<std::size_t>(from - entry.first), static_cast<std::size_t>(end - from));
  RETURN_IF_ERROR(parser_->feed(bytes, visitor));
  return true;
}

namespace {

// Reads from `from` to `to`; `to` may lie inside an entry.
Result<std::optional<redis::CommandParser>> recover(storage::ReadStore& store, const storage::Repository& repository,
                                                    const storage::SourceState& state, storage::Position from,
                                                    storage::Position to) {
  ASSIGN_OR_RETURN(auto reader, storage::LogReader::open(store, repository, state, from, to));
  StreamRecovery recovery;
  while (true) {
    ASSIGN_OR_RETURN(const auto entry, reader.next());
    if (!entry) break;
    ASSIGN_OR_RETURN(const bool known, recovery.add_up_to(*entry, std::min(entry->last, to.offset)));
    static_cast<void>(known);
  }
  return recovery.parser();
}

}  // namespace

Result<std::optional<redis::CommandParser>> recover_at_head(storage::ReadStore& store,
                                                            const storage::Repository& repository,
                                                            const storage::SourceState& state) {
  if (!state.head || state.head->entry.kind == storage::EntryKind::kClosed)
    return std::optional<redis::CommandParser>{};
  const storage::LogEntry& entry = state.head->entry;
  const storage::TimelineId timeline = state.head->timeline;
  if (entry.first == entry.last && entry.pending_bytes == 0) return std::optional(parser_at(entry.last, entry));
  const redis::Offset from = entry.pending_bytes == 0 ? entry.first : std::min(entry.boundary, entry.first);
  return recover(store, repository, state, {timeline, from}, {timeline, entry.last});
}

Result<redis::CommandParser> recover_at(storage::ReadStore& store, const storage::Repository& repository,
                                        const storage::SourceState& state, storage::Position position) {
  // One byte earlier: the entry that holds the last byte before the place, whose own state is known.
  storage::Position from = position;
  if (from.offset.value > 0) from.offset = from.offset - 1;
  ASSIGN_OR_RETURN(auto parser, recover(store, repository, state, from, position));
  if (!parser || parser->state().offset != position.offset || parser->in_command())
    return Error(ErrorKind::kDataLoss,
                 fmt::format("{} is no place between two commands of the archived stream", to_string(position)));
  return std::move(*parser);
}

bool has_base(const storage::SourceState& state, storage::Position position) {
  const auto timeline = std::ranges::find(state.timelines, position.timeline, &storage::TimelineState::id);
  if (timeline == state.timelines.end()) return false;
  if (std::ranges::any_of(timeline->bases, [&](const auto& base) { return base.offset <= position.offset; }))
    return true;
  return timeline->origin.kind == storage::OriginKind::kFork &&
         timeline->origin.previous.timeline < position.timeline && has_base(state, timeline->origin.previous);
}

}  // namespace anclora::protect
