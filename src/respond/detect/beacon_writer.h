// Keeps a beacon beating on one server where no watcher does it: before and during a drill's disaster.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/socket.h"
#include "respond/detect/beacon.h"
#include "respond/detect/probe_maker.h"

namespace anclora::respond {

struct BeaconWriterOptions {
  redis::RedisUrl url;
  std::string key;
  Duration every = std::chrono::seconds(1);
};

// A thread of its own from the constructor to the destructor, which waits for at most one command. A server that does
// not answer, or refuses, is tried again at the next beat. Goes on counting from the beacon that it finds.
// Thread rule: any thread.
class BeaconWriter {
 public:
  BeaconWriter(BeaconWriterOptions options, Dialer& dialer, Clock& clock);
  ~BeaconWriter();
  BeaconWriter(const BeaconWriter&) = delete;
  BeaconWriter& operator=(const BeaconWriter&) = delete;

  // The newest beat that the server has acknowledged.
  std::optional<Beacon> last() const;
  // Waits until this writer's first beat is acknowledged; false when none was within `at_most` of real time.
  bool wait_for_beat(Duration at_most);

 private:
  void beat_on();
  bool beat(std::unique_ptr<redis::Client>& client);

  const BeaconWriterOptions options_;
  Dialer& dialer_;
  Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Beacon> last_;
  bool stopping_ = false;
  std::thread thread_;
};

// The beacon of a Redis target, or of the server that it stands by for; nothing when the plan gives it none.
std::optional<std::string> beacon_key_of(const PlanLookup& lookup, const plan::Target& target);

// One for each primary of the plan with a beacon, at the addresses that `lookup` gives. Errors: a reference that cannot
// be read.
Result<std::vector<std::unique_ptr<BeaconWriter>>> start_beacons(const plan::Plan& plan, const PlanLookup& lookup,
                                                                 Dialer& dialer, Clock& clock);

}  // namespace anclora::respond
