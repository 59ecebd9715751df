#include "protect/restore/stream_boundary.h"

#include <fmt/format.h>

#include <algorithm>

#include "protect/restore/restore_route.h"
#include "storage/repository/log_reader.h"

namespace anclora::protect {
namespace {

using redis::Offset;
using storage::LogEntry;
using storage::Position;

constexpr std::uint64_t kLookAheadBytes = 64 * kMiB;

// Notes the boundaries on either side of `asked` as commands pass.
class BoundaryVisitor final : public redis::CommandVisitor {
 public:
  explicit BoundaryVisitor(Offset asked) : asked_(asked) {}

  void on_command(const redis::Command& command) override {
    if (command.at_boundary) note(command.last);
  }

  void note(Offset boundary) {
    if (boundary <= asked_) {
      before_ = boundary;
    } else if (!after_) {
      after_ = boundary;
    }
  }

  std::optional<Offset> before() const { return before_; }
  std::optional<Offset> after() const { return after_; }

 private:
  Offset asked_;
  std::optional<Offset> before_;
  std::optional<Offset> after_;
};

std::optional<WallTime> mark_time(const LogEntry& entry, Offset asked) {
  std::optional<WallTime> time;
  for (const storage::TimeMark& mark : entry.marks)
    if (!time || mark.offset <= asked) time = mark.wall;
  return time;
}

// Where a base was made or a timeline begins one may cut, and nothing before it need be kept.
bool begins_here(const storage::SourceState& state, Position position) {
  const storage::TimelineState* timeline = find_timeline(state, position.timeline);
  if (timeline == nullptr) return false;
  if (timeline->start == position.offset) return true;
  return std::ranges::any_of(timeline->bases,
                             [&](const storage::BaseInfo& base) { return base.offset == position.offset; });
}

bool same_stream(const LogEntry& entry, storage::TimelineId timeline) {
  return entry.timeline == timeline && !entry.bytes.empty();
}

}  // namespace

std::optional<redis::StreamState> entry_start(const LogEntry& entry) {
  if (entry.pending_bytes != 0) return std::nullopt;
  redis::StreamState state;
  state.offset = entry.first;
  state.boundary = entry.open_multi ? *entry.open_multi - 1 : entry.first;
  state.database = entry.database;
  state.open_multi = entry.open_multi;
  return state;
}

Result<Offset> start_of_command(const SourceView& source, Position from) {
  Offset start = from.offset;
  while (true) {
    auto reader = storage::LogReader::open(source.store, source.repository, source.state,
                                           Position{from.timeline, start}, Position{from.timeline, start + 1});
    if (!reader.has_value()) {
      if (reader.error().kind() == ErrorKind::kNotFound && start < from.offset) return start + 1;
      return Error(std::move(reader).error());
    }
    ASSIGN_OR_RETURN(std::optional<LogEntry> entry, reader->next());
    while (entry && entry->bytes.empty()) {
      ASSIGN_OR_RETURN(entry, reader->next());
    }
    const bool begins_inside = entry && entry->timeline == from.timeline && entry->pending_bytes != 0;
    if (!begins_inside || entry->first.value == 0 || entry->first > start) return start;
    start = entry->first - 1;
  }
}

Result<BoundarySearch> find_boundaries(const SourceView& source, Position asked, Offset limit) {
  BoundarySearch search;
  if (begins_here(source.state, asked)) {
    search.at_or_before = asked.offset;
    return search;
  }
  const Offset just_before = asked.offset.value == 0 ? asked.offset : asked.offset - 1;
  ASSIGN_OR_RETURN(const Offset from, start_of_command(source, Position{asked.timeline, just_before}));
  const Offset to = std::min(limit, asked.offset + kLookAheadBytes);
  ASSIGN_OR_RETURN(auto reader, storage::LogReader::open(source.store, source.repository, source.state,
                                                         Position{asked.timeline, from}, Position{asked.timeline, to}));
  BoundaryVisitor visitor(asked.offset);
  std::optional<redis::CommandParser> parser;
  while (!visitor.after()) {
    ASSIGN_OR_RETURN(const std::optional<LogEntry> entry, reader.next());
    if (!entry) break;
    if (!same_stream(*entry, asked.timeline)) continue;
    if (!parser) {
      const auto start = entry_start(*entry);
      if (!start) continue;
      visitor.note(start->boundary);
      parser.emplace(*start);
    }
    if (entry->first <= asked.offset)
      search.time = mark_time(*entry, asked.offset).value_or(search.time.value_or(WallTime{}));
    RETURN_IF_ERROR(parser->feed(entry->bytes, visitor));
  }
  if (!visitor.before())
    return Error(ErrorKind::kNotFound,
                 fmt::format("the command at {} began before what is kept", storage::to_string(asked)));
  search.at_or_before = *visitor.before();
  if (visitor.after() && *visitor.after() <= limit) search.after = visitor.after();
  return search;
}

}  // namespace anclora::protect
