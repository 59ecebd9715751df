// We are the primary: serves a base and the stream after it to one target that was told REPLICAOF us.
//
// The target gets +FULLRESYNC under a fresh replication id, the base as $<length>, and at once after it exactly the
// bytes of the stream, nothing else: its offset is ours at every moment. A target that lost its link goes on where it
// was (+CONTINUE). The base's checksum is judged before its last bytes leave: a target that loaded a damaged base would
// exit; one that gets a cut base keeps what it had.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/socket.h"
#include "redis/offset.h"
#include "redis/replication/feed_source.h"
#include "redis/replication/feeder_protocol.h"

namespace anclora::redis {

struct FeederOptions {
  std::string user;  // as the target's masteruser; empty: any
  Secret password;   // as the target's masterauth; empty: none asked for
  // IP addresses that may connect; empty: any. Links over a Unix socket are always allowed.
  std::vector<std::string> allowed_peers;
  Duration handshake_timeout = std::chrono::seconds(10);
  // A target that says nothing for so long is taken for dead; a healthy one speaks each second, also while it loads.
  Duration silence_timeout = std::chrono::seconds(60);
  // How long one chunk may wait for a target that executes a long command.
  Duration write_timeout = std::chrono::minutes(10);
  // The same until its first acknowledgement: it empties its old data, then loads the base. Who controls the target
  // sees earlier whether it lives.
  Duration load_timeout = std::chrono::hours(6);
  std::size_t chunk_bytes = 1 * kMiB;
  std::size_t prefetch_bytes = 8 * kMiB;
  // A target that asks for everything more often than this, or twice after it got all of it, is not served any more.
  int full_syncs_limit = 5;
};

struct FeederProgress {
  enum class Stage : std::uint8_t { kWaiting, kBase, kLoading, kStream, kAllSent };
  Stage stage = Stage::kWaiting;
  std::string target_address;  // of the newest link that synchronized
  TargetFacts target;
  std::uint64_t base_size_bytes = 0;
  std::uint64_t base_sent_bytes = 0;
  Offset base_offset;
  Offset sent;                         // the stream, up to here
  std::optional<Offset> end;           // known once the stream's end was reached
  std::optional<Offset> acknowledged;  // executed by the target
  int full_syncs = 0;
  int continuations = 0;
  int refused_peers = 0;
  std::string last_refused_peer;
  std::optional<Error> last_link_error;
};
std::string_view to_string(FeederProgress::Stage stage);

class FeederState;

// Threads: one accepts, one serves each link (at most eight links; the one that synchronized last is the target), one
// reads ahead. Every method may be called from any thread.
class Feeder {
 public:
  // Serves at once. `source`, `clock` outlive it.
  static std::unique_ptr<Feeder> start(FeedSource& source, std::unique_ptr<Listener> listener, Clock& clock,
                                       Random& random, FeederOptions options = {});
  // stop(), then waits for its threads.
  ~Feeder();

  const std::string& replication_id() const;
  Endpoint local() const;
  FeederProgress progress() const;
  // The error that ended the feed: the source failed, or the target cannot load it.
  std::optional<Error> failure() const;

  // Until the target has executed everything up to `offset`. kDeadlineExceeded says how far it came, and whether it
  // ever connected; the feed's failure; kCancelled after stop(). The target tells at 1 Hz: to know sooner, ask it.
  Status wait_until_acknowledged(Offset offset, Duration timeout);
  // The same for the end of the stream.
  Status wait_until_done(Duration timeout);

  // After the source's stream ended (progress().end) and its end was moved: serves on from there, over the same link.
  // Before its end: as if that had been so. An end that was met before counts no more.
  void go_on();

  // Cuts the links and answers no more.
  void stop();

 private:
  struct Threads;
  Feeder() = default;
  void accept_links();

  std::unique_ptr<FeederState> state_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Threads> threads_;
};

}  // namespace anclora::redis
