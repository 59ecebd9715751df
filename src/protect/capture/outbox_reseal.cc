#include "protect/capture/outbox_reseal.h"

#include <algorithm>
#include <utility>

#include "protect/capture/entry_builder.h"
#include "protect/capture/stream_recovery.h"
#include "storage/repository/log_writer.h"

namespace anclora::protect {
namespace {

using storage::EntryKind;
using storage::LogEntry;

constexpr int kPublishAttempts = 20;

class Resealing {
 public:
  Resealing(const TakeoverContext& context, const storage::SourceState& state,
            std::optional<redis::CommandParser> parser)
      : context_(context),
        state_(state),
        sealer_(context.repository, context.source, storage::tip_after(state.head), context.incarnation,
                context.outbox.holder(), context.random),
        publisher_(context.store, context.repository) {
    if (parser) builder_.emplace(std::move(*parser), sealer_.tip().replication_id);
  }

  // False: this entry, and so all behind it, belongs to another history.
  Result<bool> take(const LogEntry& entry) {
    switch (entry.kind) {
      case EntryKind::kStream:
        return take_stream(entry);
      case EntryKind::kRename:
        return take_rename(entry);
      case EntryKind::kOpened:
        return take_opened(entry);
      case EntryKind::kBaseComplete:
        return take_base(entry);
      case EntryKind::kClosed:
        close_note_ = entry.note;
        return true;
      case EntryKind::kClaim:
        return true;
    }
    return true;
  }

 private:
  bool same_history(const LogEntry& entry) const {
    return builder_ && !sealer_.tip().closed && entry.replication_id == sealer_.tip().replication_id;
  }

  Result<bool> take_stream(const LogEntry& entry) {
    if (!same_history(entry)) return false;
    const redis::Offset have = sealer_.tip().last;
    if (entry.last <= have) return true;
    if (entry.first > have) return false;
    RETURN_IF_ERROR(add_bytes(entry, have));
    return publish_built(EntryKind::kStream, [&](LogEntry& built) { built.source_offset = entry.source_offset; });
  }

  // Each stretch with the time at which it was received.
  Status add_bytes(const LogEntry& entry, redis::Offset from) {
    const auto piece = [&](redis::Offset to, const storage::TimeMark& mark) -> Status {
      const auto at = static_cast<std::size_t>(from - entry.first);
      RETURN_IF_ERROR(
          builder_->add(ByteView(entry.bytes).substr(at, static_cast<std::size_t>(to - from)), mark.wall, mark.mono));
      from = to;
      return {};
    };
    for (const storage::TimeMark& mark : entry.marks)
      if (mark.offset > from) RETURN_IF_ERROR(piece(mark.offset, mark));
    if (from < entry.last) {
      const storage::TimeMark newest =
          entry.marks.empty() ? storage::TimeMark{entry.last, context_.clock.wall_now(), context_.clock.mono_now()}
                              : entry.marks.back();
      RETURN_IF_ERROR(piece(entry.last, newest));
    }
    return {};
  }

  Result<bool> take_rename(const LogEntry& entry) {
    if (!builder_) return false;
    if (sealer_.tip().replication_id == entry.new_replication_id) return true;
    if (!same_history(entry) || entry.last != sealer_.tip().last) return false;
    const auto fill = [&](LogEntry& built) { built.new_replication_id = entry.new_replication_id; };
    ASSIGN_OR_RETURN(const bool done, publish_built(EntryKind::kRename, fill));
    builder_->rename(entry.new_replication_id);
    return done;
  }

  // Published in an earlier life; its name is free again since it was packed.
  bool was_published(const LogEntry& opened) const {
    const WallTime when = opened.marks.empty() ? WallTime{} : opened.marks.front().wall;
    return std::ranges::any_of(state_.timelines, [&](const storage::TimelineState& timeline) {
      return timeline.id == opened.timeline && timeline.start == opened.first && timeline.opened == when;
    });
  }

  Result<bool> take_opened(const LogEntry& entry) {
    if (was_published(entry)) return true;
    storage::Origin origin = entry.origin.value_or(storage::Origin{});
    const bool fork = origin.kind == storage::OriginKind::kFork;
    if (fork && (!builder_ || builder_->received() != entry.first)) return false;
    origin.previous.timeline = sealer_.tip().timeline;
    const storage::TimeMark now{entry.first, context_.clock.wall_now(), context_.clock.mono_now()};
    ASSIGN_OR_RETURN(const auto sealed,
                     sealer_.open_timeline(origin, entry.first, entry.replication_id, close_note_, now));
    for (const auto& one : sealed) RETURN_IF_ERROR(publish(one));
    if (fork) {
      builder_->rename(entry.replication_id);
    } else {
      builder_.emplace(redis::CommandParser({entry.first, entry.first, 0, {}}), entry.replication_id);
    }
    claimed_ = true;
    return true;
  }

  // A base stands under the number of its timeline: renumbered, it is lost, and the next attachment makes another.
  Result<bool> take_base(const LogEntry& entry) {
    if (!same_history(entry)) return false;
    if (entry.timeline != sealer_.tip().timeline) return true;
    return publish_built(EntryKind::kBaseComplete, [&](LogEntry& built) { built.base = entry.base; });
  }

  Result<bool> publish_built(EntryKind kind, const auto& fill) {
    RETURN_IF_ERROR(claim());
    storage::UnsealedEntry built = builder_->take(true, context_.clock.wall_now(), context_.clock.mono_now());
    built.entry.kind = kind;
    fill(built.entry);
    ASSIGN_OR_RETURN(const auto sealed, sealer_.seal(std::move(built)));
    RETURN_IF_ERROR(publish(sealed));
    return true;
  }

  Status claim() {
    if (claimed_) return {};
    claimed_ = true;
    LogEntry entry;
    const storage::ChainTip& tip = sealer_.tip();
    entry.kind = EntryKind::kClaim;
    entry.note = "publishes what its outbox holds";
    entry.first = entry.last = entry.source_offset = tip.last;
    entry.boundary = tip.boundary;
    const redis::StreamState& state = claim_state_ ? *claim_state_ : builder_->state();
    entry.database = state.database;
    entry.open_multi = state.open_multi;
    entry.pending_bytes = claim_pending_;
    entry.marks = {{tip.last, context_.clock.wall_now(), context_.clock.mono_now()}};
    ASSIGN_OR_RETURN(const auto sealed, sealer_.seal(std::move(entry)));
    return publish(sealed);
  }

  Status publish(const storage::SealedEntry& sealed) {
    Status status = publisher_.publish(sealed);
    for (int i = 1; i < kPublishAttempts && !status && retry_class(status.error().kind()) == RetryClass::kRetry; ++i) {
      context_.clock.sleep_for(std::chrono::milliseconds(100) * i);
      status = publisher_.publish(sealed);
    }
    return status;
  }

 public:
  // The state at the head, before anything of the outbox is added.
  void remember_state_for_claim() {
    if (!builder_) return;
    claim_state_ = builder_->state();
    claim_pending_ = builder_->pending_bytes();
  }

 private:
  const TakeoverContext& context_;
  const storage::SourceState& state_;
  storage::EntrySealer sealer_;
  storage::LogPublisher publisher_;
  std::optional<EntryBuilder> builder_;
  std::optional<redis::StreamState> claim_state_;
  std::uint64_t claim_pending_ = 0;
  std::string close_note_;
  bool claimed_ = false;
};

}  // namespace

Result<DecodedEntry> read_outbox_entry(const storage::Repository& repository, const std::string& source,
                                       const Outbox& outbox, const Outbox::Pending& pending) {
  const std::string name = storage::layout::log_entry(source, pending.timeline, pending.sequence);
  ASSIGN_OR_RETURN(const Bytes object, outbox.read(pending));
  const auto opened = storage::open_entry_object(repository.key(), name, object);
  if (!opened) return opened.error().with_context(pending.path);
  ASSIGN_OR_RETURN(storage::LogEntry entry, storage::decode_log_entry(opened->content));
  return DecodedEntry{std::move(entry), opened->hash};
}

Status reseal_outbox(const TakeoverContext& context, const storage::SourceState& state) {
  ASSIGN_OR_RETURN(auto parser, recover_at_head(context.store, context.repository, state));
  Resealing resealing(context, state, std::move(parser));
  resealing.remember_state_for_claim();
  while (!context.outbox.pending().empty()) {
    ASSIGN_OR_RETURN(DecodedEntry decoded, read_outbox_entry(context.repository, context.source, context.outbox,
                                                             context.outbox.pending().front()));
    ASSIGN_OR_RETURN(const bool ours, resealing.take(decoded.entry));
    if (!ours) return context.outbox.abandon_all();
    context.outbox.remove_first();
  }
  return {};
}

}  // namespace anclora::protect
