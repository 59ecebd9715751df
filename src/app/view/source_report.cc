#include "app/view/source_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "protect/verify/verification_covers.h"
#include "storage/repository/log_writer.h"

namespace anclora::app {
namespace {

using storage::SourceState;

// Conservative rates of a redis-server on two cores (bench/): loading a base, and applying the stream.
constexpr double kLoadBytesPerSecond = 110e6;
constexpr double kReplayBytesPerSecond = 30e6;

LinkState link_state(const SourceState& state, const SourceReport& report) {
  const storage::LogEntry& newest = state.head->entry;
  if (newest.kind == storage::EntryKind::kClaim && newest.note == storage::kReleasedNote) return LinkState::kStopped;
  if (report.last_entry_age > kStalledAfter) return LinkState::kStalled;
  if (!report.protected_up_to || report.protected_up_to->timeline != state.head->timeline)
    return LinkState::kLoadingBase;
  if (!newest.catching_up) return LinkState::kLive;
  return newest.first == newest.last ? LinkState::kNoLink : LinkState::kCatchingUp;
}

nlohmann::ordered_json position_json(const storage::Position& position, WallTime time) {
  return {{"position", to_string(position)},
          {"timeline", position.timeline.value},
          {"offset", position.offset.value},
          {"time", format_rfc3339(time)}};
}

double seconds(Duration duration) { return static_cast<double>(duration.count()) / 1e6; }

nlohmann::ordered_json base_json(const storage::BaseInfo& base) {
  return {{"name", base.name},           {"timeline", base.timeline.value},
          {"offset", base.offset.value}, {"time", format_rfc3339(base.time)},
          {"rdb_bytes", base.rdb_bytes}, {"stored_bytes", base.stored_bytes},
          {"origin", base.origin},       {"redis_version", base.redis_version}};
}

}  // namespace

std::string_view to_string(LinkState state) {
  switch (state) {
    case LinkState::kLive:
      return "live";
    case LinkState::kCatchingUp:
      return "catching up";
    case LinkState::kNoLink:
      return "no link";
    case LinkState::kLoadingBase:
      return "loading base";
    case LinkState::kStalled:
      return "stalled";
    case LinkState::kStopped:
      return "stopped";
  }
  return "unknown";
}

std::string first_to_mend(const SourceReport& report) {
  if (!report.damaged.empty())
    return fmt::format("{} is damaged: run anclora verify and follow its lines", report.damaged.front().object);
  if (report.link == LinkState::kStalled)
    return fmt::format("capture wrote nothing for {}: is it running? start it again with anclora capture",
                       format_duration(report.last_entry_age));
  if (report.link == LinkState::kStopped)
    return "capture was stopped: nothing after its last point is protected; start it with anclora capture";
  if (report.link == LinkState::kLoadingBase)
    return "the first base is not complete yet: the newest writes are not protected; wait for it";
  if (!report.source_trouble.empty()) return report.source_trouble;
  if (report.link == LinkState::kNoLink)
    return fmt::format("capture has not heard the source since {}: is it up? capture's own output says why",
                       format_rfc3339(report.protected_time));
  if (report.lag > std::chrono::minutes(1))
    return fmt::format("protected up to trails the source by {}: the store is too slow", format_duration(report.lag));
  if (report.last_verification && !report.last_verification->passed)
    return "the last verification failed: run anclora verify and follow its lines";
  const bool begins_after_gap =
      !report.gaps.empty() && report.windows.size() > 1 && report.gaps.back().after == report.windows.back().from;
  if (begins_after_gap && (!report.last_verification || report.last_verification->time < report.gaps.back().after_time))
    return fmt::format("not verified since the gap before {}: run anclora verify --restore ({})",
                       format_rfc3339(report.gaps.back().after_time), report.gaps.back().reason);
  if (!report.last_verification) return "never verified: run anclora verify --restore";
  return "";
}

SourceReport report_source(const SourceState& state, WallTime store_now,
                           const std::optional<LastVerification>& last_verification) {
  SourceReport report;
  report.name = state.source;
  report.url = state.url;
  report.windows = recovery_windows(state);
  report.gaps = gaps(state);
  report.damaged = damaged_objects(state);
  if (last_verification && protect::verification_covers(state, last_verification->time))
    report.last_verification = last_verification;
  for (const storage::TimelineState& timeline : state.timelines)
    if (!timeline.bases.empty()) report.last_base = timeline.bases.back();
  if (!report.windows.empty()) {
    report.protected_up_to = report.windows.back().to;
    report.protected_time = report.windows.back().to_time;
  }
  if (!state.head) {
    report.link = LinkState::kLoadingBase;
    report.first_thing_to_mend =
        report.damaged.empty() ? "nothing is protected yet: capture has not got a base from the source (is it running?)"
                               : first_to_mend(report);
    return report;
  }
  report.last_entry_age = std::max(Duration(0), store_now - state.head->stored);
  report.source_offset = std::max(state.head->entry.source_offset, state.head->entry.last);
  report.link = link_state(state, report);
  if (state.head->entry.kind == storage::EntryKind::kStream && report.link != LinkState::kStalled)
    report.source_trouble = printable_line(state.head->entry.note);
  if (report.protected_up_to) {
    const redis::Offset point = report.protected_up_to->offset;
    const bool same = report.protected_up_to->timeline == state.head->timeline;
    report.lag_bytes = same && report.source_offset > point ? report.source_offset - point : 0;
    const bool alive = report.link == LinkState::kLive || report.link == LinkState::kCatchingUp;
    if (report.lag_bytes > 0 || !alive) report.lag = std::max(Duration(0), store_now - report.protected_time);
    if (report.last_base && report.last_base->timeline == report.protected_up_to->timeline &&
        point > report.last_base->offset)
      report.replay_bytes = point - report.last_base->offset;
    const double load = report.last_base ? static_cast<double>(report.last_base->rdb_bytes) / kLoadBytesPerSecond : 0;
    const double replay = static_cast<double>(report.replay_bytes) / kReplayBytesPerSecond;
    report.expected_restore = Duration(static_cast<std::int64_t>((load + replay) * 1e6));
  }
  report.first_thing_to_mend = first_to_mend(report);
  return report;
}

nlohmann::ordered_json to_json(const SourceReport& report) {
  nlohmann::ordered_json windows = nlohmann::ordered_json::array();
  for (const auto& window : report.windows)
    windows.push_back(
        {{"from", position_json(window.from, window.from_time)}, {"to", position_json(window.to, window.to_time)}});
  nlohmann::ordered_json gap_list = nlohmann::ordered_json::array();
  for (const auto& gap : report.gaps)
    gap_list.push_back({{"before", position_json(gap.before, gap.before_time)},
                        {"after", position_json(gap.after, gap.after_time)},
                        {"reason", gap.reason}});
  nlohmann::ordered_json json = {{"name", report.name},
                                 {"url", report.url},
                                 {"link", to_string(report.link)},
                                 {"last_entry_age_seconds", seconds(report.last_entry_age)},
                                 {"source_offset", report.source_offset.value}};
  json["protected_offset"] =
      report.protected_up_to ? nlohmann::ordered_json(report.protected_up_to->offset.value) : nullptr;
  json["protected_timeline"] =
      report.protected_up_to ? nlohmann::ordered_json(report.protected_up_to->timeline.value) : nullptr;
  json["protected_time"] =
      report.protected_up_to ? nlohmann::ordered_json(format_rfc3339(report.protected_time)) : nullptr;
  json["lag_bytes"] = report.lag_bytes;
  json["lag_seconds"] = seconds(report.lag);
  json["windows"] = std::move(windows);
  json["gaps"] = std::move(gap_list);
  json["last_base"] = report.last_base ? base_json(*report.last_base) : nlohmann::ordered_json(nullptr);
  json["replay_bytes"] = report.replay_bytes;
  json["expected_restore_seconds"] = seconds(report.expected_restore);
  json["last_verification"] = nullptr;
  if (report.last_verification)
    json["last_verification"] = {{"time", format_rfc3339(report.last_verification->time)},
                                 {"passed", report.last_verification->passed}};
  json["damaged"] = to_json(report.damaged);
  json["source_trouble"] = report.source_trouble;
  json["first_thing_to_mend"] = report.first_thing_to_mend;
  return json;
}

std::string to_text(const SourceReport& report, WallTime store_now) {
  std::string text = fmt::format("source {}  {}\n", report.name, report.url);
  text += fmt::format("  link              {} (last entry {} ago)\n", to_string(report.link),
                      format_duration(report.last_entry_age));
  if (report.protected_up_to)
    text += fmt::format("  protected up to   {}  {} ({} ago)\n", to_string(*report.protected_up_to),
                        format_rfc3339(report.protected_time),
                        format_duration(std::max(Duration(0), store_now - report.protected_time)));
  else
    text += "  protected up to   nothing yet: no complete base\n";
  text += fmt::format("  lag               {} bytes, {}\n", report.lag_bytes, format_duration(report.lag));
  for (const auto& window : report.windows)
    text += fmt::format("  recovery window   {} .. {}   {} .. {}\n", to_string(window.from), to_string(window.to),
                        format_rfc3339(window.from_time), format_rfc3339(window.to_time));
  for (const auto& gap : report.gaps)
    text += fmt::format("  gap               {} .. {}   {} .. {}: {}\n", to_string(gap.before), to_string(gap.after),
                        format_rfc3339(gap.before_time), format_rfc3339(gap.after_time), gap.reason);
  if (report.last_base)
    text += fmt::format("  last base         {}  {}  {} (stored {})\n", report.last_base->name,
                        format_rfc3339(report.last_base->time), format_size(report.last_base->rdb_bytes),
                        format_size(report.last_base->stored_bytes));
  text += fmt::format("  a restore now     about {}: replays {} after the base\n",
                      format_duration(report.expected_restore), format_size(report.replay_bytes));
  if (report.last_verification)
    text += fmt::format("  last verification {}  {}\n", format_rfc3339(report.last_verification->time),
                        report.last_verification->passed ? "passed" : "FAILED");
  else
    text += "  last verification never\n";
  text += to_text(report.damaged);
  text += fmt::format("  first to mend     {}\n",
                      report.first_thing_to_mend.empty() ? "nothing" : report.first_thing_to_mend);
  return text;
}

std::vector<storage::DamagedObject> damaged_objects(const SourceState& state) {
  std::vector<storage::DamagedObject> damaged = state.damaged_checkpoints;
  damaged.insert(damaged.end(), state.damaged_entries.begin(), state.damaged_entries.end());
  return damaged;
}

nlohmann::ordered_json to_json(const std::vector<storage::DamagedObject>& damaged) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& each : damaged) list.push_back({{"object", each.object}, {"problem", each.problem}});
  return list;
}

std::string to_text(const std::vector<storage::DamagedObject>& damaged) {
  std::string text;
  for (const auto& each : damaged)
    text += fmt::format("  damaged           {}\n",
                        each.problem.starts_with(each.object) ? each.problem : each.object + ": " + each.problem);
  return text;
}

nlohmann::ordered_json history_json(const SourceState& state) {
  nlohmann::ordered_json timelines = nlohmann::ordered_json::array();
  for (const storage::TimelineState& timeline : state.timelines) {
    nlohmann::ordered_json bases = nlohmann::ordered_json::array();
    for (const storage::BaseInfo& base : timeline.bases) bases.push_back(base_json(base));
    std::uint64_t pack_bytes = 0;
    for (const storage::PackInfo& pack : timeline.packs) pack_bytes += pack.stored_bytes;
    timelines.push_back({{"timeline", timeline.id.value},
                         {"opened", format_rfc3339(timeline.opened)},
                         {"start_offset", timeline.start.value},
                         {"replication_id", timeline.replication_id},
                         {"reason", timeline.origin.reason},
                         {"closed", timeline.closed},
                         {"close_reason", timeline.close_reason},
                         {"bases", std::move(bases)},
                         {"packs", timeline.packs.size()},
                         {"pack_bytes", pack_bytes},
                         {"first_kept_offset", timeline.first_kept.value}});
  }
  return {{"name", state.source},
          {"url", state.url},
          {"timelines", std::move(timelines)},
          {"damaged", to_json(damaged_objects(state))}};
}

std::string history_text(const SourceState& state) {
  std::string text = fmt::format("source {}  {}\n", state.source, state.url);
  for (const storage::TimelineState& timeline : state.timelines) {
    text += fmt::format("timeline {}  opened {} at offset {}{}\n", timeline.id.value, format_rfc3339(timeline.opened),
                        timeline.start.value, timeline.closed ? "  closed: " + timeline.close_reason : "");
    if (!timeline.origin.reason.empty()) text += fmt::format("  because {}\n", timeline.origin.reason);
    for (const storage::BaseInfo& base : timeline.bases)
      text += fmt::format("  base {:24}  {}  {:>10} stored {:>10}  from {}\n", base.name, format_rfc3339(base.time),
                          format_size(base.rdb_bytes), format_size(base.stored_bytes), base.origin);
    std::uint64_t pack_bytes = 0;
    for (const storage::PackInfo& pack : timeline.packs) pack_bytes += pack.stored_bytes;
    if (!timeline.packs.empty())
      text +=
          fmt::format("  stream in {} packs, {}: offsets {} .. {}\n", timeline.packs.size(), format_size(pack_bytes),
                      timeline.packs.front().first.value, timeline.packs.back().last.value);
  }
  return text;
}

}  // namespace anclora::app
