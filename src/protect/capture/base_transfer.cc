#include "protect/capture/base_transfer.h"

#include <utility>

namespace anclora::protect {
namespace {

constexpr std::size_t kHeadBytes = 64 * kKiB;  // the AUX fields stand in the first few hundred

}  // namespace

BaseTransfer::BaseTransfer(const storage::Repository& repository, FileSystem& files, std::string spool_folder,
                           std::string source, storage::TimelineId timeline, redis::Offset offset,
                           std::uint32_t attempt, WallTime time, Random& random)
    : files_(files),
      timeline_(timeline),
      offset_(offset),
      time_(time),
      encoder_(repository, files, std::move(spool_folder), std::move(source), timeline, offset, attempt, random) {}

Status BaseTransfer::write(ByteView rdb) {
  if (received_bytes_ < kHeadBytes) RETURN_IF_ERROR(head_.feed(rdb));
  received_bytes_ += rdb.size();
  return encoder_.write(rdb);
}

std::uint32_t BaseTransfer::stream_database() const { return head_.aux().stream_database.value_or(0); }

Status BaseTransfer::finish() {
  ASSIGN_OR_RETURN(storage::BaseInfo info, encoder_.finish(time_, "source", stream_database()));
  const std::lock_guard lock(mutex_);
  info_ = std::move(info);
  received_ = true;
  return {};
}

void BaseTransfer::abandon(std::string why) {
  const std::lock_guard lock(mutex_);
  if (!abandoned_) why_abandoned_ = std::move(why);
  abandoned_ = true;
}

std::string BaseTransfer::why_abandoned() const {
  const std::lock_guard lock(mutex_);
  return why_abandoned_;
}

std::optional<storage::BaseInfo> BaseTransfer::info() const {
  const std::lock_guard lock(mutex_);
  return info_;
}

// A spool file that is gone was removed after its put, whose end failed: the store knows.
Status BaseTransfer::put(storage::AppendStore& store, const storage::BaseEncoder::Part& part) {
  Status put = storage::publish_part(store, files_, part);
  if (!put && put.error().kind() == ErrorKind::kIo) RETURN_IF_ERROR(require_readable(part));
  if (put || put.error().kind() != ErrorKind::kNotFound) return put;
  const auto there = store.head(part.object_name);
  if (there && there->size_bytes == part.bytes) return {};
  if (!there && there.error().kind() != ErrorKind::kNotFound) return there.error();
  return Error(ErrorKind::kDataLoss, part.spool_path + " is gone before it was put");
}

// The store may have failed so, or the spool: a part that cannot be read back will never be put.
Status BaseTransfer::require_readable(const storage::BaseEncoder::Part& part) {
  const auto spooled = files_.read_all(part.spool_path, part.bytes);
  if (spooled || spooled.error().kind() == ErrorKind::kNotFound) return {};
  return Error(ErrorKind::kDataLoss, "a part of the base cannot be read back: " + spooled.error().message());
}

Result<bool> BaseTransfer::put_one(storage::AppendStore& store) {
  const bool last_parts_known = received_;  // before they are taken
  for (auto& part : encoder_.take_ready()) ready_.push_back(std::move(part));
  if (ready_.empty()) {
    if (last_parts_known) all_put_ = true;
    return false;
  }
  RETURN_IF_ERROR(put(store, ready_.front()));
  ready_.pop_front();
  if (last_parts_known && ready_.empty()) all_put_ = true;
  return true;
}

}  // namespace anclora::protect
