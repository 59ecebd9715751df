// Cuts a replication stream into log entries: at command boundaries, except where one command exceeds an entry.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "redis/resp/command_parser.h"
#include "storage/journal/log_entry.h"
#include "storage/repository/log_writer.h"

namespace anclora::protect {

// Time marks are this far apart (one stands at the end of every entry too): never more than 100 ms of receipt.
inline constexpr Duration kMarkInterval = std::chrono::milliseconds(50);

// What was received and is not in an entry yet. One thread; no clock, no files.
class EntryBuilder final : private redis::CommandVisitor {
 public:
  // `parser` stands at the end of the chain (inside a command too). `observer`, when given, sees every command once.
  // With a `compressor` the stream is compressed as it comes, while it is in the processor's cache. Both outlive this.
  EntryBuilder(redis::CommandParser parser, std::string replication_id, redis::CommandVisitor* observer = nullptr,
               storage::FrameCompressor* compressor = nullptr);

  // The next bytes of the stream, received at `wall`/`mono`. kDataLoss when they are no commands: nothing of them
  // enters an entry any more, what came before still does.
  Status add(ByteView bytes, WallTime wall, MonoTime mono);

  redis::Offset received() const { return parser_.state().offset; }
  // The end of the last entry taken.
  redis::Offset taken() const { return first_; }
  // Bytes up to the last complete command, and all bytes held.
  std::size_t complete_bytes() const;
  std::size_t held_bytes() const { return compressed_bytes_ + held_.size(); }
  // A REPLCONF GETACK came: whoever waits at the source waits for these bytes.
  bool ack_wanted() const { return ack_wanted_; }
  // The complete bytes hold nothing but PING.
  bool only_pings() const { return only_pings_; }
  // When the oldest byte held was received; nothing when none is held.
  std::optional<MonoTime> oldest() const { return oldest_; }
  const redis::StreamState& state() const { return parser_.state(); }
  // Complete commands received.
  std::uint64_t commands() const { return commands_; }
  std::uint64_t pending_bytes() const { return parser_.bytes_pending(); }
  const std::string& replication_id() const { return replication_id_; }

  // An entry of kind kStream with all complete commands held (none: a sign of life). With `inside_command` everything
  // held, also a part of a command. `now` marks an entry that has no bytes. Fields that the sealer sets are left alone.
  storage::UnsealedEntry take(bool inside_command, WallTime wall, MonoTime mono);
  // Whether the entry that take(inside_command) would make ends inside a command.
  bool inside_command_after(bool inside_command) const {
    return parser_.in_command() && (inside_command || parser_.command_start() <= first_);
  }
  // From here on the stream has another replication id (+CONTINUE). Call after take(true, ...).
  void rename(std::string replication_id) { replication_id_ = std::move(replication_id); }

 private:
  void on_command(const redis::Command& command) override;
  unsigned further_argument_step(std::string_view name) override {
    return observer_ != nullptr ? observer_->further_argument_step(name) : 0;
  }
  redis::Offset complete_end() const;
  void note_start(storage::LogEntry& entry, bool inside_command) const;
  void move_marks(storage::LogEntry& entry);
  void compress_ahead();

  redis::CommandParser parser_;
  std::string replication_id_;
  redis::CommandVisitor* observer_;
  storage::FrameCompressor* compressor_;
  std::vector<storage::CompressedFrame> frames_;  // of the first bytes after first_
  std::size_t compressed_bytes_ = 0;              // in frames_
  Bytes held_;                                    // the bytes after those
  redis::Offset first_;                           // end of the last entry taken
  // The state at first_:
  std::uint32_t database_ = 0;
  std::optional<redis::Offset> open_multi_;
  std::uint64_t pending_bytes_ = 0;

  std::optional<redis::Offset> first_command_;  // the point just before the first complete command that starts here
  std::deque<storage::TimeMark> marks_;
  std::optional<storage::TimeMark> newest_;  // end of the last complete command, and when it was received
  std::optional<MonoTime> oldest_;
  MonoTime newest_byte_;
  bool ack_wanted_ = false;
  bool only_pings_ = true;
  std::uint64_t commands_ = 0;
};

}  // namespace anclora::protect
