#include "protect/restore/live_wait.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "protect/restore/key_sample.h"

namespace anclora::protect {
namespace {

constexpr Duration kPoll = std::chrono::milliseconds(5);
// Once all is sent each pause is a part of the time to recovery; a target that takes long is asked less and less often.
constexpr Duration kShortestPoll = std::chrono::milliseconds(1);
constexpr Duration kLongestPoll = std::chrono::milliseconds(50);
constexpr Duration kTellEvery = std::chrono::milliseconds(200);
constexpr Duration kLookEvery = std::chrono::seconds(2);

}  // namespace

void LiveWait::look_for_key_counts(RestoreInput input) {
  if (parts_.options.compare_keys) {
    auto found = find_key_counts(std::move(input));
    if (found.has_value()) key_counts_ = std::move(*found);
  }
  go_on(key_counts_ ? std::optional(key_counts_->offset) : std::nullopt);
}

void LiveWait::go_on(std::optional<redis::Offset> stop) {
  parts_.source.stop_at(stop);
  parts_.feeder.go_on();
}

// The target stands where the source counted: its own counts must be the same.
Status LiveWait::compare_key_counts() {
  const std::string place = storage::to_string({parts_.plan.point.position.timeline, key_counts_->offset});
  ASSIGN_OR_RETURN(redis::Client * client, parts_.link.client());
  ASSIGN_OR_RETURN(const redis::Info info, client->info("keyspace"));
  std::map<std::uint32_t, std::pair<std::uint64_t, std::uint64_t>> counts;  // the source's, the target's
  for (const auto& one : key_counts_->databases) counts[one.database].first = one.keys;
  for (const redis::Keyspace& one : info.keyspaces()) counts[one.database].second = one.keys;
  for (const auto& [database, keys] : counts) {
    if (keys.first == keys.second) continue;
    return Error(ErrorKind::kDataLoss,
                 fmt::format("{} holds {} keys in database {} at {}, the source held {} there", parts_.name,
                             keys.second, database, place, keys.first),
                 "its log may say which keys it dropped or did not load; to promote it all the same: "
                 "--ignore-key-counts");
  }
  compared_at_ = place;
  return {};
}

Error LiveWait::not_reached(const redis::FeederProgress& progress) const {
  std::string why = progress.last_link_error ? ": " + progress.last_link_error->message() : std::string();
  if (progress.refused_peers != 0) why = fmt::format(": a connection from {} was refused", progress.last_refused_peer);
  return Error(ErrorKind::kUnavailable,
               fmt::format("{} did not reach us at {} within {}{}", parts_.name, parts_.announced.to_string(),
                           format_duration(parts_.options.dial_timeout), why),
               "the target connects to us: open the way, or give the address by which it reaches this machine: "
               "--listen HOST:PORT; or restore with --to dir:PATH on the target's machine");
}

Status LiveWait::until_there() {
  const MonoTime begin = parts_.tools.clock.mono_now();
  MonoTime told = begin;
  MonoTime looked = begin;
  std::optional<MonoTime> all_sent_since;
  while (true) {
    if (auto failure = parts_.feeder.failure()) return *failure;
    const redis::FeederProgress progress = parts_.feeder.progress();
    const MonoTime now = parts_.tools.clock.mono_now();
    if (progress.end && progress.acknowledged && *progress.acknowledged >= *progress.end) {
      if (!parts_.source.stopped()) return {};
      RETURN_IF_ERROR(compare_and_go_on());
      continue;
    }
    if (progress.full_syncs == 0 && now - begin > parts_.options.dial_timeout) return not_reached(progress);
    if (now - begin > parts_.options.timeout) return too_long(progress);
    if (parts_.tools.is_cancelled())
      return Error(ErrorKind::kCancelled, "stopped before " + parts_.name + " held the point");
    if (now - told > kTellEvery) {
      tell_feed_progress(parts_.source, parts_.plan, parts_.on_progress);
      told = now;
    }
    const bool all_sent = progress.end.has_value();
    if (!all_sent)
      all_sent_since.reset();
    else if (!all_sent_since)
      all_sent_since = now;
    if (all_sent || now - looked > kLookEvery) {
      looked = now;
      RETURN_IF_ERROR(parts_.link.look());
      if (const auto other = parts_.link.follows_other_than(parts_.announced)) return left_us(*other);
      // It acknowledges once a second; its own word is heard sooner.
      if (all_sent && parts_.link.replica_offset() == progress.end) {
        if (!parts_.source.stopped()) return {};
        RETURN_IF_ERROR(compare_and_go_on());
      }
    }
    parts_.tools.clock.sleep_for(
        all_sent ? std::clamp<Duration>((now - *all_sent_since) / 16, kShortestPoll, kLongestPoll) : kPoll);
  }
}

Error LiveWait::left_us(const std::string& how) {
  left_ = true;
  return {ErrorKind::kFailedPrecondition, fmt::format("{} does not follow us any more: {}", parts_.name, how),
          "find out who did it (a supervisor that starts it again, a Sentinel, an operator); it may hold a part of the "
          "restored data: restore again, with --replace where it is not empty"};
}

Status LiveWait::compare_and_go_on() {
  RETURN_IF_ERROR(compare_key_counts());
  go_on(std::nullopt);
  return {};
}

Error LiveWait::too_long(const redis::FeederProgress& progress) const {
  return Error(ErrorKind::kDeadlineExceeded,
               fmt::format("{} was not done within {}: {}, {} of the base sent", parts_.name,
                           format_duration(parts_.options.timeout), redis::to_string(progress.stage),
                           format_size(progress.base_sent_bytes)));
}

}  // namespace anclora::protect
