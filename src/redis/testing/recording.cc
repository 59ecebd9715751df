#include "redis/testing/recording.h"

#include <stdexcept>
#include <utility>

#include "redis/replication/follower.h"

namespace anclora::redis {
namespace {

constexpr Duration kPoll = std::chrono::milliseconds(5);
constexpr int kPolls = 12'000;

}  // namespace

Recording::Recording(RedisServer& server) : server_(server) {
  auto connection = system_dialer().dial(server.url().endpoint, nullptr, std::chrono::seconds(60));
  if (!connection) throw std::runtime_error(connection.error().to_string());
  connection_ = std::move(*connection);
  thread_ = std::thread([this] { follow(); });
}

Recording::~Recording() {
  stopping_ = true;
  connection_->interrupt();
  if (thread_.joinable()) thread_.join();
}

void Recording::follow() {
  FollowerOptions options;
  options.acknowledge_received = true;
  Follower follower(options);
  FollowerActions actions;
  follower.start(system_clock().mono_now(), actions);
  while (!stopping_) {
    for (FollowerAction& action : actions) {
      const std::lock_guard lock(mutex_);
      if (auto* send = std::get_if<SendBytes>(&action))
        ignore_result(connection_->write_all(send->bytes, std::chrono::seconds(60)));  // a cut link shows on reading
      if (auto* started = std::get_if<FullResyncStarted>(&action)) base_offset_ = started->offset;
      if (auto* bytes = std::get_if<BaseBytes>(&action)) base_.append(bytes->bytes);
      if (std::get_if<BaseComplete>(&action) != nullptr) base_complete_ = true;
      if (auto* bytes = std::get_if<StreamBytes>(&action)) stream_.append(bytes->bytes);
      if (auto* refused = std::get_if<Refused>(&action)) failure_ = refused->error.to_string();
    }
    if (!failure_.empty()) return;
    actions.clear();
    Bytes chunk;
    const auto got = connection_->read_some(chunk, 256 * kKiB, std::chrono::milliseconds(100));
    const MonoTime now = system_clock().mono_now();
    if (got && *got == 0) follower.closed(actions);
    if (got && *got > 0) follower.receive(chunk, now, actions);
    follower.tick(now, actions);
    // The views in the actions live as long as the chunk.
    for (FollowerAction& action : actions) {
      const std::lock_guard lock(mutex_);
      if (auto* bytes = std::get_if<BaseBytes>(&action)) base_.append(std::exchange(bytes->bytes, {}));
      if (auto* bytes = std::get_if<StreamBytes>(&action)) stream_.append(std::exchange(bytes->bytes, {}));
    }
  }
}

Offset Recording::received() {
  const std::lock_guard lock(mutex_);
  if (!failure_.empty()) throw std::runtime_error("recording failed: " + failure_);
  return base_offset_ + stream_.size();
}

void Recording::wait_for_base() {
  for (int i = 0; i < kPolls; ++i) {
    {
      const std::lock_guard lock(mutex_);
      if (base_complete_) return;
    }
    ignore_result(Result<Offset>(received()));
    system_clock().sleep_for(kPoll);
  }
  throw std::runtime_error("recording: no base in time");
}

void Recording::finish() {
  wait_for_base();
  for (int i = 0; received() < server_.info("replication").offset().value_or(Offset{}); ++i) {
    if (i > kPolls) throw std::runtime_error("recording: the stream does not arrive");
    system_clock().sleep_for(kPoll);
  }
  stopping_ = true;
  connection_->interrupt();
  thread_.join();
}

Result<std::unique_ptr<ByteSource>> Recording::open_base() { return std::make_unique<MemoryByteSource>(base_); }

Result<std::unique_ptr<ByteSource>> Recording::open_stream(Offset after) {
  return std::make_unique<MemoryByteSource>(ByteView(stream_).substr(after - base_offset_));
}

}  // namespace anclora::redis
