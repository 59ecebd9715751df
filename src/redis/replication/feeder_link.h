// One connection to a Feeder, from its handshake to its end.
#pragma once

#include <atomic>
#include <memory>

#include "base/socket.h"
#include "redis/rdb/rdb_summary.h"
#include "redis/replication/feeder_protocol.h"
#include "redis/replication/feeder_state.h"
#include "redis/replication/prefetch.h"

namespace anclora::redis {

// run() from one thread, cut() from any.
class FeederLink {
 public:
  FeederLink(FeederState& state, std::unique_ptr<Connection> connection);
  // Until the link ends. The reason is noted in the state; the source's own failure ends the whole feed.
  void run();
  // Ends run() soon.
  void cut();

 private:
  Status serve();
  Result<SyncRequest> shake_hands();
  Status serve_everything(const SyncRequest& request);
  Status serve_base();
  Status send_base_chunk(const Bytes& chunk, RdbSummary& summary);
  // To the source's present end; answers where that is.
  Result<Offset> serve_stream(Offset after, std::uint64_t round);
  // Ok when the source's end may have moved.
  Status await_another_round(std::uint64_t round);
  // The source's error becomes the feed's failure. Nothing within a moment is an empty optional; then the link is
  // looked after.
  Result<std::optional<Bytes>> next_chunk(Prefetch& prefetch);

  // Takes what the target sent, waiting up to `timeout` for it; ok when there is nothing. kUnavailable: it hung up.
  Status listen(Duration timeout);
  Status send(ByteView bytes);
  Status check_alive() const;

  FeederState& state_;
  std::unique_ptr<Connection> connection_;
  FeederProtocol protocol_;
  Bytes received_;
  MonoTime last_heard_;
  bool loaded_ = false;  // the target holds the base
  std::atomic<bool> cut_ = false;
};

}  // namespace anclora::redis
