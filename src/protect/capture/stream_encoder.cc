#include "protect/capture/stream_encoder.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace anclora::protect {
namespace {

using storage::EntryKind;
using storage::LogEntry;

// A lone write is not kept waiting for a whole interval, but what comes with it shares its entry.
constexpr int kGatherFraction = 10;
constexpr Duration kBehindInterval = std::chrono::seconds(1);
constexpr Duration kHangingPut = std::chrono::seconds(2);
constexpr Duration kBehindTick = std::chrono::milliseconds(100);
constexpr Duration kIdleTick = std::chrono::seconds(1);
constexpr Duration kPingSlack = std::chrono::milliseconds(500);

// Nothing more is taken from the source then: what the outbox cannot keep would be lost with this process.
Error leaves_the_source(const Error& refusal) {
  if (refusal.kind() == ErrorKind::kResourceExhausted)
    return Error(
        ErrorKind::kResourceExhausted,
        fmt::format("the outbox is full: capture leaves the source until there is room ({})", refusal.message()),
        refusal.hint().empty() ? "make room on the disk of the outbox, or mend the store: either is enough to go on"
                               : refusal.hint());
  return Error(
      refusal.kind(),
      fmt::format("the outbox cannot be written: capture leaves the source until it can ({})", refusal.message()),
      "mend the disk of the outbox, or the store: either is enough to go on");
}

}  // namespace

StreamEncoder::StreamEncoder(Context context, ChainStart start, storage::Incarnation incarnation,
                             storage::HolderId holder)
    : context_(std::move(context)),
      sealer_(context_.repository, context_.source, start.tip, incarnation, holder, context_.random),
      compressor_(context_.repository.command_tuning()),
      base_complete_(start.base_complete),
      base_received_(start.base_complete),
      origin_(start.origin),
      newest_mark_(start.newest_mark),
      last_sealed_(context_.clock.mono_now()) {
  commands_.collect_fragments();
  if (start.parser) begin_stream(std::move(*start.parser), start.tip.replication_id);
  if (start.newest_mark != WallTime{}) silent_since_ = Heard{start.newest_mark, context_.clock.mono_now()};
  tell_resume(0);
}

Status StreamEncoder::claim(std::string note) {
  if (!timeline_is_open()) return {};
  RETURN_IF_ERROR(seal_all());
  return seal(EntryKind::kClaim, false, [&](LogEntry& entry) { entry.note = std::move(note); });
}

Status StreamEncoder::release() { return claim(std::string(storage::kReleasedNote)); }

Status StreamEncoder::handle(SourceEvent& event) {
  if (std::holds_alternative<LinkLost>(event.what)) {
    RETURN_IF_ERROR(seal_all());
    if (!silent_since_) silent_since_ = Heard{context_.clock.wall_now(), context_.clock.mono_now()};
    tell_resume(event.attachment);
    return {};
  }
  if (event.attachment <= ignored_) return {};
  attachment_ = event.attachment;
  RETURN_IF_ERROR(std::visit([&](auto& what) { return on(what, event.attachment); }, event.what));
  return tick();
}

// The link is back: what says that it was away is followed at once by what says that it is not.
Status StreamEncoder::heard() {
  silent_since_.reset();
  if (!std::exchange(silence_is_written_, false) || !timeline_is_open()) return {};
  return seal(EntryKind::kStream, false);
}

void StreamEncoder::begin_stream(redis::CommandParser parser, std::string replication_id) {
  builder_.emplace(std::move(parser), std::move(replication_id), &indexer_, &compressor_);
}

void StreamEncoder::drop(Attachment attachment, const Error& why, bool pause) {
  ignored_ = std::max(ignored_, attachment);
  context_.state.drop(attachment, why, pause);
}

void StreamEncoder::tell_resume(Attachment attachment) {
  std::optional<redis::ResumePoint> resume;
  if (timeline_is_open() && base_received_)
    resume = redis::ResumePoint{builder_->replication_id(), builder_->received()};
  context_.state.set_resume(attachment, std::move(resume));
}

// --- a full synchronisation ---

// A repeated attempt on a source that stood still needs no new timeline.
bool StreamEncoder::may_reuse_timeline(const FullSyncBegan& event) const {
  const storage::ChainTip& tip = sealer_.tip();
  return opened_here_ && timeline_is_open() && !base_complete_ && tip.replication_id == event.replid &&
         tip.last == event.offset && timeline_start_ == event.offset;
}

storage::Origin StreamEncoder::origin_after(const std::string& reason) const {
  const storage::ChainTip& tip = sealer_.tip();
  storage::Origin origin;
  origin.reason = reason;
  if (tip.timeline.value == 0) return origin;
  if (!base_complete_ && origin_.kind != storage::OriginKind::kFork) {
    // Nothing of that timeline can be restored: what lies before it is still the last known.
    origin = origin_;
    origin.reason = reason;
    return origin;
  }
  origin.kind = storage::OriginKind::kGap;
  origin.previous = {tip.timeline, tip.boundary};
  origin.previous_time = newest_mark_;
  return origin;
}

Status StreamEncoder::open_timeline(const storage::Origin& origin, redis::Offset start, const std::string& replid,
                                    const std::string& reason, Attachment attachment) {
  const storage::TimeMark now{start, context_.clock.wall_now(), context_.clock.mono_now()};
  ASSIGN_OR_RETURN(auto entries, sealer_.open_timeline(origin, start, replid, reason, now));
  for (auto& entry : entries) RETURN_IF_ERROR(push(std::move(entry), false));
  origin_ = origin;
  timeline_start_ = start;
  opened_here_ = true;
  base_attempt_ = 1;
  context_.state.timeline_opened(attachment, sealer_.tip().timeline);
  return {};
}

Status StreamEncoder::on(FullSyncBegan& event, Attachment attachment) {
  silent_since_.reset();
  silence_is_written_ = false;
  if (base_) base_->abandon();
  context_.state.set_received(event.offset);
  if (may_reuse_timeline(event)) {
    ++base_attempt_;
    context_.state.timeline_opened(attachment, sealer_.tip().timeline);
  } else {
    RETURN_IF_ERROR(seal_all());
    const storage::Origin origin = origin_after(event.reason);
    begin_stream(redis::CommandParser({event.offset, event.offset, 0, {}}), event.replid);
    RETURN_IF_ERROR(open_timeline(origin, event.offset, event.replid, event.reason, attachment));
  }
  base_complete_ = base_received_ = false;
  const std::string spool = fmt::format("{}/{}-{}", context_.base_spool, sealer_.tip().timeline.value, base_attempt_);
  if (const Status made = context_.files.create_directories(spool); !made) {
    drop(attachment, made.error(), false);
    return {};
  }
  remove_other_spools(spool);
  base_ = std::make_shared<BaseTransfer>(context_.repository, context_.files, spool, context_.source,
                                         sealer_.tip().timeline, event.offset, base_attempt_, context_.clock.wall_now(),
                                         context_.random);
  context_.state.set_base(base_);
  return {};
}

// What earlier attempts left there would keep this one from its room. A part that is being put now is told abandoned.
void StreamEncoder::remove_other_spools(const std::string& spool) {
  const auto attempts = context_.files.list(context_.base_spool);
  if (!attempts) return context_.state.failed(attempts.error());
  for (const FileInfo& attempt : *attempts) {
    const std::string folder = context_.base_spool + "/" + attempt.name;
    if (!attempt.is_directory || folder == spool) continue;
    if (const Status removed = remove_spool(folder); !removed) context_.state.failed(removed.error());
  }
}

Status StreamEncoder::remove_spool(const std::string& folder) {
  ASSIGN_OR_RETURN(const std::vector<FileInfo> parts, context_.files.list(folder));
  for (const FileInfo& part : parts) {
    Status removed = context_.files.remove(folder + "/" + part.name);
    if (!removed && removed.error().kind() != ErrorKind::kNotFound) return removed;  // else: it was just put
  }
  return context_.files.remove_directory(folder);
}

Status StreamEncoder::on(BaseChunk& event, Attachment attachment) {
  if (const Status written = base_->write(event.bytes); !written) {
    base_->abandon();
    drop(attachment, written.error().with_context("the base from the source"), false);
  }
  return {};
}

Status StreamEncoder::on(BaseReceived&, Attachment attachment) {
  if (const Status finished = base_->finish(); !finished) {
    base_->abandon();
    drop(attachment, finished.error().with_context("the base from the source"), false);
    return {};
  }
  base_received_ = true;
  const redis::Offset start = base_->offset();
  const std::string replid = builder_->replication_id();
  begin_stream(redis::CommandParser({start, start, base_->stream_database(), {}}), replid);
  context_.queue.wake();
  return {};
}

Status StreamEncoder::announce_base() {
  if (!base_ || base_complete_) return {};
  if (base_->abandoned()) {
    // The repository did not take it: the stream alone is worth nothing.
    base_received_ = false;
    const std::string why = base_->why_abandoned();
    const std::string text = "the base could not be kept" + (why.empty() ? why : ": " + why);
    if (attachment_ > ignored_) drop(attachment_, Error(ErrorKind::kDataLoss, text), false);
    return {};
  }
  if (!base_->all_put()) return {};
  RETURN_IF_ERROR(seal_all());
  const std::string name = base_->info()->name;
  base_complete_ = true;
  return seal(EntryKind::kBaseComplete, false, [&](LogEntry& entry) { entry.base = name; });
}

// --- the stream ---

Status StreamEncoder::on(StreamContinued& event, Attachment) {
  catch_up_to_ = context_.state.source_offset();
  RETURN_IF_ERROR(heard());
  if (!builder_ || event.replid == builder_->replication_id()) return {};
  // The new id is in force from this very byte on, also inside a command.
  if (builder_->held_bytes() > 0) RETURN_IF_ERROR(seal(EntryKind::kStream, true));
  RETURN_IF_ERROR(seal(EntryKind::kRename, false, [&](LogEntry& entry) { entry.new_replication_id = event.replid; }));
  builder_->rename(event.replid);
  return {};
}

Status StreamEncoder::on(StreamForked& event, Attachment attachment) {
  silent_since_.reset();
  silence_is_written_ = false;
  RETURN_IF_ERROR(seal_all());
  const redis::Offset fork = event.at_fork.state().offset;
  context_.state.set_received(fork);
  storage::Origin origin;
  origin.kind = storage::OriginKind::kFork;
  origin.previous = {sealer_.tip().timeline, fork};
  origin.previous_time = newest_mark_;
  origin.reason = event.reason;
  begin_stream(std::move(event.at_fork), event.replid);
  return open_timeline(origin, fork, event.replid, event.reason, attachment);
}

Status StreamEncoder::on(StreamChunk& event, Attachment attachment) {
  if (!builder_) return {};
  if (const auto refusal = refused_room()) {
    drop(attachment, leaves_the_source(*refusal), true);
    return {};
  }
  const std::uint64_t commands_before = builder_->commands();
  indexer_.set_time(event.wall);
  const Status added = builder_->add(event.bytes, event.wall, event.mono);
  context_.state.set_received(builder_->received(), builder_->commands() - commands_before);
  if (!added) {
    RETURN_IF_ERROR(seal_all());
    drop(attachment, added.error().with_context("the stream from the source"), false);
    builder_.reset();
    return {};
  }
  return seal_by_size();
}

std::optional<Error> StreamEncoder::refused_room() {
  if (!context_.queue.full()) return std::nullopt;
  context_.queue.relieve();
  return context_.queue.full();
}

Status StreamEncoder::seal_by_size() {
  while (builder_->held_bytes() >= context_.policy.target_bytes) {
    const bool inside_command = builder_->complete_bytes() == 0;
    RETURN_IF_ERROR(seal(EntryKind::kStream, inside_command));
  }
  return {};
}

Status StreamEncoder::seal_all() {
  if (!timeline_is_open() || builder_->complete_bytes() == 0) return {};
  return seal(EntryKind::kStream, false);
}

Status StreamEncoder::seal(EntryKind kind, bool inside_command, const std::function<void(LogEntry&)>& fill) {
  const std::optional<MonoTime> oldest = builder_->oldest();
  const bool still_inside = builder_->inside_command_after(inside_command);
  const Heard now = silent_since_.value_or(Heard{context_.clock.wall_now(), context_.clock.mono_now()});
  storage::UnsealedEntry unsealed = builder_->take(inside_command, now.wall, now.mono);
  LogEntry& entry = unsealed.entry;
  entry.kind = kind;
  entry.source_offset = std::max(context_.state.source_offset().value_or(entry.last), entry.last);
  if (catch_up_to_ && *catch_up_to_ <= entry.last) catch_up_to_.reset();
  entry.catching_up = catch_up_to_.has_value() || !base_complete_ || silent_since_;
  silence_is_written_ |= silent_since_.has_value();
  if (kind == EntryKind::kStream) entry.note = context_.state.source_trouble();
  if (kind == EntryKind::kStream && base_complete_)
    entry.key_counts = context_.state.take_key_counts(entry.replication_id, entry.last);
  if (fill) fill(entry);
  if (entry.last != entry.first) context_.state.sealed(entry.last, oldest);
  ASSIGN_OR_RETURN(storage::SealedEntry sealed, sealer_.seal(std::move(unsealed)));
  return push(std::move(sealed), still_inside);
}

Status StreamEncoder::push(storage::SealedEntry sealed, bool inside_command) {
  if (!sealed.entry.marks.empty()) newest_mark_ = sealed.entry.marks.back().wall;
  last_sealed_ = context_.clock.mono_now();
  QueuedEntry queued;
  queued.sealed = std::move(sealed);
  if (builder_) queued.after = builder_->state();
  queued.after.offset = queued.sealed.entry.last;
  queued.inside_command = inside_command;
  queued.fragment = commands_.take_fragment();
  if (const Status kept = context_.queue.push(std::move(queued)); !kept) context_.state.failed(kept.error());
  return {};
}

// --- time ---

Status StreamEncoder::tick() {
  if (context_.state.paused()) {
    if (const auto refusal = refused_room())
      context_.state.still_paused(leaves_the_source(*refusal));
    else
      context_.state.resumed();
  }
  tell_pings();
  if (!timeline_is_open()) return {};
  context_.state.holding_since(builder_->oldest());
  spill_behind_a_hanging_put(context_.clock.mono_now());
  if (refused_room()) return {};
  RETURN_IF_ERROR(announce_base());
  if (!due_by_time(context_.clock.mono_now())) return {};
  return seal(EntryKind::kStream, false);
}

void StreamEncoder::tell_pings() {
  const bool pings = timeline_is_open() && builder_->only_pings() && builder_->complete_bytes() > 0;
  if (!pings) return context_.state.no_pings();
  context_.state.only_pings_since(builder_->taken(), builder_->taken() + builder_->complete_bytes());
}

// A put that hangs looks like one that is slow until it fails: what waits behind it must be durable before that.
void StreamEncoder::spill_behind_a_hanging_put(MonoTime now) {
  const auto front = context_.queue.front();
  if (!front || context_.queue.spilling()) {
    front_.reset();
    return;
  }
  if (!front_ || front_->timeline != front->timeline || front_->sequence != front->sequence)
    front_ = Waiting{front->timeline, front->sequence, now};
  if (now - front_->since < kHangingPut) return;
  if (const Status spilled = context_.queue.spill(); !spilled) context_.state.failed(spilled.error());
}

bool StreamEncoder::due_by_time(MonoTime now) const {
  const SealPolicy& policy = context_.policy;
  const Duration since = now - last_sealed_;
  if (builder_->complete_bytes() == 0) return since >= policy.sign_of_life + kPingSlack && context_.queue.empty();
  // Behind a put that is in flight, those who wait at the source share the next entry.
  if (builder_->ack_wanted() && context_.queue.empty()) return true;
  if (builder_->only_pings()) return since >= policy.sign_of_life - kPingSlack && context_.queue.empty();
  const Duration age = now - *builder_->oldest();
  if (context_.queue.empty()) return since >= policy.interval && age >= policy.interval / kGatherFraction;
  // Behind a put that is in flight, what comes joins the next entry; behind a store that is away, it is kept durably.
  return context_.queue.spilling() && age >= std::max(policy.interval, kBehindInterval);
}

MonoTime StreamEncoder::next_tick() const {
  const MonoTime now = context_.clock.mono_now();
  if (!timeline_is_open() || !builder_->oldest() || builder_->complete_bytes() == 0) return now + kIdleTick;
  if (builder_->only_pings()) return now + std::min(kIdleTick, context_.policy.interval);
  // Behind a put in flight: whoever ends it wakes the caller.
  if (!context_.queue.empty()) return now + std::min(kBehindInterval, std::max(context_.policy.interval, kBehindTick));
  const MonoTime gathered = *builder_->oldest() + context_.policy.interval / kGatherFraction;
  return std::max({now, last_sealed_ + context_.policy.interval, gathered});
}

Status StreamEncoder::on(LinkLost&, Attachment) { return {}; }

}  // namespace anclora::protect
