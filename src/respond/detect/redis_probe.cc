#include "respond/detect/redis_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/address_lookup.h"
#include "redis/client/client.h"

namespace anclora::respond {
namespace {

Duration left(Clock& clock, MonoTime deadline) {
  return std::max(Duration(std::chrono::milliseconds(1)), deadline - clock.mono_now());
}

void say(Reading& reading, ProbeState state, std::string reason) {
  reading.state = state;
  reading.reason = std::move(reason);
}

// What an error of the connection says about the server itself.
ProbeState state_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUnavailable:
    case ErrorKind::kDeadlineExceeded:
      return ProbeState::kDown;
    default:
      return ProbeState::kUnknown;
  }
}

void keep_number(const redis::Info& info, std::string_view name, const std::string& fact, Reading& reading) {
  if (const auto number = info.number(name)) reading.facts[fact] = std::to_string(*number);
}

}  // namespace

RedisProbe::RedisProbe(RedisProbeOptions options, Dialer& dialer, Clock& clock)
    : options_(std::move(options)), dialer_(dialer), clock_(clock) {}

Reading RedisProbe::look(Duration timeout) {
  Reading reading;
  reading.at = clock_.wall_now();
  const MonoTime start = clock_.mono_now();
  const MonoTime deadline = start + timeout;
  if (auto found = look_up(options_.url.endpoint, false, deadline); !found.has_value()) {
    say(reading, ProbeState::kUnknown, "its name cannot be resolved here: " + found.error().message());
  } else {
    redis::ClientOptions client_options;
    client_options.connect_timeout = client_options.command_timeout = left(clock_, deadline);
    auto client = redis::Client::connect(options_.url, dialer_, clock_, client_options);
    if (!client.has_value())
      say(reading, state_of(client.error().kind()), client.error().message());
    else
      look_at(**client, deadline, reading);
  }
  reading.took = clock_.mono_now() - start;
  return reading;
}

void RedisProbe::look_at(redis::Client& client, MonoTime deadline, Reading& reading) {
  const std::vector<std::vector<std::string>> ask = {{"INFO"}};
  auto replies = client.pipeline(ask, left(clock_, deadline));
  if (!replies.has_value()) return say(reading, state_of(replies.error().kind()), replies.error().message());
  const redis::Reply& reply = replies->front();
  if (reply.is_error()) return say(reading, ProbeState::kUnknown, "INFO was refused: " + reply.text);
  if (!judge_info(redis::Info::parse(reply.text), reading)) return;
  reading.state = ProbeState::kUp;
  if (!options_.beacon_key.empty()) try_beacon(client, deadline, reading);
}

bool RedisProbe::judge_info(const redis::Info& info, Reading& reading) const {
  reading.facts["role"] = std::string(info.text("role").value_or(""));
  reading.facts["replid"] = info.replid();
  reading.facts["run_id"] = std::string(info.text("run_id").value_or(""));
  keep_number(info, "master_repl_offset", "offset", reading);
  keep_number(info, "connected_slaves", "replicas", reading);
  keep_number(info, "used_memory", "used_memory_bytes", reading);
  if (info.loading()) {
    keep_number(info, "loading_eta_seconds", "loading_seconds_left", reading);
    say(reading, ProbeState::kUnknown,
        fmt::format("it is loading its dataset, about {} s left", info.number("loading_eta_seconds").value_or(0)));
    return false;
  }
  const bool wrong = (options_.role == ExpectedRole::kPrimary && !info.is_primary()) ||
                     (options_.role == ExpectedRole::kReplica && !info.is_replica());
  if (wrong) {
    say(reading, ProbeState::kDown,
        info.is_replica() ? "it is a replica, not the primary" : "it is a primary, not a replica");
    return false;
  }
  if (!info.is_replica()) return true;
  const auto silent = std::chrono::seconds(info.number("master_last_io_seconds_ago").value_or(0));
  if (!info.link_up() || (options_.lag_limit > Duration::zero() && silent > options_.lag_limit)) {
    say(reading, ProbeState::kDown,
        info.link_up() ? fmt::format("it has heard nothing from its primary for {} s", silent.count())
                       : "its link to the primary is down");
    return false;
  }
  return true;
}

void RedisProbe::try_beacon(redis::Client& client, MonoTime deadline, Reading& reading) {
  const std::vector<std::vector<std::string>> get = {{"GET", options_.beacon_key}};
  auto stored = client.pipeline(get, left(clock_, deadline));
  if (!stored.has_value()) return say(reading, state_of(stored.error().kind()), stored.error().message());
  const redis::Reply& old = stored->front();
  if (old.is_error()) return say(reading, ProbeState::kUnknown, "the beacon cannot be read: " + old.text);
  if (!judge_beacon(old.is_null() ? std::nullopt : std::optional(old.text), reading)) return;

  const Beacon next{clock_.wall_now(), last_ ? last_->beat + 1 : 1};
  const MonoTime before = clock_.mono_now();
  const std::vector<std::vector<std::string>> set = {{"SET", options_.beacon_key, next.to_string()}};
  auto written = client.pipeline(set, left(clock_, deadline));
  if (!written.has_value())
    return say(reading, state_of(written.error().kind()), "a write does not return: " + written.error().message());
  const redis::Reply& answer = written->front();
  if (answer.is_error()) {
    const bool ours = answer.error_code() == "NOPERM" || answer.error_code() == "NOAUTH";
    return say(reading, ours ? ProbeState::kUnknown : ProbeState::kDown, "it refuses writes: " + answer.text);
  }
  last_ = next;
  reading.facts["beacon"] = next.to_string();
  reading.facts["write_ms"] = fmt::format("{:.1f}", static_cast<double>((clock_.mono_now() - before).count()) / 1000);
}

bool RedisProbe::judge_beacon(const std::optional<std::string>& stored, Reading& reading) {
  if (!stored) {
    if (!last_) return true;  // the first beat ever
    say(reading, ProbeState::kDown, "the beacon is gone: the dataset was emptied or replaced");
    return false;
  }
  auto beacon = Beacon::parse(*stored);
  if (!beacon.has_value()) {
    say(reading, ProbeState::kUnknown, beacon.error().message());
    return false;
  }
  // Several probes may share a beacon: a newer beat than ours is theirs. An older one is an older dataset.
  if (last_ && beacon->beat < last_->beat && beacon->at < last_->at) {
    say(reading, ProbeState::kDown,
        fmt::format("the beacon went back from beat {} to {}: an older dataset is being served", last_->beat,
                    beacon->beat));
    return false;
  }
  if (!last_ || beacon->beat > last_->beat) last_ = *beacon;
  return true;
}

}  // namespace anclora::respond
