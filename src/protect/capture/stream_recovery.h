// Finds the state of the stream at the end of a chain of log entries, so that its next byte can be understood.
#pragma once

#include <optional>

#include "redis/resp/command_parser.h"
#include "storage/repository/log_reader.h"
#include "storage/repository/source_state.h"

namespace anclora::protect {

// Give it entries in order, the last of them last. One thread; pure.
class StreamRecovery {
 public:
  StreamRecovery() = default;
  // Goes on from `parser`.
  explicit StreamRecovery(redis::CommandParser parser) : parser_(std::move(parser)) {}
  // False: this entry begins inside a command whose beginning was not given. kDataLoss: its bytes are no commands.
  Result<bool> add(const storage::LogEntry& entry);
  // The same, up to `end` only (a command boundary in the entry).
  Result<bool> add_up_to(const storage::LogEntry& entry, redis::Offset end);
  // After the newest entry; nothing where its timeline is closed.
  const std::optional<redis::CommandParser>& parser() const { return parser_; }

 private:
  std::optional<redis::CommandParser> parser_;
};

// At the head. Nothing: no timeline is open.
Result<std::optional<redis::CommandParser>> recover_at_head(storage::ReadStore& store,
                                                            const storage::Repository& repository,
                                                            const storage::SourceState& state);
// At `offset` of a timeline, a command boundary in its stream. kDataLoss when it is none.
Result<redis::CommandParser> recover_at(storage::ReadStore& store, const storage::Repository& repository,
                                        const storage::SourceState& state, storage::Position position);
// The newest timeline can be restored: it, or what it forked from, has a base.
bool has_base(const storage::SourceState& state, storage::Position position);

}  // namespace anclora::protect
