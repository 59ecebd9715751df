// Drops from a stream what must not be replayed: what Sentinels publish to find each other (a restored server would be
// merged with the source's group), and the source's demands for acknowledgements. Every other byte passes as it is.
// Pure.
#pragma once

#include "base/bytes.h"
#include "redis/resp/command_parser.h"

namespace anclora::protect {

class StreamFilter {
 public:
  // `start`: a command boundary, with the database in force there.
  explicit StreamFilter(const redis::StreamState& start);

  // Appends to `out` what is to be replayed of `chunk` and of what was held back before. The bytes of a command that is
  // still open are held back up to kHeldBytes (a command to be dropped is shorter), then passed on as they come.
  // kDataLoss at bytes that are no command.
  Status feed(ByteView chunk, Bytes& out);

  // The state after all bytes fed.
  const redis::StreamState& state() const { return parser_.state(); }
  // Between two commands with nothing held back: a StreamFilter made from state() goes on from here.
  bool at_command_boundary() const { return !parser_.in_command(); }
  // Between two commands, and outside MULTI.
  bool at_point() const { return at_command_boundary() && !parser_.state().open_multi; }
  std::uint64_t commands() const { return commands_; }  // passed, without those dropped
  // The highest database in force so far, that of the start included, plus one.
  std::uint32_t databases_used() const { return databases_used_; }

  static constexpr std::size_t kHeldBytes = 4 * kKiB;

 private:
  redis::CommandParser parser_;
  Bytes held_;            // bytes of the open command not yet passed on
  redis::Offset passed_;  // all bytes up to here were passed on or dropped
  std::uint64_t commands_ = 0;
  std::uint32_t databases_used_;
};

}  // namespace anclora::protect
