#include "respond/detect/beacon_writer.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "plan/model/value_access.h"
#include "redis/client/client.h"

namespace anclora::respond {
namespace {

constexpr Duration kAnswerWithin = std::chrono::seconds(1);
constexpr Duration kShortestBeat = std::chrono::milliseconds(10);

}  // namespace

BeaconWriter::BeaconWriter(BeaconWriterOptions options, Dialer& dialer, Clock& clock)
    : options_(std::move(options)), dialer_(dialer), clock_(clock), thread_([this] { beat_on(); }) {}

BeaconWriter::~BeaconWriter() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::optional<Beacon> BeaconWriter::last() const {
  const std::scoped_lock lock(mutex_);
  return last_;
}

bool BeaconWriter::wait_for_beat(Duration at_most) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, at_most, [this] { return last_.has_value(); });
}

void BeaconWriter::beat_on() {
  std::unique_ptr<redis::Client> client;
  const Duration every = std::max(options_.every, kShortestBeat);
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    if (!beat(client)) client.reset();
    lock.lock();
    changed_.wait_for(lock, every, [this] { return stopping_; });
  }
}

bool BeaconWriter::beat(std::unique_ptr<redis::Client>& client) {
  if (client == nullptr) {
    auto connected = redis::Client::connect(options_.url, dialer_, clock_, {kAnswerWithin, kAnswerWithin, {}});
    if (!connected.has_value()) return false;
    client = std::move(*connected);
  }
  auto stored = client->command({"GET", options_.key});
  if (!stored.has_value()) return false;
  std::uint64_t beat = last() ? last()->beat : 0;
  // What is no beacon is somebody else's: it is left alone.
  if (!stored->is_null()) {
    const auto read = Beacon::parse(stored->text);
    if (!read.has_value()) return false;
    beat = std::max(beat, read->beat);
  }
  const Beacon next{clock_.wall_now(), beat + 1};
  if (!client->command({"SET", options_.key, next.to_string()}).has_value()) return false;
  const std::scoped_lock lock(mutex_);
  last_ = next;
  changed_.notify_all();
  return true;
}

std::optional<std::string> beacon_key_of(const PlanLookup& lookup, const plan::Target& target) {
  const plan::Value* beacon = target.settings.find("beacon");
  if (beacon == nullptr && !target.standby_of.empty())
    beacon = lookup.target(target.standby_of).settings.find("beacon");
  if (beacon == nullptr) return std::nullopt;
  return plan::text_of(*beacon, "key");
}

Result<std::vector<std::unique_ptr<BeaconWriter>>> start_beacons(const plan::Plan& plan, const PlanLookup& lookup,
                                                                 Dialer& dialer, Clock& clock) {
  std::vector<std::unique_ptr<BeaconWriter>> writers;
  for (const plan::Target& named : plan.targets) {
    if (named.kind != "redis") continue;
    const plan::Target& target = lookup.target(named.id);
    const plan::Value* beacon = target.settings.find("beacon");
    const bool serves = plan::text_of(target.settings, "role", "primary") == "primary";
    if (beacon == nullptr || !serves) continue;
    BeaconWriterOptions options;
    ASSIGN_OR_RETURN(options.url, redis_url_of(lookup, target));
    options.key = plan::text_of(*beacon, "key");
    if (const Duration every = plan::duration_of(*beacon, "every"); every > Duration::zero()) options.every = every;
    writers.push_back(std::make_unique<BeaconWriter>(std::move(options), dialer, clock));
  }
  return writers;
}

}  // namespace anclora::respond
