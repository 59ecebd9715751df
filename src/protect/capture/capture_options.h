// How one source is captured. Plain values; defaults are those of the command line.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/secret.h"
#include "protect/capture/upload_queue.h"
#include "redis/client/redis_url.h"

namespace anclora::protect {

// When what was received becomes an entry.
struct SealPolicy {
  Duration interval =
      std::chrono::milliseconds(100);  // at most one entry in it, unless size or GETACK demand (S3: 1 s)
  std::size_t target_bytes = 8 * kMiB;
  Duration sign_of_life = std::chrono::seconds(10);  // an entry at least this often; with nothing but PING, no oftener
};

enum class AckMode : std::uint8_t {
  kDurable,   // what is protected: WAIT on the source counts a copy that is safe elsewhere
  kReceived,  // what was received: keeps the source calm, promises nothing
};

enum class BaseFrom : std::uint8_t { kScratch, kSource, kNever };

struct CaptureOptions {
  std::string name = "default";
  redis::RedisUrl source;
  bool allow_url_change = false;  // the source of this name has moved
  AckMode ack = AckMode::kDurable;
  SealPolicy seal;
  UploadLimits upload;
  std::uint64_t outbox_limit_bytes = std::uint64_t{4} << 30;
  std::size_t receive_bytes = 8 * kMiB;  // received and not encoded
  Duration checkpoint_every = std::chrono::minutes(1);
  Duration pack_every = std::chrono::minutes(1);
  Duration base_every = std::chrono::hours(24);
  BaseFrom base_from = BaseFrom::kScratch;
  Duration replay_limit = std::chrono::minutes(1);  // a base sooner when replaying would take longer
};

}  // namespace anclora::protect
