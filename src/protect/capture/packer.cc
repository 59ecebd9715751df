#include "protect/capture/packer.h"

#include <utility>

namespace anclora::protect {
namespace {

constexpr std::size_t kLimitBytes = 24 * kMiB;

}  // namespace

Packer::Packer(Context context)
    : context_(std::move(context)),
      feeder_(context_.store, context_.repository, context_.files, context_.folder, context_.source, context_.clock,
              context_.random, context_.age),
      failures_(std::chrono::milliseconds(500), std::chrono::seconds(30)) {}

void Packer::offer(std::shared_ptr<const QueuedEntry> entry) {
  const std::size_t weight = weight_of(*entry);
  push({std::move(entry), {}, {}, weight});
}

void Packer::offer(const std::string& object_name, Bytes object) {
  const std::size_t weight = object.size();
  push({nullptr, object_name, std::move(object), weight});
}

void Packer::push(Offered offered) {
  const std::lock_guard lock(mutex_);
  if (queued_bytes_ + offered.weight > kLimitBytes) return;  // the hole in the sequence ends the pack
  queued_bytes_ += offered.weight;
  queue_.push_back(std::move(offered));
  offered_.notify_one();
}

bool Packer::step() {
  if (failures_.waiting(context_.clock.mono_now())) return false;
  if (feeder_.due()) return close();
  Offered next;
  bool ends_here = false;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) return false;
    const Offered& first = queue_.front();
    if (!feeder_.takes(first.entry ? first.entry->sealed.object_name : first.object_name)) ends_here = true;
  }
  // What was left out ends the pack; it must not cost what is in it.
  if (ends_here) return close();
  {
    const std::lock_guard lock(mutex_);
    next = std::move(queue_.front());
    queue_.pop_front();
    queued_bytes_ -= next.weight;
  }
  add(next);
  return true;
}

// A pack only saves objects and time: without it every entry is readable by itself.
void Packer::add(const Offered& offered) {
  if (offered.entry) {
    if (const Status added = feeder_.add(offered.entry->sealed, &offered.entry->fragment); !added)
      context_.state.failed(added.error());
    return;
  }
  const auto opened = storage::open_entry_object(context_.repository.key(), offered.object_name, offered.object);
  const Status added = opened ? feeder_.add(offered.object_name, offered.object, *opened) : Status(opened.error());
  if (!added) context_.state.failed(added.error());
}

bool Packer::close() {
  const Status ground = context_.checkpoints.check_ground();
  auto closed = ground ? feeder_.close() : Result<storage::PackInfo>(ground.error());
  if (closed) {
    failures_.succeed();
    context_.state.count(CaptureState::Count::kPack);
    context_.checkpoints.add([&](auto& delta) { delta.packs.push_back(std::move(*closed)); }, false);
    return true;
  }
  context_.state.failed(closed.error());
  // Of what the feeder gave up nothing is due any more; without ground to stand on, all of it is.
  if (!ground || retry_class(closed.error().kind()) == RetryClass::kRetry)
    failures_.fail(context_.clock.mono_now(), context_.random);
  return true;
}

void Packer::wait(Duration timeout) {
  std::unique_lock lock(mutex_);
  offered_.wait_for(lock, timeout, [&] { return woken_ || !queue_.empty(); });
  woken_ = false;
}

void Packer::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  offered_.notify_one();
}

}  // namespace anclora::protect
