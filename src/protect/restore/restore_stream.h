// The bytes that lead from a base to a recovery point, as a target is to execute them: an explicit SELECT, then the
// archived stream through StreamFilter. Memory stays flat; can be read again from any place.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "protect/restore/restore_route.h"
#include "protect/restore/stream_filter.h"
#include "storage/repository/log_reader.h"

namespace anclora::protect {

// What a restore reads from. `store` and `repository` outlive it.
struct RestoreInput {
  storage::ReadStore* store = nullptr;
  const storage::Repository* repository = nullptr;
  storage::SourceState state;
  RestoreRoute route;
};

// One thread. Where expire took what the state names (kNotFound), the state is loaded anew once and reading goes on.
class RestoreStream {
 public:
  explicit RestoreStream(RestoreInput input);

  // Appends some bytes (up to about an entry) to `out`; 0 at the end, which is the recovery point exactly.
  // kDataLoss: a hole, or the point is not outside a command and MULTI.
  Result<std::size_t> read(Bytes& out);

  // Goes on with the byte that comes after the first `bytes` of what read() has answered since the beginning.
  Status seek(std::uint64_t bytes);

  // read() answers 0 at `offset` of the source's stream, if that is a point and on the route, until it is moved on.
  void stop_at(std::optional<redis::Offset> offset) { stop_at_ = offset; }
  // The last 0 was that of stop_at().
  bool stopped() const { return stopped_; }

  std::uint64_t bytes_read() const { return served_; }
  std::uint64_t commands() const { return commands_; }  // counted once, also after a seek back
  // Of the source's stream, of route().stream_bytes().
  std::uint64_t stream_bytes_read() const;
  // In force for what follows the bytes read.
  std::uint32_t database() const { return filter_.state().database; }
  // The highest database in force so far, plus one; after a seek back at least what it was.
  std::uint32_t databases_used() const { return std::max(databases_used_, filter_.databases_used()); }
  // From now on read() stops with kFailedPrecondition before a SELECT of a database beyond the first `count`.
  void limit_databases(std::uint32_t count) { database_limit_ = count; }
  const RestoreInput& input() const { return input_; }

 private:
  // A command boundary from which reading can begin again.
  struct Mark {
    std::uint64_t served = 0;
    std::size_t stretch = 0;
    std::uint64_t commands = 0;
    redis::StreamState state;
  };
  Status open_reader();
  Result<std::optional<storage::LogEntry>> next_entry();
  Result<std::optional<storage::LogEntry>> read_entry();
  Status take(const storage::LogEntry& entry, Bytes& out);
  Status end_stretch();
  bool at_stop() const { return stop_at_ && at_ >= *stop_at_ && filter_.at_point(); }
  Status check_databases() const;
  void remember();

  RestoreInput input_;
  Bytes prelude_;  // the SELECT
  std::size_t stretch_ = 0;
  redis::Offset at_;  // of the source's stream: up to here it was fed to the filter
  StreamFilter filter_;
  std::optional<storage::LogReader> reader_;
  std::optional<redis::Offset> stop_at_;
  bool stopped_ = false;
  bool prelude_done_ = false;
  std::uint64_t served_ = 0;
  std::uint64_t skip_ = 0;  // of what comes next: served before the seek
  std::uint64_t commands_ = 0;
  std::uint64_t commands_before_ = 0;  // of filters before this one
  std::uint32_t databases_used_ = 0;   // by filters before this one
  std::optional<std::uint32_t> database_limit_;
  std::vector<Mark> marks_;
};

}  // namespace anclora::protect
