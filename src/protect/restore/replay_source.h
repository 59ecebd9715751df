// A restore as a Feeder serves it: the base out of the repository, then RestoreStream's bytes. The served offsets are a
// space of their own that begins at the base's offset: SELECT is in it, what StreamFilter drops is not.
#pragma once

#include <atomic>
#include <memory>

#include "protect/restore/restore_stream.h"
#include "redis/replication/feed_source.h"

namespace anclora::protect {

// See FeedSource for the thread rule; the counters may be read by any thread.
class ReplaySource final : public redis::FeedSource {
 public:
  explicit ReplaySource(RestoreInput input);

  std::uint64_t base_size_bytes() const override { return base_.rdb_bytes; }
  redis::Offset base_offset() const override { return base_.offset; }
  Result<std::unique_ptr<redis::ByteSource>> open_base() override;
  Result<std::unique_ptr<redis::ByteSource>> open_stream(redis::Offset after) override;

  // Before the first read; see RestoreStream.
  void limit_databases(std::uint32_t count) { stream_.limit_databases(count); }

  // Any thread: the stream ends at `offset` for now, if that is a point on the route; nothing: at its own end. Never
  // before what was served already. The feeder is told by Feeder::go_on().
  void stop_at(std::optional<redis::Offset> offset) { stop_at_ = offset ? offset->value : kNoStop; }
  // The end that was met last is that of stop_at().
  bool stopped() const { return stopped_; }

  std::uint64_t base_bytes_read() const { return base_bytes_read_; }
  // Of the source's stream, of route.stream_bytes().
  std::uint64_t stream_bytes_read() const { return stream_bytes_read_; }
  std::uint64_t commands() const { return commands_; }
  // In force at the end; 0 until then.
  std::uint32_t database() const { return database_; }
  // The offset that a target has in the end; known once the stream was read to its end.
  bool at_end() const { return at_end_; }
  redis::Offset end_offset() const { return base_.offset + served_; }

 private:
  class BaseSource;
  class StreamSource;

  storage::BaseInfo base_;
  RestoreStream stream_;
  std::atomic<std::uint64_t> base_bytes_read_{0};
  std::atomic<std::uint64_t> stream_bytes_read_{0};
  std::atomic<std::uint64_t> commands_{0};
  std::atomic<std::uint64_t> served_{0};
  std::atomic<std::uint32_t> database_{0};
  std::atomic<bool> at_end_{false};
  static constexpr std::uint64_t kNoStop = UINT64_MAX;
  std::atomic<std::uint64_t> stop_at_{kNoStop};
  std::atomic<bool> stopped_{false};
};

}  // namespace anclora::protect
