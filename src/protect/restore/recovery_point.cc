#include "protect/restore/recovery_point.h"

#include <fmt/format.h>

#include "protect/restore/restore_route.h"
#include "protect/restore/stream_boundary.h"
#include "protect/restore/time_search.h"
#include "storage/repository/pin.h"

namespace anclora::protect {
namespace {

using storage::Position;
using storage::RecoveryWindow;
using storage::TimelineId;

std::string described(const SourceView& source, std::string_view side, Position position,
                      std::optional<WallTime> time) {
  return fmt::format("{} {}{}: {}", side, storage::to_string(position),
                     time ? ", " + format_rfc3339(*time) : std::string(),
                     restore_command(name_words(source.store, source.state.source), position));
}

Error nothing_protected(const SourceView& source) {
  return Error(ErrorKind::kFailedPrecondition,
               fmt::format("source {} has no complete base yet: nothing can be restored", source.state.source),
               "wait until capture has stored its first base: anclora status");
}

// Tells of the points around a moment that cannot be had.
// With points on both sides it is a gap: lost for good.
Error refuse_between(const SourceView& source, std::string message, const std::optional<RecoveryWindow>& before,
                     const std::optional<RecoveryWindow>& after) {
  const ErrorKind kind = before && after ? ErrorKind::kDataLoss : ErrorKind::kFailedPrecondition;
  std::string hint;
  if (before) hint += described(source, "the point before it is", before->to, before->to_time);
  if (after)
    hint += (hint.empty() ? "" : "\n") + described(source, "the point after it is", after->from, after->from_time);
  return Error(kind, std::move(message), std::move(hint));
}

struct Neighbours {
  std::optional<RecoveryWindow> before, after;
};

// By time where `time` is given, else by position.
Neighbours neighbours(const SourceView& source, std::optional<WallTime> time, Position position) {
  Neighbours found;
  for (const RecoveryWindow& window : storage::recovery_windows(source.state)) {
    const bool ends_before = time ? window.to_time < *time : window.to < position;
    const bool begins_after = time ? window.from_time > *time : window.from > position;
    if (ends_before && (!found.before || found.before->to < window.to)) found.before = window;
    if (begins_after && (!found.after || window.from < found.after->from)) found.after = window;
  }
  return found;
}

std::string gap_reason(const SourceView& source, WallTime time) {
  for (const storage::GapRecord& gap : storage::gaps(source.state))
    if (gap.before_time <= time && time <= gap.after_time && !gap.reason.empty()) return ": " + gap.reason;
  return {};
}

Result<RecoveryPoint> resolve_latest(const SourceView& source) {
  const auto window = newest_window(source.state);
  if (!window) return nothing_protected(source);
  if (!source.state.damaged_tail.empty())
    return Error(ErrorKind::kDataLoss, "the newest point cannot be had: " + source.state.damaged_tail,
                 described(source, "the newest whole point is", window->to, window->to_time));
  return RecoveryPoint{window->to, window->to_time, Exactness::kNewest};
}

// A living capture of an idle source says so every 10 s: a moment within that of its last word means its newest point.
constexpr Duration kSilenceOfALivingCapture = std::chrono::seconds(15);

Result<RecoveryPoint> resolve_time(const SourceView& source, WallTime time) {
  const auto newest = newest_window(source.state);
  if (!newest) return nothing_protected(source);
  std::optional<RecoveryWindow> holder;
  for (const RecoveryWindow& window : storage::recovery_windows(source.state)) {
    // A window that begins after its end began with a clock that was ahead and set back since.
    const bool begins_before = window.from_time <= time || window.from_time > window.to_time;
    if (begins_before && time <= window.to_time && (!holder || holder->to < window.to)) holder = window;
  }
  const std::string asked = format_rfc3339(time);
  if (!holder && time > newest->to_time && time - newest->to_time <= kSilenceOfALivingCapture)
    return RecoveryPoint{newest->to, newest->to_time, Exactness::kNewest};
  if (!holder && time > newest->to_time)
    return Error(ErrorKind::kFailedPrecondition,
                 fmt::format("{} is after the newest protected moment of {}, {}", asked, source.state.source,
                             format_rfc3339(newest->to_time)),
                 described(source, "the newest point is", newest->to, newest->to_time));
  if (!holder) {
    const Neighbours around = neighbours(source, time, {});
    const std::string why =
        around.before ? "lies in a gap" + gap_reason(source, time) : "is before the oldest kept point";
    return refuse_between(source, fmt::format("{} {}", asked, why), around.before, around.after);
  }
  ASSIGN_OR_RETURN(const PointInTime found, last_mark_not_after(source, *holder, time));
  if (found.position == holder->from) return RecoveryPoint{found.position, found.time, Exactness::kSnapped};
  ASSIGN_OR_RETURN(
      const BoundarySearch cut,
      find_boundaries(source, found.position,
                      newest_offset(source.state, found.position.timeline).value_or(found.position.offset)));
  Position position{found.position.timeline, cut.at_or_before};
  if (position.timeline == holder->from.timeline && position < holder->from) position = holder->from;
  return RecoveryPoint{position, std::min(found.time, time), Exactness::kSnapped};
}

Result<TimelineId> timeline_meant(const SourceView& source, std::optional<TimelineId> named) {
  if (named) {
    if (find_timeline(source.state, *named) != nullptr) return *named;
    return Error(ErrorKind::kNotFound, fmt::format("source {} has no timeline {}", source.state.source, named->value),
                 "see them: anclora history");
  }
  const auto newest = newest_window(source.state);
  if (!newest) return nothing_protected(source);
  return newest->to.timeline;
}

// Another timeline that holds the same offset: most likely what was meant.
std::string elsewhere(const SourceView& source, Position position) {
  for (const RecoveryWindow& window : storage::recovery_windows(source.state)) {
    const bool holds = window.from.offset <= position.offset && position.offset <= window.to.offset &&
                       window.from.timeline == window.to.timeline;
    if (holds && window.to.timeline != position.timeline)
      return "\n" + described(source, "another timeline holds that offset:", {window.to.timeline, position.offset}, {});
  }
  return {};
}

Error refuse_unreachable(const SourceView& source, Position position) {
  const auto end = newest_offset(source.state, position.timeline);
  const std::string name = storage::to_string(position);
  if (end && position.offset > *end) {
    const Position newest{position.timeline, *end};
    return Error(ErrorKind::kFailedPrecondition,
                 fmt::format("{} is beyond what is protected: timeline {} reaches {}", name, position.timeline.value,
                             storage::to_string(newest)),
                 described(source, "its newest point is", newest, {}) + elsewhere(source, position));
  }
  const Neighbours around = neighbours(source, {}, position);
  const Error refused =
      refuse_between(source, fmt::format("{} lies in a gap or before what is kept", name), around.before, around.after);
  return Error(refused.kind(), refused.message(), refused.hint() + elsewhere(source, position));
}

Result<RecoveryPoint> resolve_offset(const SourceView& source, Position position, std::string_view what) {
  const auto end = newest_offset(source.state, position.timeline);
  auto route = route_to(source.state, position);
  if (!end || position.offset > *end || !route.has_value()) return refuse_unreachable(source, position);
  if (route->base.timeline == position.timeline && route->base.offset == position.offset)
    return RecoveryPoint{position, route->base.time, Exactness::kExact};
  ASSIGN_OR_RETURN(const BoundarySearch cut, find_boundaries(source, position, *end));
  if (!cut.exact(position.offset)) {
    std::string hint = described(source, "the point before it is", {position.timeline, cut.at_or_before}, {});
    if (cut.after) hint += "\n" + described(source, "the point after it is", {position.timeline, *cut.after}, {});
    return Error(
        ErrorKind::kFailedPrecondition,
        fmt::format("{} is inside a command or a transaction: the state there never existed for a reader", what),
        std::move(hint));
  }
  return RecoveryPoint{position, cut.time.value_or(route->base.time), Exactness::kExact};
}

Result<RecoveryPoint> resolve_tag(const SourceView& source, const std::string& name) {
  auto pin = storage::read_pin(source.store, source.repository, source.state.source, name);
  if (!pin.has_value()) return Error(std::move(pin).error()).with_hint("see the tags: anclora tag --list");
  ASSIGN_OR_RETURN(
      RecoveryPoint point,
      resolve_offset(source, pin->position, fmt::format("tag {} ({})", name, storage::to_string(pin->position))));
  point.time = pin->time;
  return point;
}

struct Resolver {
  const SourceView& source;
  WallTime now;

  Result<RecoveryPoint> operator()(const WhenLatest&) const { return resolve_latest(source); }
  Result<RecoveryPoint> operator()(const WhenTime& when) const { return resolve_time(source, when.time); }
  Result<RecoveryPoint> operator()(const WhenAgo& when) const { return resolve_time(source, now - when.ago); }
  Result<RecoveryPoint> operator()(const WhenTag& when) const { return resolve_tag(source, when.name); }
  Result<RecoveryPoint> operator()(const WhenOffset& when) const {
    ASSIGN_OR_RETURN(const TimelineId timeline, timeline_meant(source, when.timeline));
    const Position position{timeline, when.offset};
    return resolve_offset(source, position, "offset:" + storage::to_string(position));
  }
  Result<RecoveryPoint> operator()(const WhenBefore& when) const {
    ASSIGN_OR_RETURN(const TimelineId timeline, timeline_meant(source, when.timeline));
    const Position named{timeline, when.command};
    return resolve_offset(source, Position{timeline, when.command - 1}, "before:" + storage::to_string(named));
  }
};

}  // namespace

std::string_view to_string(Exactness exactness) {
  switch (exactness) {
    case Exactness::kExact:
      return "exact";
    case Exactness::kSnapped:
      return "snapped";
    case Exactness::kNewest:
      return "newest";
  }
  return "unknown";
}

Result<RecoveryPoint> resolve(const SourceView& source, const When& when, WallTime now) {
  auto point = std::visit(Resolver{source, now}, when);
  const std::string& damage = source.state.damaged_tail;
  if (point.has_value() || damage.empty() || std::holds_alternative<WhenLatest>(when)) return point;
  return Error(ErrorKind::kDataLoss, point.error().message() + "; and " + damage, point.error().hint());
}

std::string name_words(storage::ReadStore& store, std::string_view source) {
  if (source == "default") {
    const auto all = storage::list_sources(store);
    if (!all.has_value() || all->size() < 2) return "";  // the words are for people: no reason to fail
  }
  return fmt::format("--name {} ", source);
}

std::string restore_command(std::string_view name_words, std::string_view at) {
  return fmt::format("anclora restore {}--at {} --to TARGET", name_words, at);
}

std::string restore_command(std::string_view name_words, storage::Position position) {
  return restore_command(name_words, "offset:" + storage::to_string(position));
}

}  // namespace anclora::protect
