#include "protect/capture/takeover.h"

#include <fmt/core.h>

#include <utility>

#include "protect/capture/outbox_reseal.h"
#include "protect/capture/stream_recovery.h"
#include "redis/client/redis_url.h"
#include "storage/repository/log_writer.h"

namespace anclora::protect {
namespace {

using storage::EntryKind;

constexpr int kReadAttempts = 5;
constexpr Duration kReadPause = std::chrono::milliseconds(500);

bool is_away(const Error& error) {
  return error.kind() == ErrorKind::kUnavailable || error.kind() == ErrorKind::kDeadlineExceeded;
}

Status check_url(const TakeoverContext& context, const std::string& known) {
  if (known.empty() || context.allow_url_change || same_server(known, context.url)) return {};
  return Error(ErrorKind::kFailedPrecondition,
               fmt::format("the name \"{}\" belongs to {}, not to {}", context.source, known, context.url),
               "give this source its own --name, or say --allow-url-change if the same data has moved");
}

// Takes out of the outbox what the log has already. True: what is left does not continue the log as it stands.
Result<bool> outbox_conflicts(const TakeoverContext& context, const storage::SourceState& state) {
  Outbox& outbox = context.outbox;
  const storage::Head& head = *state.head;
  while (!outbox.pending().empty()) {
    const Outbox::Pending& first = outbox.pending().front();
    const bool beyond =
        first.timeline > head.timeline || (first.timeline == head.timeline && first.sequence > head.sequence);
    if (beyond) break;
    ASSIGN_OR_RETURN(const Bytes mine, outbox.read(first));
    const auto there = context.store.get(storage::layout::log_entry(context.source, first.timeline, first.sequence));
    if (!there && there.error().kind() != ErrorKind::kNotFound) return there.error();
    if (!there || *there != mine) return true;
    outbox.remove_first();
  }
  if (outbox.pending().empty()) return false;
  const Outbox::Pending& first = outbox.pending().front();
  ASSIGN_OR_RETURN(const DecodedEntry decoded, read_outbox_entry(context.repository, context.source, outbox, first));
  const bool opens_next =
      first.timeline == head.timeline.next() && first.sequence == 0 && head.entry.kind == EntryKind::kClosed;
  const bool follows = first.timeline == head.timeline && first.sequence == head.sequence + 1;
  return !(opens_next || follows) || decoded.entry.predecessor != head.hash;
}

// How many of the outbox's names follow each other without a hole. Behind a hole may lie what was published before and
// whose removal failed, or what a hole in the disk tore off.
std::size_t contiguous(const Outbox& outbox) {
  const auto& pending = outbox.pending();
  for (std::size_t i = 1; i < pending.size(); ++i) {
    const bool same = pending[i].timeline == pending[i - 1].timeline;
    const bool next = same ? pending[i].sequence == pending[i - 1].sequence + 1
                           : pending[i].timeline == pending[i - 1].timeline.next() && pending[i].sequence == 0;
    if (!next) return i;
  }
  return pending.size();
}

Status put_aside_behind_a_hole(Outbox& outbox) {
  const std::size_t whole = contiguous(outbox);
  return whole == outbox.pending().size() ? Status() : outbox.abandon_from(whole);
}

// What reading an entry of the outbox may answer when its disk lost it, or fails.
bool is_damage(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::kDataLoss:
    case ErrorKind::kUnauthenticated:
    case ErrorKind::kNotFound:
    case ErrorKind::kIo:
      return true;
    default:
      return false;
  }
}

// A disk may fail once and then read: what is put aside is not published any more.
Result<DecodedEntry> read_stubbornly(const TakeoverContext& context, const Outbox::Pending& pending) {
  auto read = read_outbox_entry(context.repository, context.source, context.outbox, pending);
  for (int again = 1; again < kReadAttempts && !read && read.error().kind() == ErrorKind::kIo; ++again) {
    context.clock.sleep_for(kReadPause);
    read = read_outbox_entry(context.repository, context.source, context.outbox, pending);
  }
  return read;
}

// Puts aside the first entry that cannot be read any more, and all behind it. Nothing: every one can.
Result<std::optional<Error>> put_damage_aside(const TakeoverContext& context) {
  for (std::size_t i = 0; i < context.outbox.pending().size(); ++i) {
    const auto read = read_stubbornly(context, context.outbox.pending()[i]);
    if (read || !is_damage(read.error())) continue;
    const Error damage = read.error().with_context("the outbox is damaged; from this entry on it was put aside");
    RETURN_IF_ERROR(context.outbox.abandon_from(i));
    return std::optional(damage);
  }
  return std::optional<Error>();
}

// From the last entry that waits, back to one whose state at its beginning is known.
Status recover_in_outbox(const TakeoverContext& context, Takeover& takeover) {
  const auto& pending = context.outbox.pending();
  std::vector<storage::LogEntry> tail;
  for (std::size_t i = pending.size(); i-- > 0;) {
    ASSIGN_OR_RETURN(DecodedEntry decoded,
                     read_outbox_entry(context.repository, context.source, context.outbox, pending[i]));
    if (i + 1 == pending.size()) {
      const storage::Head head{pending[i].timeline, pending[i].sequence, decoded.hash, decoded.entry, {}};
      takeover.start.tip = storage::tip_after(head);
      if (!decoded.entry.marks.empty()) takeover.start.newest_mark = decoded.entry.marks.back().wall;
    }
    tail.push_back(std::move(decoded.entry));
    const storage::LogEntry& first = tail.back();
    if (first.pending_bytes == 0 || first.first_command) break;
  }
  StreamRecovery recovery;
  if (takeover.start.parser && takeover.start.parser->state().offset == tail.back().first) {
    // The stream goes on from the head inside a command.
    redis::CommandParser parser = *takeover.start.parser;
    recovery = StreamRecovery(std::move(parser));
  }
  bool known = false;
  for (std::size_t i = tail.size(); i-- > 0;) {
    ASSIGN_OR_RETURN(known, recovery.add(tail[i]));
  }
  takeover.start.parser = known ? recovery.parser() : std::nullopt;
  return {};
}

Status follow_kinds(const TakeoverContext& context, Takeover& takeover) {
  for (const Outbox::Pending& pending : context.outbox.pending()) {
    if (pending.kind == EntryKind::kBaseComplete) takeover.start.base_complete = true;
    if (pending.kind != EntryKind::kOpened) continue;
    ASSIGN_OR_RETURN(const DecodedEntry decoded,
                     read_outbox_entry(context.repository, context.source, context.outbox, pending));
    if (decoded.entry.origin) takeover.start.origin = *decoded.entry.origin;
    if (takeover.start.origin.kind != storage::OriginKind::kFork) takeover.start.base_complete = false;
  }
  return {};
}

// What runs that were cut short published and did not announce: the newest timelines and, where it is the only one, a
// base. What the checkpoints know already changes nothing.
storage::CheckpointDelta first_delta(const TakeoverContext& context, const storage::SourceState& state) {
  constexpr std::uint32_t kNewest = 16;
  storage::CheckpointDelta delta;
  if (state.url != context.url) delta.url = context.url;
  for (const storage::TimelineState& timeline : state.timelines) {
    if (timeline.id.value + kNewest <= state.timelines.back().id.value) continue;
    delta.opened.push_back(timeline);
    if (timeline.end) delta.ends.push_back(*timeline.end);
    if (timeline.bases.size() == 1) delta.bases.push_back(timeline.bases.front());
  }
  return delta;
}

Result<Takeover> start_without_store(const TakeoverContext& context, Error why) {
  ASSIGN_OR_RETURN(const std::optional<SavedChain> saved, context.outbox.load());
  if (contiguous(context.outbox) != context.outbox.pending().size())
    return why.with_context("the store is away, and only it can tell what of this outbox was published");
  if (!saved && context.outbox.pending().empty())
    return why.with_context("the store is away and this outbox does not know where the log ends");
  Takeover takeover;
  takeover.store_away = std::move(why);
  if (saved) {
    RETURN_IF_ERROR(check_url(context, saved->source_url));
    takeover.start.tip = saved->tip;
    takeover.start.base_complete = takeover.published_base_complete = saved->base_complete;
    takeover.published_timeline = saved->tip.timeline;
    if (!saved->tip.closed) takeover.start.parser.emplace(saved->state);
  }
  if (context.outbox.pending().empty()) return takeover;
  RETURN_IF_ERROR(recover_in_outbox(context, takeover));
  RETURN_IF_ERROR(follow_kinds(context, takeover));
  return takeover;
}

Result<Takeover> start_with_store(const TakeoverContext& context, storage::SourceState state) {
  // A name under which nothing was ever written belongs to nobody: the URL may have been mistyped.
  if (!state.timelines.empty()) RETURN_IF_ERROR(check_url(context, state.url));
  if (state.head) {
    RETURN_IF_ERROR(storage::may_take_over(context.store, state.head, context.outbox.holder()));
    ASSIGN_OR_RETURN(const bool conflict, outbox_conflicts(context, state));
    if (!conflict) RETURN_IF_ERROR(put_aside_behind_a_hole(context.outbox));
    if (conflict) {
      RETURN_IF_ERROR(reseal_outbox(context, state));
      ASSIGN_OR_RETURN(state, storage::load_source_state(context.store, context.repository, context.source));
    }
  }
  Takeover takeover;
  takeover.first_delta = first_delta(context, state);
  if (state.head) {
    takeover.start.tip = storage::tip_after(state.head);
    takeover.start.origin = state.timelines.back().origin;
    if (!state.head->entry.marks.empty()) takeover.start.newest_mark = state.head->entry.marks.back().wall;
    takeover.start.base_complete = has_base(state, {state.head->timeline, state.head->entry.last});
    takeover.published_timeline = state.head->timeline;
    takeover.published_base_complete = takeover.start.base_complete;
    ASSIGN_OR_RETURN(takeover.start.parser, recover_at_head(context.store, context.repository, state));
  }
  if (!context.outbox.pending().empty()) {
    RETURN_IF_ERROR(recover_in_outbox(context, takeover));
    RETURN_IF_ERROR(follow_kinds(context, takeover));
  }
  takeover.state = std::move(state);
  return takeover;
}

}  // namespace

bool same_server(const std::string& url, const std::string& other) {
  const auto a = redis::RedisUrl::parse(url);
  const auto b = redis::RedisUrl::parse(other);
  return a && b ? a->endpoint.to_string() == b->endpoint.to_string() : url == other;
}

namespace {

Result<Takeover> take_over_once(const TakeoverContext& context) {
  auto state = storage::load_source_state(context.store, context.repository, context.source);
  if (state) return start_with_store(context, std::move(*state));
  if (is_away(state.error())) return start_without_store(context, state.error());
  if (state.error().kind() != ErrorKind::kNotFound) return state.error();
  Takeover takeover;
  takeover.first_delta.url = context.url;
  if (context.outbox.pending().empty()) return takeover;
  // The log never began: what waits is its beginning, or it belongs to a repository that is gone.
  const Outbox::Pending& first = context.outbox.pending().front();
  if (first.timeline.value != 1 || first.sequence != 0) {
    RETURN_IF_ERROR(context.outbox.abandon_all());
    return takeover;
  }
  RETURN_IF_ERROR(put_aside_behind_a_hole(context.outbox));
  RETURN_IF_ERROR(recover_in_outbox(context, takeover));
  RETURN_IF_ERROR(follow_kinds(context, takeover));
  return takeover;
}

}  // namespace

Result<Takeover> take_over(const TakeoverContext& context) {
  Result<Takeover> takeover = take_over_once(context);
  if (takeover || !is_damage(takeover.error()) || context.outbox.pending().empty()) return takeover;
  ASSIGN_OR_RETURN(std::optional<Error> damage, put_damage_aside(context));
  const bool may_have_passed = takeover.error().kind() == ErrorKind::kIo;
  if (!damage && !may_have_passed) return takeover;
  takeover = take_over_once(context);
  if (takeover) takeover->put_aside = std::move(damage);
  return takeover;
}

}  // namespace anclora::protect
