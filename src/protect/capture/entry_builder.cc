#include "protect/capture/entry_builder.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace anclora::protect {
namespace {

bool is_getack(const redis::Command& command) {
  if (command.name != "REPLCONF" || command.arguments.empty()) return false;
  static constexpr std::string_view kGetAck = "GETACK";
  const std::string_view option = command.arguments.front().kept;
  return option.size() == kGetAck.size() &&
         std::equal(option.begin(), option.end(), kGetAck.begin(), [](char a, char b) { return (a & ~0x20) == b; });
}

}  // namespace

EntryBuilder::EntryBuilder(redis::CommandParser parser, std::string replication_id, redis::CommandVisitor* observer,
                           storage::FrameCompressor* compressor)
    : parser_(std::move(parser)),
      replication_id_(std::move(replication_id)),
      observer_(observer),
      compressor_(compressor) {
  const redis::StreamState& state = parser_.state();
  first_ = state.offset;
  database_ = state.database;
  open_multi_ = state.open_multi;
  pending_bytes_ = parser_.bytes_pending();
}

Status EntryBuilder::add(ByteView bytes, WallTime wall, MonoTime mono) {
  const redis::Offset before = received();
  const Status parsed = parser_.feed(bytes, *this);
  held_.append(bytes.substr(0, static_cast<std::size_t>(received() - before)));
  if (held_bytes() == 0) return parsed;
  if (!oldest_) oldest_ = mono;
  newest_byte_ = mono;
  const redis::Offset end = complete_end();
  if (end > (newest_ ? newest_->offset : first_)) {
    newest_ = storage::TimeMark{end, wall, mono};
    if (marks_.empty() || mono - marks_.back().mono >= kMarkInterval) marks_.push_back(*newest_);
  }
  compress_ahead();
  return parsed;
}

// Only what the next entry holds for certain. What does not compress stays as it is, for the sealer to say why.
void EntryBuilder::compress_ahead() {
  while (compressor_ != nullptr && complete_bytes() >= compressed_bytes_ + storage::kEntryFrameBytes) {
    const std::size_t size = std::min(complete_bytes() - compressed_bytes_, storage::kFrameBytes);
    const ByteView piece = ByteView(held_).substr(0, size);  // mostly to the end of a command: little is left behind
    auto frames = compressor_->compress(piece);
    if (!frames) return;
    std::ranges::move(*frames, std::back_inserter(frames_));
    compressed_bytes_ += piece.size();
    held_.erase(0, piece.size());
  }
}

redis::Offset EntryBuilder::complete_end() const {
  return parser_.in_command() ? std::max(first_, parser_.command_start() - 1) : received();
}

std::size_t EntryBuilder::complete_bytes() const { return static_cast<std::size_t>(complete_end() - first_); }

void EntryBuilder::on_command(const redis::Command& command) {
  ++commands_;
  if (!first_command_ && command.first > first_) first_command_ = command.first - 1;
  if (command.name != "PING") {
    only_pings_ = false;
    if (is_getack(command)) ack_wanted_ = true;
  }
  if (observer_ != nullptr) observer_->on_command(command);
}

void EntryBuilder::note_start(storage::LogEntry& entry, bool inside_command) const {
  entry.kind = storage::EntryKind::kStream;
  entry.replication_id = replication_id_;
  entry.first = first_;
  entry.last = inside_command ? received() : complete_end();
  entry.database = database_;
  entry.open_multi = open_multi_;
  entry.pending_bytes = pending_bytes_;
  entry.first_command = first_command_;
  if (!first_command_ && inside_command && parser_.in_command() && parser_.command_start() > first_)
    entry.first_command = parser_.command_start() - 1;
  entry.boundary = std::min(parser_.state().boundary, entry.last);
}

void EntryBuilder::move_marks(storage::LogEntry& entry) {
  while (!marks_.empty() && marks_.front().offset <= entry.last && entry.marks.size() + 1 < storage::kMaxEntryMarks) {
    entry.marks.push_back(marks_.front());
    marks_.pop_front();
  }
  if (newest_ && newest_->offset <= entry.last && (entry.marks.empty() || entry.marks.back().offset < newest_->offset))
    entry.marks.push_back(*newest_);
}

storage::UnsealedEntry EntryBuilder::take(bool inside_command, WallTime wall, MonoTime mono) {
  storage::UnsealedEntry unsealed;
  storage::LogEntry& entry = unsealed.entry;
  note_start(entry, inside_command);
  move_marks(entry);
  if (entry.marks.empty()) entry.marks.push_back({entry.last, wall, mono});
  const auto size = static_cast<std::size_t>(entry.last - entry.first);
  unsealed.frames = std::exchange(frames_, {});
  const std::size_t rest = size - std::exchange(compressed_bytes_, 0);
  entry.bytes.assign(held_, 0, rest);
  held_.erase(0, rest);
  first_ = entry.last;
  database_ = parser_.state().database;
  open_multi_ = parser_.state().open_multi;
  pending_bytes_ = inside_command ? parser_.bytes_pending() : 0;
  if (!inside_command && size == 0) pending_bytes_ = entry.pending_bytes;
  first_command_.reset();
  newest_.reset();
  oldest_ = held_.empty() ? std::nullopt : std::optional(newest_byte_);
  ack_wanted_ = false;
  only_pings_ = true;
  return unsealed;
}

}  // namespace anclora::protect
