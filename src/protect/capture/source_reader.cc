#include "protect/capture/source_reader.h"

#include <fmt/core.h>

#include <utility>

#include "protect/capture/side_data.h"
#include "redis/client/client.h"

namespace anclora::protect {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kConnectTimeout = seconds(5);
constexpr Duration kPoll = milliseconds(50);
constexpr Duration kStable = seconds(30);  // an attachment that streams this long was no failure
constexpr Duration kCaughtUp = seconds(1);
constexpr Duration kLoopWindow = minutes(10);
constexpr std::size_t kLoopCount = 3;
constexpr Duration kLoopWait = minutes(1);
constexpr Duration kLoopLongest = minutes(5);
// A source that is down or loads its data feels nothing of being asked, and is to be protected again once it is back.
constexpr Duration kLongestUnreached = seconds(3);
// A read takes up to this; so large are the buffers that go round.
constexpr std::size_t kReadBytes = kMiB;
// What comes is gathered: fewer, larger pieces cost a fraction of the time, here, at the encoder and at the source. The
// stream of a busy source is gathered for longer, until a buffer is nearly full: about what is compressed at once.
constexpr Duration kGather = milliseconds(2);
constexpr std::size_t kBusyRead = 32 * kKiB;
constexpr Duration kGatherBusy = milliseconds(8);

constexpr std::string_view kLoopHint =
    "a third full synchronisation within 10 minutes: the source drops capture before it has caught up, or keeps too "
    "little\n"
    "of its stream for the cuts of the link; on the source:\n"
    "  CONFIG SET client-output-buffer-limit \"replica 2gb 1gb 300\"\n"
    "  CONFIG SET repl-backlog-size 256mb";

bool no_retry_helps(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::kUnauthenticated:
    case ErrorKind::kPermissionDenied:
    case ErrorKind::kInvalidArgument:
    case ErrorKind::kFailedPrecondition:
    case ErrorKind::kUnsupported:
      return true;
    default:
      return false;
  }
}

}  // namespace

SourceReader::SourceReader(Context context)
    : context_(std::move(context)),
      backoff_(milliseconds(100), seconds(30)),
      unreached_(milliseconds(100), kLongestUnreached) {}

Status SourceReader::run() {
  while (!stopping_) {
    if (const auto why = context_.state.paused()) {
      context_.state.set_link(LinkState::kPaused, why->message() + "; " + why->hint());
      wait(kPoll);
      continue;
    }
    streaming_ = false;
    Status ended = attach();
    if (stopping_) break;
    if (const auto dropped = context_.state.dropped(attachment_)) ended = *dropped;
    if (!ended && !accepted_ && no_retry_helps(ended.error())) return ended;
    if (!ended) context_.state.failed(ended.error());
    pause_before_next(ended, streaming_ ? context_.clock.mono_now() - streaming_since_ : Duration::zero());
  }
  return {};
}

void SourceReader::stop() {
  stopping_ = true;
  const std::lock_guard lock(link_mutex_);
  if (link_) link_->stop();
}

void SourceReader::acknowledge_answered() {
  {
    const std::lock_guard lock(link_mutex_);
    answered_ = true;
  }
  acknowledge();
}

void SourceReader::acknowledge() {
  // Under the lock: an offset of before a full sync must not overtake the one of after it.
  const std::lock_guard lock(link_mutex_);
  const redis::Offset durable = context_.state.acknowledged();
  // Before the source's answer nobody knows whether what is durable is of its history: the link would tell it at once.
  if (link_ && answered_) link_->acknowledge(durable, fack_ ? std::optional(durable) : std::nullopt);
}

bool SourceReader::wait(Duration duration) {
  const MonoTime until = context_.clock.mono_now() + duration;
  while (!stopping_ && context_.clock.mono_now() < until) {
    beat();
    context_.clock.sleep_for(std::min<Duration>(kPoll, until - context_.clock.mono_now()));
  }
  return !stopping_;
}

bool SourceReader::full_sync_loop(MonoTime now) {
  std::erase_if(full_syncs_, [&](MonoTime when) { return now - when > kLoopWindow; });
  return full_syncs_.size() >= kLoopCount;
}

void SourceReader::pause_before_next(const Status& ended, Duration attached_for) {
  const MonoTime now = context_.clock.mono_now();
  const std::string why = ended ? "the source closed the link" : ended.error().message();
  if (streaming_) caught_up_ = attached_for >= kCaughtUp;
  if (attached_for >= kStable) {
    full_syncs_.clear();
    backoff_.succeed();
  }
  if (full_sync_loop(now)) {
    Duration duration = kLoopWait;
    for (std::size_t i = kLoopCount; i < full_syncs_.size() && duration < kLoopLongest; ++i) duration *= 2;
    context_.state.set_link(LinkState::kCannotKeepUp, fmt::format("{}\n{}", why, kLoopHint));
    wait(std::min(duration, kLoopLongest));
    return;
  }
  context_.state.set_link(LinkState::kWaiting, why);
  if (reached_) unreached_.succeed();
  Backoff& backoff = reached_ ? backoff_ : unreached_;
  wait(backoff.fail(now, context_.random) - now);
}

Result<redis::Info> SourceReader::ask_info() {
  ASSIGN_OR_RETURN(
      const auto client,
      redis::Client::connect(context_.url, context_.dialer, context_.clock,
                             {.connect_timeout = kConnectTimeout, .command_timeout = seconds(10), .limits = {}}));
  // Before the base, while there is time; later ones are described by the SourceMonitor.
  if (!context_.state.resume()) {
    if (auto side = collect_side_data(*client, context_.mask_secrets)) context_.state.set_side_data(std::move(*side));
  }
  return client->info();
}

std::optional<redis::Offset> SourceReader::fork_point(const redis::Info& info, const redis::ResumePoint& resume) {
  const auto second = info.second_offset();
  if (info.replid() == resume.replid || info.replid2() != resume.replid || !second) return std::nullopt;
  // second_repl_offset is the first offset that the old id does not name any more.
  if (resume.last_received < *second) return std::nullopt;
  return *second - 1;
}

Status SourceReader::attach() {
  beat();
  ++attachment_;
  reached_ = false;
  context_.state.set_link(LinkState::kConnecting);
  auto info = ask_info();
  // A user who may replicate need not be allowed INFO.
  if (!info && info.error().kind() != ErrorKind::kPermissionDenied) return info.error();
  if (info && info->loading()) return Error(ErrorKind::kUnavailable, "the source is loading its data");
  reached_ = true;
  std::optional<redis::ResumePoint> resume = context_.state.resume();
  fork_.reset();
  if (info && resume) {
    if (const auto fork = fork_point(*info, *resume)) {
      auto state = context_.forks.state_at(*fork);
      if (!state && retry_class(state.error().kind()) == RetryClass::kRetry) return state.error();
      if (state) {
        fork_ = std::move(*state);
        resume = redis::ResumePoint{info->replid(), *fork};
      }
    }
  }
  const Status ended = follow(info ? std::optional(std::move(*info)) : std::nullopt, std::move(resume));
  // From where to go on is known once the encoder took everything of this attachment.
  SourceEvent lost{attachment_, LinkLost{}};
  context_.events.push(lost, 0, Duration::zero());
  std::optional<redis::ResumePoint> settled;
  while (!stopping_ && !context_.state.wait_for_resume(attachment_, kPoll, settled)) beat();
  return ended;
}

Status SourceReader::follow(const std::optional<redis::Info>& info, std::optional<redis::ResumePoint> resume) {
  ASSIGN_OR_RETURN(auto connection,
                   context_.dialer.dial(context_.url.endpoint, context_.url.tls_or_null(), kConnectTimeout));
  redis::FollowerOptions follower;
  follower.user = context_.url.user;
  follower.password = context_.url.password;
  follower.resume = resume;
  follower.acknowledge_received = context_.ack == AckMode::kReceived;
  if (info) {
    follower.announced_version = info->announced_version();
    const auto version = info->redis_version();
    const std::lock_guard lock(link_mutex_);
    fack_ = version && *version >= redis::Version{7, 2, 0};
  }
  if (info && info->offset()) context_.state.set_source_offset(*info->offset());
  context_.state.set_source_server(info ? redis::product_of(*info) : std::nullopt);
  resume_ = std::move(resume);
  redis::ReplicationLinkOptions options;
  options.read_bytes = kReadBytes;
  auto link =
      std::make_shared<redis::ReplicationLink>(std::move(connection), std::move(follower), context_.clock, options);
  {
    const std::lock_guard lock(link_mutex_);
    link_ = link;
    answered_ = false;
  }
  if (stopping_) link->stop();
  const Status ended = link->run(*this);
  const std::lock_guard lock(link_mutex_);
  link_.reset();
  return ended;
}

Status SourceReader::push(decltype(SourceEvent::what) what, std::size_t bytes) {
  SourceEvent event{attachment_, std::move(what)};
  beat();
  while (!context_.events.push(event, bytes, kPoll)) {
    beat();
    if (stopping_) return Error(ErrorKind::kCancelled, "stopping");
    if (const auto dropped = context_.state.dropped(attachment_)) return *dropped;
  }
  if (const auto dropped = context_.state.dropped(attachment_)) return *dropped;
  return {};
}

std::string SourceReader::full_sync_reason(const redis::FullResyncStarted& started) const {
  if (!resume_) return "no base was complete: the source was asked for a full synchronisation";
  if (started.replid == resume_->replid)
    return fmt::format("the source's backlog does not hold the byte after {} any more", resume_->last_received.value);
  return fmt::format("the source has another history ({} instead of {}): it was restarted, replaced or reset",
                     started.replid, resume_->replid);
}

Status SourceReader::on_base_started(const redis::FullResyncStarted& started) {
  accepted_ = true;
  // A source that was restarted or replaced after we had caught up: it is not that we cannot keep up.
  const bool restarted = std::exchange(synced_replid_, started.replid) != started.replid;
  if (restarted && std::exchange(caught_up_, false)) full_syncs_.clear();
  full_syncs_.push_back(context_.clock.mono_now());
  context_.state.set_link(LinkState::kFullSync);
  context_.state.full_sync_began(attachment_);
  RETURN_IF_ERROR(push(FullSyncBegan{started.replid, started.offset, full_sync_reason(started)}, 0));
  acknowledge_answered();
  return {};
}

Status SourceReader::on_base_bytes(ByteView bytes) { return push(BaseChunk{Bytes(bytes)}, bytes.size()); }

Status SourceReader::on_base_complete() {
  RETURN_IF_ERROR(push(BaseReceived{}, 0));
  context_.state.set_link(LinkState::kStreaming);
  streaming_ = true;
  streaming_since_ = context_.clock.mono_now();
  return {};
}

Status SourceReader::on_continue(const redis::ContinueAccepted& accepted) {
  accepted_ = true;
  context_.state.count(CaptureState::Count::kPartialSync);
  if (fork_) {
    context_.state.fork_began(attachment_);
    const std::string reason = fmt::format("a promoted replica that was behind: its history ({}) leaves ours after {}",
                                           accepted.replid, accepted.offset.value);
    RETURN_IF_ERROR(push(StreamForked{accepted.replid, *fork_, reason}, 0));
  } else {
    RETURN_IF_ERROR(push(StreamContinued{accepted.replid}, 0));
  }
  context_.state.set_link(LinkState::kStreaming);
  streaming_ = true;
  streaming_since_ = context_.clock.mono_now();
  acknowledge_answered();
  return {};
}

Status SourceReader::on_stream_bytes(ByteView bytes, redis::Offset) { return push_stream(Bytes(bytes)); }

// The encoder gives the buffer back. Of a small read only the bytes wait, not a whole buffer.
Status SourceReader::on_stream_buffer(Bytes& buffer, redis::Offset) {
  if (buffer.size() < kReadBytes / 8) return push_stream(Bytes(ByteView(buffer)));
  Bytes bytes = std::exchange(buffer, context_.events.spare());
  buffer.reserve(kReadBytes);
  return push_stream(std::move(bytes));
}

Status SourceReader::push_stream(Bytes bytes) {
  const std::size_t size = bytes.size();
  RETURN_IF_ERROR(push(StreamChunk{std::move(bytes), context_.clock.wall_now(), context_.clock.mono_now()}, size));
  if (size < kReadBytes / 4 * 3) context_.clock.sleep_for(size < kBusyRead ? kGather : kGatherBusy);
  return {};
}

}  // namespace anclora::protect
