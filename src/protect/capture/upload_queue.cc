#include "protect/capture/upload_queue.h"

#include <utility>

namespace anclora::protect {
std::size_t weight_of(const QueuedEntry& entry) {
  return entry.sealed.object.size() + entry.sealed.content.size() + entry.fragment.memory_bytes();
}

Status UploadQueue::push(QueuedEntry entry) {
  const std::lock_guard lock(mutex_);
  memory_bytes_ += weight_of(entry);
  memory_.push_back(std::make_shared<const QueuedEntry>(std::move(entry)));
  changed_.notify_all();
  if (!spilling_ && !over_limits()) return {};
  return spill_locked();
}

Status UploadQueue::spill() {
  const std::lock_guard lock(mutex_);
  return spill_locked();
}

// In order, so that what stands in the outbox always continues the published chain without a hole.
Status UploadQueue::spill_locked() {
  if (memory_.empty()) return {};
  spilling_ = true;
  Status status = chain_saved_ ? Status{} : save_locked();
  while (status && !memory_.empty()) {
    const storage::SealedEntry& sealed = memory_.front()->sealed;
    status = outbox_.append(sealed.entry.timeline, sealed.entry.sequence, sealed.entry.kind, sealed.object);
    if (!status) break;
    memory_bytes_ -= weight_of(*memory_.front());
    memory_.pop_front();
  }
  refusal_ = status ? std::nullopt : std::optional(status.error());
  return status;
}

void UploadQueue::set_published(SavedChain chain) {
  const std::lock_guard lock(mutex_);
  published_ = std::move(chain);
  if (!spilling_) chain_saved_ = false;
}

Status UploadQueue::save_chain() {
  const std::lock_guard lock(mutex_);
  if (spilling_ || chain_saved_) return {};
  return save_locked();
}

Status UploadQueue::save_locked() {
  if (!published_) return {};
  RETURN_IF_ERROR(outbox_.save(*published_));
  chain_saved_ = true;
  return {};
}

std::optional<UploadQueue::Front> UploadQueue::front() const {
  const std::lock_guard lock(mutex_);
  if (!outbox_.pending().empty()) {
    const Outbox::Pending& first = outbox_.pending().front();
    return Front{first.timeline, first.sequence, nullptr, first};
  }
  if (memory_.empty()) return std::nullopt;
  const auto& first = memory_.front();
  return Front{first->sealed.entry.timeline, first->sealed.entry.sequence, first, std::nullopt};
}

Result<Bytes> UploadQueue::read(const Outbox::Pending& entry) const { return outbox_.read(entry); }

void UploadQueue::pop_front() {
  const std::lock_guard lock(mutex_);
  if (!outbox_.pending().empty()) {
    outbox_.remove_first();
  } else {
    memory_bytes_ -= weight_of(*memory_.front());
    memory_.pop_front();
  }
  if (outbox_.pending().empty() && !over_limits()) {
    spilling_ = false;
    refusal_.reset();
    chain_saved_ = false;
  }
}

std::size_t UploadQueue::weight() const { return memory_bytes_; }

bool UploadQueue::over_limits() const { return memory_.size() > limits_.entries || weight() > limits_.bytes; }

bool UploadQueue::empty() const {
  const std::lock_guard lock(mutex_);
  return memory_.empty() && outbox_.pending().empty();
}

bool UploadQueue::spilling() const {
  const std::lock_guard lock(mutex_);
  return spilling_;
}

std::optional<Error> UploadQueue::full() const {
  const std::lock_guard lock(mutex_);
  return memory_.empty() ? std::nullopt : refusal_;
}

void UploadQueue::relieve() {
  const std::lock_guard lock(mutex_);
  if (refusal_) ignore_result(spill_locked());  // full() goes on telling
}

std::uint64_t UploadQueue::outbox_bytes() const {
  const std::lock_guard lock(mutex_);
  return outbox_.pending_bytes();
}

std::size_t UploadQueue::outbox_entries() const {
  const std::lock_guard lock(mutex_);
  return outbox_.pending().size();
}

std::size_t UploadQueue::memory_entries() const {
  const std::lock_guard lock(mutex_);
  return memory_.size();
}

void UploadQueue::wait(Duration timeout, bool only_wake) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout,
                    [&] { return woken_ || (!only_wake && (!memory_.empty() || !outbox_.pending().empty())); });
  woken_ = false;
}

void UploadQueue::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

}  // namespace anclora::protect
