#include "protect/capture/checkpoint_writer.h"

#include <utility>

#include "storage/repository/sealed_object.h"

namespace anclora::protect {
namespace {

// `later` after `delta`.
void append(storage::CheckpointDelta& delta, storage::CheckpointDelta later) {
  const auto move_all = [](auto& to, auto& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  };
  if (later.url) delta.url = std::move(later.url);
  move_all(delta.opened, later.opened);
  move_all(delta.bases, later.bases);
  move_all(delta.packs, later.packs);
  move_all(delta.ends, later.ends);
}

// The source's URL alone is not written: a name belongs to a source once there is something of it, not once somebody
// tried a wrong address or password.
bool tells_something(const storage::CheckpointDelta& delta) {
  return !delta.opened.empty() || !delta.bases.empty() || !delta.packs.empty() || !delta.ends.empty();
}

}  // namespace

CheckpointWriter::CheckpointWriter(Context context, storage::CheckpointDelta first)
    : context_(std::move(context)),
      failures_(std::chrono::milliseconds(500), std::chrono::seconds(30)),
      last_written_(context_.clock.mono_now()),
      waiting_(std::move(first)),
      urgent_(tells_something(waiting_)) {}

void CheckpointWriter::add(const std::function<void(storage::CheckpointDelta&)>& change, bool urgent) {
  const std::lock_guard lock(mutex_);
  change(waiting_);
  urgent_ = urgent_ || urgent;
}

bool CheckpointWriter::urgent() const {
  const std::lock_guard lock(mutex_);
  return urgent_ && tells_something(waiting_);
}

void CheckpointWriter::stands_on(std::string entry_name) {
  const std::lock_guard lock(mutex_);
  ground_ = std::move(entry_name);
}

Status CheckpointWriter::check_ground() const {
  std::string ground;
  {
    const std::lock_guard lock(mutex_);
    ground = ground_;
  }
  if (ground.empty()) return {};
  ASSIGN_OR_RETURN(const bool there, storage::object_exists(context_.store, ground));
  if (there) return {};
  return Error(ErrorKind::kUnavailable, ground + " is gone: the repository is an older copy of itself now");
}

bool CheckpointWriter::step() {
  const MonoTime now = context_.clock.mono_now();
  if (failures_.waiting(now)) return false;
  {
    const std::lock_guard lock(mutex_);
    if (!tells_something(waiting_) || (!urgent_ && now - last_written_ < context_.every)) return false;
  }
  const Status written = write_now();
  if (written) return true;
  context_.state.failed(written.error().with_context("checkpoint"));
  failures_.fail(now, context_.random);
  return true;
}

Status CheckpointWriter::write_now() {
  storage::CheckpointDelta delta;
  {
    const std::lock_guard lock(mutex_);
    if (!tells_something(waiting_)) return {};
    std::swap(delta, waiting_);
    urgent_ = false;
  }
  const auto write = [&]() -> Status {
    RETURN_IF_ERROR(check_ground());
    const auto written = storage::write_checkpoint(context_.store, context_.repository, context_.source, delta,
                                                   context_.clock, context_.random);
    return written ? Status() : Status(written.error());
  };
  const Status written = write();
  if (!written) {
    const std::lock_guard lock(mutex_);
    append(delta, std::exchange(waiting_, {}));
    waiting_ = std::move(delta);
    urgent_ = true;
    return written.error();
  }
  last_written_ = context_.clock.mono_now();
  failures_.succeed();
  context_.state.count(CaptureState::Count::kCheckpoint);
  return {};
}

}  // namespace anclora::protect
