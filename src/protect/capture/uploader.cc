#include "protect/capture/uploader.h"

#include <utility>

namespace anclora::protect {
namespace {

using storage::EntryKind;

constexpr Duration kFirstRetry = std::chrono::milliseconds(100);
constexpr Duration kLongestRetry = std::chrono::seconds(10);
constexpr Duration kIdle = std::chrono::seconds(1);

// What no later attempt can mend: another writer has the log, or it went on without this one.
bool ends_the_writer(const Error& error) {
  return error.kind() == ErrorKind::kFenced || error.kind() == ErrorKind::kFailedPrecondition;
}

Error damaged(const Outbox::Pending& stored, const Error& error) {
  return Error(ErrorKind::kFailedPrecondition, "the outbox is damaged: " + stored.path + ": " + error.message(),
               "start capture again: it puts the damaged entries aside and goes on from what is published");
}

storage::TimelineState opened_timeline(const storage::LogEntry& entry) {
  storage::TimelineState timeline;
  timeline.id = entry.timeline;
  if (entry.origin) timeline.origin = *entry.origin;
  timeline.replication_id = entry.kind == EntryKind::kRename ? entry.new_replication_id : entry.replication_id;
  timeline.start = timeline.first_kept = entry.first;
  if (!entry.marks.empty()) timeline.opened = entry.marks.front().wall;
  return timeline;
}

}  // namespace

Uploader::Uploader(Context context, storage::TimelineId timeline, bool base_complete)
    : context_(std::move(context)),
      publisher_(context_.store, context_.repository),
      timeline_(timeline),
      base_complete_(base_complete),
      failures_(kFirstRetry, kLongestRetry) {}

Result<bool> Uploader::step() {
  if (failures_.waiting(context_.clock.mono_now())) return false;
  if (const Status announced = announce_bases(); !announced) {
    store_failed(announced.error());
    return true;
  }
  const auto front = context_.queue.front();
  if (front && !base_part_turn_) return publish_front(*front);
  base_part_turn_ = false;
  ASSIGN_OR_RETURN(const bool put, put_base_part());
  if (put) return true;
  if (front) return publish_front(*front);
  return false;
}

MonoTime Uploader::next_step() const {
  const MonoTime now = context_.clock.mono_now();
  return failures_.waiting(now) ? failures_.retry_at() : now + kIdle;
}

void Uploader::store_failed(const Error& error) {
  failures_.fail(context_.clock.mono_now(), context_.random);
  context_.state.store_failed(error);
  if (const Status kept = context_.queue.spill(); !kept) context_.state.failed(kept.error());
}

Result<bool> Uploader::publish_front(const UploadQueue::Front& front) {
  Status status;
  Bytes object;
  std::optional<Opened> opened;
  const std::string name = storage::layout::log_entry(context_.source, front.timeline, front.sequence);
  if (front.memory) {
    status = publisher_.publish(front.memory->sealed);
  } else {
    ASSIGN_OR_RETURN(object, read_stored(*front.stored));
    ASSIGN_OR_RETURN(opened, open_stored(name, front, object));
    status = publisher_.publish(name, object, front.timeline, front.sequence);
  }
  if (!status && ends_the_writer(status.error())) return status.error();
  if (!status) {
    store_failed(status.error());
    return true;
  }
  failures_.succeed();
  context_.state.store_answered();
  if (front.memory) {
    published_from_memory(front.memory);
  } else {
    published_from_outbox(name, *opened, std::move(object));
  }
  context_.queue.pop_front();
  base_part_turn_ = true;
  return true;
}

void Uploader::published_from_memory(const std::shared_ptr<const QueuedEntry>& entry) {
  const storage::SealedEntry& sealed = entry->sealed;
  note_published(sealed.entry, sealed.hash, sealed.object.size(), sealed.entry.last - sealed.entry.first);
  context_.packer.offer(entry);
  if (entry->inside_command) return;
  SavedChain chain;
  chain.source_url = context_.url;
  chain.tip =
      storage::tip_after(storage::Head{sealed.entry.timeline, sealed.entry.sequence, sealed.hash, sealed.entry, {}});
  chain.state = entry->after;
  chain.base_complete = base_complete_;
  context_.queue.set_published(std::move(chain));
}

// Nothing behind it may be published before it: begin again, which tries longer and else puts it aside.
Result<Bytes> Uploader::read_stored(const Outbox::Pending& stored) const {
  auto object = context_.queue.read(stored);
  if (!object) return damaged(stored, object.error());
  return object;
}

// Opened before it is put: a disk that lost bytes must not get them into the log. kFailedPrecondition: begin again,
// which puts it aside.
Result<Uploader::Opened> Uploader::open_stored(const std::string& name, const UploadQueue::Front& front,
                                               ByteView object) const {
  auto opened = storage::open_entry_object(context_.repository.key(), name, object);
  if (!opened) return damaged(*front.stored, opened.error());
  auto entry = storage::decode_log_entry(opened->content);
  if (!entry) return damaged(*front.stored, entry.error());
  return Opened{std::move(*entry), opened->hash};
}

void Uploader::published_from_outbox(const std::string& name, const Opened& opened, Bytes object) {
  note_published(opened.entry, opened.hash, object.size(), opened.entry.last - opened.entry.first);
  context_.packer.offer(name, std::move(object));
}

void Uploader::note_published(const storage::LogEntry& entry, const Hash256& hash, std::size_t object_bytes,
                              std::uint64_t stream_bytes) {
  timeline_ = entry.timeline;
  context_.checkpoints.stands_on(storage::layout::log_entry(context_.source, entry.timeline, entry.sequence));
  note_event(entry, hash);
  CaptureState::Published published;
  published.position = {entry.timeline, entry.boundary};
  if (!entry.marks.empty()) published.time = entry.marks.back().wall;
  published.last = entry.last;
  published.base_complete = base_complete_;
  published.stream_bytes = stream_bytes;
  published.object_bytes = object_bytes;
  context_.state.published(published);
}

void Uploader::note_event(const storage::LogEntry& entry, const Hash256& hash) {
  CheckpointWriter& checkpoints = context_.checkpoints;
  switch (entry.kind) {
    case EntryKind::kOpened:
      if (!entry.origin || entry.origin->kind != storage::OriginKind::kFork) base_complete_ = false;
      checkpoints.add([&](auto& delta) { delta.opened.push_back(opened_timeline(entry)); }, true);
      break;
    case EntryKind::kRename:
      checkpoints.add([&](auto& delta) { delta.opened.push_back(opened_timeline(entry)); }, false);
      break;
    case EntryKind::kClosed:
      checkpoints.add([&](auto& delta) { delta.ends.push_back(storage::timeline_end(entry, hash)); }, false);
      break;
    case EntryKind::kBaseComplete:
      base_complete_ = true;
      note_base(entry);
      break;
    case EntryKind::kClaim:
    case EntryKind::kStream:
      break;
  }
}

void Uploader::note_base(const storage::LogEntry& entry) {
  context_.state.count(CaptureState::Count::kBase);
  if (const auto known = known_bases_.find(entry.base); known != known_bases_.end()) {
    context_.checkpoints.add([&](auto& delta) { delta.bases.push_back(known->second); }, true);
  } else {
    unannounced_.emplace_back(entry.timeline, entry.base);  // an earlier run put it
  }
}

// Until it is in a checkpoint the log alone tells of a base, and no longer once its entry is packed.
Status Uploader::announce_bases() {
  while (!unannounced_.empty()) {
    const auto& [timeline, name] = unannounced_.front();
    auto base = storage::read_base_info(context_.store, context_.repository, context_.source, timeline, name);
    if (!base && retry_class(base.error().kind()) == RetryClass::kRetry) return base.error();
    if (base) context_.checkpoints.add([&](auto& delta) { delta.bases.push_back(*base); }, true);
    if (!base) context_.state.failed(base.error().with_context("base " + name));
    unannounced_.pop_front();
  }
  return {};
}

// Only under a timeline that is this writer's.
bool Uploader::base_may_go(const BaseTransfer& base) const {
  return !base.abandoned() && !base.all_put() && base.timeline() == timeline_;
}

Result<bool> Uploader::put_base_part() {
  const std::shared_ptr<BaseTransfer> base = context_.state.base();
  if (!base || !base_may_go(*base)) return false;
  auto put = base->put_one(context_.store);
  if (!put && put.error().kind() == ErrorKind::kDataLoss) {
    context_.state.failed(put.error());
    base->abandon(put.error().message());
    context_.queue.wake();
    return true;
  }
  if (!put) {
    store_failed(put.error());
    return true;
  }
  if (*put) {
    failures_.succeed();
    context_.state.store_answered();
  }
  if (!base->all_put()) return *put;
  known_bases_[base->info()->name] = *base->info();
  if (const Status side = put_side_data(*base); !side) context_.state.failed(side.error());
  return true;
}

// What an RDB lacks. Of help in a recovery, not needed for one: a failure is told, and the base counts all the same.
Status Uploader::put_side_data(const BaseTransfer& base) {
  const std::string json = context_.state.side_data();
  if (json.empty()) return {};
  const std::string name = storage::layout::side(context_.source, base.timeline(), base.info()->name);
  ASSIGN_OR_RETURN(const Bytes object, storage::seal_object(context_.repository.key(), name, json, context_.random));
  ASSIGN_OR_RETURN(const storage::PutOutcome outcome, context_.store.put_if_absent(name, object));
  static_cast<void>(outcome);
  return {};
}

}  // namespace anclora::protect
