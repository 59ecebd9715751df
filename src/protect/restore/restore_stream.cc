#include "protect/restore/restore_stream.h"

#include <fmt/format.h>

#include <algorithm>

#include "redis/resp/reply.h"

namespace anclora::protect {
namespace {

using redis::Offset;
using storage::LogEntry;
using storage::Position;

constexpr std::uint64_t kBytesBetweenMarks = 4 * kMiB;

redis::StreamState state_after(const storage::BaseInfo& base) {
  redis::StreamState state;
  state.offset = state.boundary = base.offset;
  state.database = base.database;
  return state;
}

}  // namespace

RestoreStream::RestoreStream(RestoreInput input)
    : input_(std::move(input)),
      prelude_(redis::build_command({"SELECT", std::to_string(input_.route.base.database)})),
      at_(input_.route.base.offset),
      filter_(state_after(input_.route.base)) {}

Status RestoreStream::open_reader() {
  const StreamStretch& stretch = input_.route.stretches[stretch_];
  ASSIGN_OR_RETURN(reader_,
                   storage::LogReader::open(*input_.store, *input_.repository, input_.state,
                                            Position{stretch.timeline, at_}, Position{stretch.timeline, stretch.to}));
  return {};
}

Result<std::optional<LogEntry>> RestoreStream::read_entry() {
  if (!reader_) RETURN_IF_ERROR(open_reader());
  return reader_->next();
}

Result<std::optional<LogEntry>> RestoreStream::next_entry() {
  auto entry = read_entry();
  if (entry.has_value() || entry.error().kind() != ErrorKind::kNotFound) return entry;
  // Packs replace entries, and expire removes what is retired: the newest state says where the bytes are now.
  reader_.reset();
  ASSIGN_OR_RETURN(input_.state, storage::load_source_state(*input_.store, *input_.repository, input_.state.source,
                                                            storage::DamagedTail::kStepBack));
  return read_entry();
}

Status RestoreStream::take(const LogEntry& entry, Bytes& out) {
  const StreamStretch& stretch = input_.route.stretches[stretch_];
  if (entry.bytes.empty() || entry.timeline != stretch.timeline || entry.last <= at_) return {};
  if (entry.first > at_ || entry.last - entry.first != entry.bytes.size())
    return Error(ErrorKind::kDataLoss,
                 fmt::format("the log of {} has a hole after {}", input_.state.source,
                             storage::to_string(Position{stretch.timeline, at_})),
                 "look for what is damaged: anclora verify");
  const Offset whole = std::min(entry.last, stretch.to);
  const Offset end = stop_at_ && at_ < *stop_at_ ? std::min(whole, *stop_at_) : whole;
  RETURN_IF_ERROR(filter_.feed(ByteView(entry.bytes).substr(at_ - entry.first, end - at_), out));
  at_ = end;
  if (end < whole) reader_.reset();  // the rest of the entry is read again
  return check_databases();
}

Status RestoreStream::check_databases() const {
  if (!database_limit_ || databases_used() <= *database_limit_) return {};
  const auto& stretches = input_.route.stretches;
  const auto timeline = stretch_ < stretches.size() ? stretches[stretch_].timeline : input_.route.base.timeline;
  return Error(
      ErrorKind::kFailedPrecondition,
      fmt::format("the stream up to {} selects database {}, and the target has {} databases",
                  storage::to_string(Position{timeline, at_}), databases_used() - 1, *database_limit_),
      fmt::format("set \"databases {}\" in the target's configuration file and start it again", databases_used()));
}

Status RestoreStream::end_stretch() {
  const StreamStretch& stretch = input_.route.stretches[stretch_];
  const std::string place = storage::to_string(Position{stretch.timeline, at_});
  if (at_ < stretch.to)
    return Error(ErrorKind::kDataLoss, fmt::format("the log of {} ends at {}, before {}", input_.state.source, place,
                                                   storage::to_string(Position{stretch.timeline, stretch.to})));
  if (!filter_.at_point())
    return Error(ErrorKind::kDataLoss, fmt::format("{} is inside a command or a transaction", place));
  ++stretch_;
  reader_.reset();
  return {};
}

void RestoreStream::remember() {
  if (!filter_.at_command_boundary()) return;
  if (!marks_.empty() && served_ < marks_.back().served + kBytesBetweenMarks) return;
  marks_.push_back({served_, stretch_, commands_before_ + filter_.commands(), filter_.state()});
}

Result<std::size_t> RestoreStream::read(Bytes& out) {
  const std::size_t before = out.size();
  const auto appended = [&] {
    const std::uint64_t fresh = out.size() - before;
    const std::uint64_t skipped = std::min(skip_, fresh);
    if (skipped != 0) out.erase(before, skipped);
    skip_ -= skipped;
    served_ += fresh;
    commands_ = std::max(commands_, commands_before_ + filter_.commands());
    remember();
    return out.size() - before;
  };
  stopped_ = at_stop();
  if (stopped_) return std::size_t{0};
  if (!prelude_done_) {
    RETURN_IF_ERROR(check_databases());
    prelude_done_ = true;
    out.append(prelude_);
    if (const std::size_t size = appended(); size != 0) return size;
  }
  while (stretch_ < input_.route.stretches.size()) {
    const StreamStretch& stretch = input_.route.stretches[stretch_];
    if (at_ >= stretch.to) {
      RETURN_IF_ERROR(end_stretch());
      continue;
    }
    ASSIGN_OR_RETURN(const std::optional<LogEntry> entry, next_entry());
    if (!entry) {
      RETURN_IF_ERROR(end_stretch());
      continue;
    }
    RETURN_IF_ERROR(take(*entry, out));
    if (const std::size_t size = appended(); size != 0) return size;
    stopped_ = at_stop();
    if (stopped_) return std::size_t{0};
  }
  if (skip_ != 0) return Error(ErrorKind::kInvalidArgument, "asked to read on from beyond the end of the stream");
  return std::size_t{0};
}

Status RestoreStream::seek(std::uint64_t bytes) {
  reader_.reset();
  databases_used_ = databases_used();
  const auto after = std::ranges::find_if(marks_, [&](const Mark& mark) { return mark.served > bytes; });
  if (after == marks_.begin()) {
    stretch_ = 0;
    at_ = input_.route.base.offset;
    filter_ = StreamFilter(state_after(input_.route.base));
    prelude_done_ = false;
    served_ = 0;
    commands_before_ = 0;
  } else {
    const Mark& mark = *(after - 1);
    stretch_ = mark.stretch;
    at_ = mark.state.offset;
    filter_ = StreamFilter(mark.state);
    prelude_done_ = true;
    served_ = mark.served;
    commands_before_ = mark.commands;
  }
  skip_ = bytes - served_;
  marks_.erase(after, marks_.end());
  return {};
}

std::uint64_t RestoreStream::stream_bytes_read() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < stretch_; ++i) sum += input_.route.stretches[i].bytes();
  if (stretch_ < input_.route.stretches.size()) sum += at_ - input_.route.stretches[stretch_].from;
  return sum;
}

}  // namespace anclora::protect
