#include "protect/capture/capture_state.h"

#include <algorithm>
#include <utility>

namespace anclora::protect {

std::string_view to_string(LinkState state) {
  switch (state) {
    case LinkState::kStarting:
      return "starting";
    case LinkState::kConnecting:
      return "connecting";
    case LinkState::kFullSync:
      return "full sync";
    case LinkState::kStreaming:
      return "streaming";
    case LinkState::kWaiting:
      return "waiting";
    case LinkState::kPaused:
      return "paused";
    case LinkState::kCannotKeepUp:
      return "cannot keep up";
    case LinkState::kStopped:
      return "stopped";
  }
  return "unknown";
}

void CaptureState::set_link(LinkState link, std::string detail) {
  const std::lock_guard lock(mutex_);
  status_.link = link;
  status_.link_detail = std::move(detail);
}

void CaptureState::drop(Attachment attachment, Error why, bool pause) {
  const std::lock_guard lock(mutex_);
  if (pause) paused_why_ = why;
  status_.last_error = why.message();
  status_.last_error_time = clock_.wall_now();
  if (attachment <= dropped_up_to_) return;
  dropped_up_to_ = attachment;
  dropped_why_ = std::move(why);
}

std::optional<Error> CaptureState::dropped(Attachment attachment) const {
  const std::lock_guard lock(mutex_);
  return attachment <= dropped_up_to_ ? dropped_why_ : std::nullopt;
}

std::optional<Error> CaptureState::paused() const {
  const std::lock_guard lock(mutex_);
  return paused_why_;
}

void CaptureState::still_paused(Error why) {
  const std::lock_guard lock(mutex_);
  paused_why_ = std::move(why);
}

void CaptureState::resumed() {
  const std::lock_guard lock(mutex_);
  paused_why_.reset();
}

void CaptureState::set_resume(Attachment attachment, std::optional<redis::ResumePoint> resume) {
  const std::lock_guard lock(mutex_);
  resume_of_ = attachment;
  resume_ = std::move(resume);
  resume_set_.notify_all();
}

bool CaptureState::wait_for_resume(Attachment attachment, Duration timeout, std::optional<redis::ResumePoint>& resume) {
  std::unique_lock lock(mutex_);
  if (!resume_set_.wait_for(lock, timeout, [&] { return resume_of_ >= attachment; })) return false;
  resume = resume_;
  return true;
}

std::optional<redis::ResumePoint> CaptureState::resume() const {
  const std::lock_guard lock(mutex_);
  return resume_;
}

void CaptureState::set_received(redis::Offset received, std::uint64_t commands) {
  const std::lock_guard lock(mutex_);
  status_.commands_received += commands;
  status_.received = received;
}

void CaptureState::full_sync_began(Attachment attachment) {
  const std::lock_guard lock(mutex_);
  synced_ = attachment;
  ++status_.full_syncs;
}

void CaptureState::fork_began(Attachment attachment) {
  const std::lock_guard lock(mutex_);
  synced_ = attachment;
}

void CaptureState::only_pings_since(redis::Offset sealed_up_to, redis::Offset received) {
  const std::lock_guard lock(mutex_);
  pings_ = Pings{sealed_up_to, received};
}

void CaptureState::no_pings() {
  const std::lock_guard lock(mutex_);
  pings_.reset();
}

void CaptureState::timeline_opened(Attachment attachment, storage::TimelineId timeline) {
  const std::lock_guard lock(mutex_);
  opened_by_ = std::max(opened_by_, attachment);
  timeline_ = timeline;
}

redis::Offset CaptureState::acknowledged() const {
  const std::lock_guard lock(mutex_);
  const bool current = opened_by_ >= synced_ && newest_.timeline == timeline_;
  if (!current || !status_.base_complete) return {};
  return pings_ && pings_->from == newest_.offset ? pings_->to : newest_.offset;
}

void CaptureState::set_source_offset(redis::Offset offset) {
  const std::lock_guard lock(mutex_);
  source_offset_ = offset;
}

void CaptureState::set_source_server(std::optional<redis::Product> server) {
  const std::lock_guard lock(mutex_);
  source_server_ = server;
}

std::optional<redis::Product> CaptureState::source_server() const {
  const std::lock_guard lock(mutex_);
  return source_server_;
}

std::optional<redis::Offset> CaptureState::source_offset() const {
  const std::lock_guard lock(mutex_);
  return source_offset_;
}

void CaptureState::set_key_counts(std::string replid, storage::KeyCounts counts) {
  const std::lock_guard lock(mutex_);
  key_counts_replid_ = std::move(replid);
  key_counts_ = std::move(counts);
}

std::optional<storage::KeyCounts> CaptureState::take_key_counts(const std::string& replid, redis::Offset last) {
  const std::lock_guard lock(mutex_);
  if (!key_counts_) return std::nullopt;
  if (key_counts_replid_ == replid && key_counts_->offset > last) return std::nullopt;
  std::optional<storage::KeyCounts> taken = std::exchange(key_counts_, std::nullopt);
  if (key_counts_replid_ != replid) return std::nullopt;
  return taken;
}

void CaptureState::set_source_trouble(std::string trouble) {
  const std::lock_guard lock(mutex_);
  source_trouble_ = std::move(trouble);
}

std::string CaptureState::source_trouble() const {
  const std::lock_guard lock(mutex_);
  return source_trouble_;
}

void CaptureState::set_side_data(std::string json) {
  const std::lock_guard lock(mutex_);
  side_data_ = std::move(json);
}

std::string CaptureState::side_data() const {
  const std::lock_guard lock(mutex_);
  return side_data_;
}

void CaptureState::set_base(std::shared_ptr<BaseTransfer> base) {
  const std::lock_guard lock(mutex_);
  if (base_ && base_ != base) base_->abandon();
  base_ = std::move(base);
}

std::shared_ptr<BaseTransfer> CaptureState::base() const {
  const std::lock_guard lock(mutex_);
  return base_;
}

void CaptureState::sealed(redis::Offset last, std::optional<MonoTime> oldest_byte) {
  const std::lock_guard lock(mutex_);
  if (oldest_byte) waiting_.push_back({last, *oldest_byte});
  if (waiting_.size() > 4096) waiting_.pop_back();  // far behind: the oldest one tells the lag
}

void CaptureState::holding_since(std::optional<MonoTime> oldest_byte) {
  const std::lock_guard lock(mutex_);
  holding_since_ = oldest_byte;
}

void CaptureState::published(const Published& entry) {
  const std::lock_guard lock(mutex_);
  ++status_.entries_published;
  status_.stream_bytes_published += entry.stream_bytes;
  status_.object_bytes_published += entry.object_bytes;
  status_.base_complete = entry.base_complete;
  status_.last_published = clock_.wall_now();
  if (entry.position.timeline != newest_.timeline) waiting_.clear();
  newest_ = entry.position;
  if (entry.base_complete) {
    status_.protected_up_to = entry.position;
    status_.protected_time = entry.time;
  }
  while (!waiting_.empty() && waiting_.front().last <= entry.last) {
    status_.publish_time = clock_.mono_now() - waiting_.front().since;
    status_.publish_time_max = std::max(status_.publish_time_max, status_.publish_time);
    waiting_.pop_front();
  }
}

void CaptureState::start_from(const storage::Position& position, WallTime time, bool base_complete) {
  const std::lock_guard lock(mutex_);
  newest_ = position;
  timeline_ = position.timeline;
  dropped_up_to_ = resume_of_ = synced_ = opened_by_ = 0;
  dropped_why_.reset();
  paused_why_.reset();
  pings_.reset();
  waiting_.clear();
  holding_since_.reset();
  if (base_) base_->abandon();
  base_.reset();
  status_.base_complete = base_complete;
  if (!base_complete) return;
  status_.protected_up_to = position;
  status_.protected_time = time;
}

void CaptureState::store_answered() {
  const std::lock_guard lock(mutex_);
  status_.store_away = false;
}

void CaptureState::store_failed(const Error& error) {
  const std::lock_guard lock(mutex_);
  status_.store_away = true;
  ++status_.store_failures;
  status_.last_error = error.message();
  status_.last_error_time = clock_.wall_now();
}

void CaptureState::failed(const Error& error) {
  const std::lock_guard lock(mutex_);
  status_.last_error = error.message();
  status_.last_error_time = clock_.wall_now();
}

void CaptureState::count(Count what) {
  const std::lock_guard lock(mutex_);
  switch (what) {
    case Count::kBase:
      ++status_.bases_published;
      break;
    case Count::kPack:
      ++status_.packs_published;
      break;
    case Count::kCheckpoint:
      ++status_.checkpoints_published;
      break;
    case Count::kFullSync:
      ++status_.full_syncs;
      break;
    case Count::kPartialSync:
      ++status_.partial_syncs;
      break;
  }
}

std::optional<storage::Position> CaptureState::protected_up_to() const {
  const std::lock_guard lock(mutex_);
  return status_.protected_up_to;
}

void CaptureState::set_source(std::string name, std::string url) {
  const std::lock_guard lock(mutex_);
  status_.source = std::move(name);
  status_.source_url = std::move(url);
}

void CaptureState::set_outbox(std::uint64_t bytes, std::uint64_t entries, std::uint64_t limit) {
  const std::lock_guard lock(mutex_);
  status_.outbox_bytes = bytes;
  status_.outbox_entries = entries;
  status_.outbox_limit_bytes = limit;
}

void CaptureState::fill_lag(CaptureStatus& status) const {
  const redis::Offset there = std::max(source_offset_.value_or(redis::Offset{}), status.received);
  const redis::Offset safe = status.base_complete ? newest_.offset : redis::Offset{};
  status.lag_bytes = there > safe ? there - safe : 0;
  std::optional<MonoTime> oldest = holding_since_;
  if (!waiting_.empty()) oldest = waiting_.front().since;
  status.lag_time = oldest ? std::max<Duration>(clock_.mono_now() - *oldest, Duration::zero()) : Duration::zero();
}

CaptureStatus CaptureState::status() const {
  const std::lock_guard lock(mutex_);
  CaptureStatus status = status_;
  status.source_offset = source_offset_;
  fill_lag(status);
  if (base_) {
    status.base_received_bytes = base_->received_bytes();
    status.base_spooled_bytes = base_->spooled_bytes();
  }
  return status;
}

}  // namespace anclora::protect
