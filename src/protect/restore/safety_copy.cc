#include "protect/restore/safety_copy.h"

#include <fmt/format.h>

#include "base/printable.h"
#include "redis/client/client.h"
#include "redis/replication/follower.h"
#include "storage/repository/pin.h"

namespace anclora::protect {
namespace {

constexpr Duration kReadSlice = std::chrono::milliseconds(500);
constexpr Duration kWriteTimeout = std::chrono::seconds(30);
constexpr storage::TimelineId kTimeline{1};

// Drives a Follower through one full resynchronisation.
class FullCopy {
 public:
  FullCopy(Connection& link, redis::FollowerOptions options, Clock& clock, const OnRestoreProgress& on_progress)
      : link_(link), follower_(std::move(options)), clock_(clock), on_progress_(on_progress) {}

  using Begin = std::function<Result<std::unique_ptr<BasePublisher>>(const redis::FullResyncStarted&)>;

  Status run(const Begin& begin) {
    begin_ = begin;
    redis::FollowerActions actions;
    follower_.start(clock_.mono_now(), actions);
    Bytes buffer;
    while (true) {
      for (redis::FollowerAction& action : actions)
        RETURN_IF_ERROR(std::visit([&](auto& each) { return take(each); }, action));
      if (complete_) return {};
      actions.clear();
      buffer.clear();
      const auto size = link_.read_some(buffer, kMiB, kReadSlice);
      if (size.has_value() && *size == 0) {
        follower_.closed(actions);
      } else if (size.has_value()) {
        follower_.receive(buffer, clock_.mono_now(), actions);
      } else if (size.error().kind() != ErrorKind::kDeadlineExceeded) {
        return Error(size.error());
      }
      if (clock_.mono_now() >= follower_.next_tick()) follower_.tick(clock_.mono_now(), actions);
    }
  }

  BasePublisher* publisher() { return publisher_.get(); }
  const redis::FullResyncStarted& started() const { return started_; }

 private:
  Status take(redis::SendBytes& send) { return link_.write_all(send.bytes, kWriteTimeout); }
  Status take(redis::FullResyncStarted& started) {
    started_ = started;
    ASSIGN_OR_RETURN(publisher_, begin_(started));
    return {};
  }
  Status take(redis::BaseBytes& base) {
    copied_ += base.bytes.size();
    if (on_progress_) on_progress_({"safety copy", copied_, started_.length_bytes.value_or(0)});
    return publisher_->write(base.bytes);
  }
  Status take(redis::BaseComplete&) {
    complete_ = true;
    return {};
  }
  Status take(redis::ContinueAccepted&) {
    return Error(ErrorKind::kInternal, "the target continued a stream that was not asked for");
  }
  Status take(redis::StreamBytes&) { return {}; }
  Status take(redis::Refused& refused) { return refused.error; }

  Connection& link_;
  redis::Follower follower_;
  Clock& clock_;
  const OnRestoreProgress& on_progress_;
  Begin begin_;
  std::unique_ptr<BasePublisher> publisher_;
  redis::FullResyncStarted started_;
  std::uint64_t copied_ = 0;
  bool complete_ = false;
};

storage::TimelineState timeline_of(const storage::BaseInfo& base, const std::string& replication_id, WallTime now) {
  storage::TimelineState timeline;
  timeline.id = kTimeline;
  timeline.origin.kind = storage::OriginKind::kFirst;
  timeline.origin.reason = "a copy of a target, taken before its data was replaced";
  timeline.replication_id = replication_id;
  timeline.start = timeline.first_kept = base.offset;
  timeline.opened = now;
  return timeline;
}

// The checkpoint that makes it count, and the pin that says until when it is kept.
Status announce(storage::AppendStore& store, const storage::Repository& repository, const SafetyCopy& copy,
                const storage::TimelineState& timeline, const std::string& url, const RestoreTools& tools) {
  storage::CheckpointDelta delta;
  delta.url = url;
  delta.opened.push_back(timeline);
  delta.bases.push_back(copy.base);
  const auto ordinal =
      storage::write_checkpoint(store, repository, copy.source, delta, tools.clock, tools.random, true);
  if (!ordinal.has_value()) return Error(ordinal.error());
  storage::Pin pin;
  pin.name = "safety";
  pin.position = {kTimeline, copy.base.offset};
  pin.time = copy.base.time;
  pin.created = tools.clock.wall_now();
  pin.expires = pin.created + kSafetyCopyKept;
  pin.note = timeline.origin.reason;
  return storage::write_pin(store, repository, copy.source, pin, tools.random);
}

Result<redis::FollowerOptions> follower_options(const redis::RedisUrl& target, Dialer& dialer, Clock& clock) {
  ASSIGN_OR_RETURN(auto client, redis::Client::connect(target, dialer, clock));
  ASSIGN_OR_RETURN(const redis::Info info, client->info());
  redis::FollowerOptions options;
  options.user = target.user;
  options.password = target.password;
  options.announced_version = info.announced_version();
  return options;
}

}  // namespace

std::string safety_name(const Endpoint& endpoint, WallTime now) {
  const std::string text = fmt::format("{}-{}", endpoint.host, endpoint.port);
  std::string name;
  for (const char letter : text) {
    if (name.size() >= 40) break;
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '_';
    if (letter >= 'A' && letter <= 'Z') {
      name += static_cast<char>(letter - 'A' + 'a');
    } else if (plain) {
      name += letter;
    } else if (!name.empty() && !name.ends_with('-')) {
      name += '-';
    }
  }
  if (name.empty() || name.front() == '_') name.insert(0, "target");
  if (!name.ends_with('-')) name += '-';
  // To the millisecond: a restore that was killed and given again at once must not meet its own copy.
  for (const char letter : format_rfc3339(now).substr(0, 23)) {
    if (letter == '-' || letter == ':' || letter == '.') continue;
    name += letter == 'T' ? 't' : letter;
  }
  return "safety/" + name + "z";
}

Result<SafetyCopy> take_safety_copy(storage::AppendStore& store, const storage::Repository& repository,
                                    const redis::RedisUrl& target, Dialer& dialer, const std::string& work_directory,
                                    const RestoreTools& tools, const OnRestoreProgress& on_progress) {
  ASSIGN_OR_RETURN(redis::FollowerOptions options, follower_options(target, dialer, tools.clock));
  ASSIGN_OR_RETURN(auto link, dialer.dial(target.endpoint, target.tls_or_null(), std::chrono::seconds(10)));
  SafetyCopy copy;
  const WallTime now = tools.clock.wall_now();
  copy.source = safety_name(target.endpoint, now);
  FullCopy full(*link, std::move(options), tools.clock, on_progress);
  const auto begin = [&](const redis::FullResyncStarted& started) {
    const BasePlace place{copy.source, {kTimeline, started.offset}, now, 0, "safety"};
    return BasePublisher::begin(store, repository, place, work_directory, tools);
  };
  Status status = full.run(begin);
  if (!status.has_value())
    return Error(std::move(status).error()).with_context("cannot take a safety copy of the target");
  ASSIGN_OR_RETURN(copy.base, full.publisher()->finish());
  const storage::TimelineState timeline = timeline_of(copy.base, full.started().replid, now);
  RETURN_IF_ERROR(announce(store, repository, copy, timeline, target.to_string(), tools));
  copy.restore_command = fmt::format("anclora restore --repo {} --name {} --at latest --to {} --replace",
                                     shell_word(store.describe()), copy.source, shell_word(target.to_string()));
  return copy;
}

}  // namespace anclora::protect
