#include "redis/replication/feeder_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "redis/replication/feeder_link.h"

namespace anclora::redis {
namespace {

constexpr std::size_t kLinksLimit = 8;
constexpr int kRefusedBasesLimit = 2;

}  // namespace

FeederState::FeederState(FeedSource& feed, Clock& feed_clock, FeederOptions feed_options, FeederIdentity feed_identity)
    : source(feed),
      clock(feed_clock),
      options(std::move(feed_options)),
      identity(std::move(feed_identity)),
      resumable_up_to_(identity.base_offset) {
  progress_.base_offset = progress_.sent = identity.base_offset;
  progress_.base_size_bytes = source.base_size_bytes();
}

bool FeederState::add(FeederLink& link) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || links_.size() >= kLinksLimit) return false;
  links_.insert(&link);
  return true;
}

void FeederState::remove(FeederLink& link) {
  const std::lock_guard lock(mutex_);
  links_.erase(&link);
  if (target_ == &link) target_ = nullptr;
  changed_.notify_all();
}

Status FeederState::count_full_sync() {
  ++progress_.full_syncs;
  if (base_unconfirmed_) ++bases_refused_;
  base_unconfirmed_ = false;
  if (bases_refused_ < kRefusedBasesLimit && progress_.full_syncs <= options.full_syncs_limit) return {};
  failure_ = Error(
      ErrorKind::kFailedPrecondition,
      fmt::format("the target asked for everything {} times and does not get through loading it", progress_.full_syncs),
      "its log says why: RDB version, modules, number of databases, memory or disk space");
  changed_.notify_all();
  return *failure_;
}

Status FeederState::become_target(FeederLink& link, const SyncRequest& request) {
  std::unique_lock lock(mutex_);
  while (target_ != nullptr && !stopping_) {
    target_->cut();
    changed_.wait(lock);
  }
  if (stopping_) return Error(ErrorKind::kCancelled, "asked to stop");
  if (failure_) return *failure_;
  if (request.full) {
    RETURN_IF_ERROR(count_full_sync());
    progress_.acknowledged.reset();
    progress_.base_sent_bytes = 0;
  } else {
    ++progress_.continuations;
  }
  progress_.sent = request.after;
  target_ = &link;
  return {};
}

void FeederState::release(FeederLink& link) {
  const std::lock_guard lock(mutex_);
  if (target_ != &link) return;
  target_ = nullptr;
  progress_.stage = FeederProgress::Stage::kWaiting;
  changed_.notify_all();
}

void FeederState::refuse_peer(const std::string& address) {
  const std::lock_guard lock(mutex_);
  ++progress_.refused_peers;
  progress_.last_refused_peer = address;
}

void FeederState::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  for (FeederLink* link : links_) link->cut();
  changed_.notify_all();
}

bool FeederState::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

FeederProgress FeederState::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

std::optional<Error> FeederState::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void FeederState::fail(Error error) {
  const std::lock_guard lock(mutex_);
  if (!failure_) failure_ = std::move(error);
  changed_.notify_all();
}

void FeederState::note_link_error(const Error& error) {
  const std::lock_guard lock(mutex_);
  progress_.last_link_error = error;
}

void FeederState::note_target(const std::string& address, const TargetFacts& facts) {
  const std::lock_guard lock(mutex_);
  progress_.target_address = address;
  progress_.target = facts;
}

void FeederState::note_stage(FeederProgress::Stage stage) {
  const std::lock_guard lock(mutex_);
  progress_.stage = stage;
  if (stage == FeederProgress::Stage::kLoading) base_unconfirmed_ = true;
}

void FeederState::note_base_sent(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  progress_.base_sent_bytes = bytes;
}

void FeederState::note_stream_sent(Offset offset) {
  const std::lock_guard lock(mutex_);
  progress_.sent = offset;
}

void FeederState::go_on() {
  const std::lock_guard lock(mutex_);
  ++round_;
  progress_.end.reset();
  if (progress_.stage == FeederProgress::Stage::kAllSent) progress_.stage = FeederProgress::Stage::kStream;
  changed_.notify_all();
}

std::uint64_t FeederState::round() const {
  const std::lock_guard lock(mutex_);
  return round_;
}

void FeederState::note_end(Offset offset, std::uint64_t round) {
  const std::lock_guard lock(mutex_);
  if (round != round_) return;
  progress_.end = offset;
  if (!base_unconfirmed_) progress_.stage = FeederProgress::Stage::kAllSent;
  changed_.notify_all();
}

Status FeederState::note_acknowledged(Offset offset) {
  const std::lock_guard lock(mutex_);
  if (offset > resumable_up_to_) {
    failure_ =
        Error(ErrorKind::kDataLoss, fmt::format("the target acknowledges offset {}, but was sent no more than {}",
                                                offset.value, resumable_up_to_.value));
    changed_.notify_all();
    return *failure_;
  }
  if (std::exchange(base_unconfirmed_, false))
    progress_.stage = progress_.end ? FeederProgress::Stage::kAllSent : FeederProgress::Stage::kStream;
  progress_.acknowledged = std::max(progress_.acknowledged.value_or(offset), offset);
  changed_.notify_all();
  return {};
}

void FeederState::allow_resume_up_to(Offset offset) {
  const std::lock_guard lock(mutex_);
  resumable_up_to_ = std::max(resumable_up_to_, offset);
}

Offset FeederState::resumable_up_to() const {
  const std::lock_guard lock(mutex_);
  return resumable_up_to_;
}

Error FeederState::not_in_time(std::optional<Offset> offset, const std::string& listening_at) const {
  if (progress_.full_syncs + progress_.continuations == 0) {
    const std::string refused =
        progress_.refused_peers > 0 ? fmt::format("; refused: {}", progress_.last_refused_peer) : "";
    const std::string last =
        progress_.last_link_error ? fmt::format("; last: {}", progress_.last_link_error->message()) : "";
    return Error(ErrorKind::kDeadlineExceeded,
                 fmt::format("the target did not connect to {} in time{}{}", listening_at, refused, last),
                 "the target dials us: give --listen an address that it can reach, and open the firewall");
  }
  const std::string wanted = offset ? std::to_string(offset->value) : "the end";
  return Error(
      ErrorKind::kDeadlineExceeded,
      fmt::format("the target has not acknowledged {} in time: base {} of {} bytes sent, stream sent up to {}, "
                  "acknowledged {}",
                  wanted, progress_.base_sent_bytes, progress_.base_size_bytes, progress_.sent.value,
                  progress_.acknowledged ? std::to_string(progress_.acknowledged->value) : "nothing"));
}

Status FeederState::wait_until_acknowledged(std::optional<Offset> offset, Duration timeout,
                                            const std::string& listening_at) {
  std::unique_lock lock(mutex_);
  const auto done = [&] {
    const std::optional<Offset> wanted = offset ? offset : progress_.end;
    return wanted && progress_.acknowledged && *progress_.acknowledged >= *wanted;
  };
  changed_.wait_for(lock, timeout, [&] { return done() || failure_ || stopping_; });
  if (done()) return {};
  if (failure_) return *failure_;
  if (stopping_) return Error(ErrorKind::kCancelled, "asked to stop");
  return not_in_time(offset, listening_at);
}

}  // namespace anclora::redis
