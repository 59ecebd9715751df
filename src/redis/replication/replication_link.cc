#include "redis/replication/replication_link.h"

#include <algorithm>

namespace anclora::redis {
namespace {

// After stop(): the source has nothing more for us when it was silent this long; and no longer than this in all.
constexpr Duration kQuiet = std::chrono::milliseconds(20);
constexpr Duration kLastReads = std::chrono::milliseconds(200);

// Calls the sink's method for one action; actions of the link itself are ok.
struct ToSink {
  ReplicaSink& sink;
  Bytes& buffer;
  Status operator()(const SendBytes&) const { return {}; }
  Status operator()(const FullResyncStarted& started) const { return sink.on_base_started(started); }
  Status operator()(const BaseBytes& base) const { return sink.on_base_bytes(base.bytes); }
  Status operator()(const BaseComplete&) const { return sink.on_base_complete(); }
  Status operator()(const ContinueAccepted& accepted) const { return sink.on_continue(accepted); }
  Status operator()(const StreamBytes& stream) const {
    const bool whole = stream.bytes.data() == buffer.data() && stream.bytes.size() == buffer.size();
    return whole ? sink.on_stream_buffer(buffer, stream.first) : sink.on_stream_bytes(stream.bytes, stream.first);
  }
  Status operator()(const Refused& refused) const { return refused.error; }
};

Status ok_when_cancelled(const Status& status) {
  if (!status && status.error().kind() == ErrorKind::kCancelled) return {};
  return status;
}

}  // namespace

ReplicationLink::ReplicationLink(std::unique_ptr<Connection> connection, FollowerOptions follower, Clock& clock,
                                 ReplicationLinkOptions options)
    : connection_(std::move(connection)), follower_(std::move(follower)), clock_(clock), options_(options) {}

Status ReplicationLink::run(ReplicaSink& sink) {
  FollowerActions actions;
  follower_.start(clock_.mono_now(), actions);
  Status status = perform(actions, sink);
  while (status) {
    actions.clear();
    std::optional<Durable> durable;
    {
      const std::lock_guard lock(mutex_);
      if (stop_) break;
      durable = std::exchange(to_acknowledge_, std::nullopt);
    }
    const MonoTime now = clock_.mono_now();
    if (durable) follower_.acknowledge(durable->offset, durable->fack, now, actions);
    follower_.tick(now, actions);
    status = perform(actions, sink);
    if (status) status = read_and_receive(sink);
  }
  if (status) status = take_what_came(sink);
  return ok_when_cancelled(status);
}

Status ReplicationLink::take_what_came(ReplicaSink& sink) {
  const MonoTime until = clock_.mono_now() + kLastReads;
  while (follower_.phase() == Follower::Phase::kStream && clock_.mono_now() < until) {
    buffer_.clear();
    auto count = connection_->read_some(buffer_, options_.read_bytes, kQuiet);
    if (!count && count.error().kind() == ErrorKind::kCancelled)  // the interrupt of stop(), too late for its read
      count = connection_->read_some(buffer_, options_.read_bytes, kQuiet);
    if (!count || *count == 0) break;
    FollowerActions actions;
    follower_.receive(buffer_, clock_.mono_now(), actions);
    RETURN_IF_ERROR(perform(actions, sink));
  }
  return {};
}

Status ReplicationLink::read_and_receive(ReplicaSink& sink) {
  buffer_.clear();
  const auto count = wait_for_bytes();
  FollowerActions actions;
  if (count && *count > 0) {
    const MonoTime now = clock_.mono_now();
    heard_us_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    follower_.receive(buffer_, now, actions);
  } else if (count) {
    follower_.closed(actions);
  } else if (count.error().kind() != ErrorKind::kDeadlineExceeded && count.error().kind() != ErrorKind::kCancelled) {
    return count.error();
  }
  return perform(actions, sink);
}

Result<std::size_t> ReplicationLink::wait_for_bytes() {
  {
    const std::lock_guard lock(mutex_);
    if (stop_ || to_acknowledge_) return Error(ErrorKind::kCancelled, "woken");
    reading_ = true;
  }
  const Duration wait = std::max<Duration>(follower_.next_tick() - clock_.mono_now(), Duration::zero());
  auto count = connection_->read_some(buffer_, options_.read_bytes, wait);
  const std::lock_guard lock(mutex_);
  reading_ = false;
  return count;
}

Status ReplicationLink::perform(const FollowerActions& actions, ReplicaSink& sink) {
  for (const FollowerAction& action : actions) {
    if (const auto* send = std::get_if<SendBytes>(&action)) {
      RETURN_IF_ERROR(write(send->bytes));
      continue;
    }
    const auto* stream = std::get_if<StreamBytes>(&action);
    const std::size_t size = stream != nullptr ? stream->bytes.size() : 0;  // its bytes may be the sink's afterwards
    RETURN_IF_ERROR(std::visit(ToSink{sink, buffer_}, action));
    if (stream != nullptr) {
      received_.store((stream->first + size - 1).value, std::memory_order_release);
    } else if (const auto* started = std::get_if<FullResyncStarted>(&action)) {
      received_.store(started->offset.value, std::memory_order_release);
    } else if (const auto* accepted = std::get_if<ContinueAccepted>(&action)) {
      received_.store(accepted->offset.value, std::memory_order_release);
    }
  }
  return {};
}

Status ReplicationLink::write(ByteView bytes) {
  Status status = connection_->write_all(bytes, options_.write_timeout);
  // An interrupt that came too late for the read it was meant for: taken before a byte is written, and only once, since
  // none is sent while nobody reads.
  if (!status && status.error().kind() == ErrorKind::kCancelled) {
    status = connection_->write_all(bytes, options_.write_timeout);
  }
  return status;
}

void ReplicationLink::wake_reader() {
  if (!reading_) return;
  reading_ = false;
  connection_->interrupt();
}

void ReplicationLink::acknowledge(Offset durable, std::optional<Offset> fack) {
  const std::lock_guard lock(mutex_);
  to_acknowledge_ = Durable{durable, fack};
  wake_reader();
}

void ReplicationLink::stop() {
  const std::lock_guard lock(mutex_);
  stop_ = true;
  wake_reader();
}

}  // namespace anclora::redis
