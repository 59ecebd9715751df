// The control connection to a target that is being restored: made anew when it breaks, given up when the target is
// gone.
#pragma once

#include <memory>
#include <optional>

#include "redis/client/client.h"

namespace anclora::protect {

// One thread.
class LiveLink {
 public:
  LiveLink(const redis::RedisUrl& url, Dialer& dialer, Clock& clock) : url_(url), dialer_(dialer), clock_(clock) {}

  const redis::RedisUrl& url() const { return url_; }
  // Connected; valid until the next call.
  Result<redis::Client*> client();
  // Asks for the target's replication state. A target that does not answer for a while may be loading or restarting:
  // kUnavailable only after kGoneAfter, or after kRefusedAfter when it refuses every connection: then no process is
  // there.
  Status look();
  // As of the last look() that was answered; nothing while it is no replica whose link is up.
  std::optional<redis::Offset> replica_offset() const { return offset_; }
  // As of the last look() that was answered: a target that was told to follow `us` follows nobody, or another. Says
  // whom.
  std::optional<std::string> follows_other_than(const Endpoint& us) const;

  static constexpr std::chrono::seconds kGoneAfter{60};
  static constexpr std::chrono::seconds kRefusedAfter{10};

 private:
  const redis::RedisUrl& url_;
  Dialer& dialer_;
  Clock& clock_;
  std::unique_ptr<redis::Client> client_;
  std::optional<redis::Offset> offset_;
  std::optional<redis::Info> answer_;
  std::optional<MonoTime> silent_since_, refused_since_;
};

}  // namespace anclora::protect
