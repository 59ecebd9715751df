// Looks at one Redis as its clients do: connects, signs in, asks ROLE and INFO, writes and reads the beacon. PING alone
// misses a server that refuses writes, serves an older dataset, or is a replica in the primary's place.
#pragma once

#include <optional>
#include <string>

#include "base/socket.h"
#include "redis/client/redis_url.h"
#include "respond/detect/beacon.h"
#include "respond/detect/probe.h"

namespace anclora::redis {
class Client;
class Info;
}  // namespace anclora::redis

namespace anclora::respond {

enum class ExpectedRole : std::uint8_t { kAny, kPrimary, kReplica };

struct RedisProbeOptions {
  redis::RedisUrl url;
  ExpectedRole role = ExpectedRole::kPrimary;
  std::string beacon_key;  // empty: nothing is written
  Duration lag_limit{};    // of a replica's link: down beyond it; zero: not judged
};

// down: refused, unreachable, no answer in time, wrong role, writes refused (MISCONF, READONLY, OOM, NOREPLICAS) or
// held up, a beacon that is gone or older than the one this probe has seen (an older or empty dataset is being served).
// unknown: our resolver fails, wrong password or rights, a certificate that we cannot check, LOADING (with its
// seconds left in the facts), something else than a Redis.
// Facts: role, replid, offset, run_id, replicas, used_memory_bytes, loading_seconds_left, write_ms, beacon.
class RedisProbe final : public Probe {
 public:
  RedisProbe(RedisProbeOptions options, Dialer& dialer, Clock& clock);
  Reading look(Duration timeout) override;

 private:
  void look_at(redis::Client& client, MonoTime deadline, Reading& reading);
  bool judge_info(const redis::Info& info, Reading& reading) const;
  void try_beacon(redis::Client& client, MonoTime deadline, Reading& reading);
  bool judge_beacon(const std::optional<std::string>& stored, Reading& reading);

  RedisProbeOptions options_;
  Dialer& dialer_;
  Clock& clock_;
  std::optional<Beacon> last_;  // the newest this probe wrote or read
};

}  // namespace anclora::respond
