#include "protect/restore/restore_outcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "protect/find/entry_indexer.h"
#include "protect/find/stream_scan.h"
#include "storage/repository/log_reader.h"

namespace anclora::protect {
namespace {

using redis::Offset;
using storage::Position;

constexpr std::array<std::string_view, 7> kChangesNothing = {"PING",     "SELECT",  "MULTI",   "EXEC",
                                                             "REPLCONF", "PUBLISH", "SPUBLISH"};

bool changes_data(std::string_view name) { return std::ranges::find(kChangesNothing, name) == kChangesNothing.end(); }

double seconds(Duration duration) { return static_cast<double>(duration.count()) / 1e6; }

}  // namespace

std::string to_text(const RestoreOutcome& outcome) {
  std::string text = fmt::format("{} holds {} as of {}\n", outcome.target, storage::to_string(outcome.point.position),
                                 format_rfc3339(outcome.point.time));
  text += fmt::format("  took {}: base of {}, {} commands replayed, {} keys\n", format_duration(outcome.took),
                      format_size(outcome.base_bytes), outcome.commands, outcome.keys);
  if (outcome.distance.same_timeline && outcome.distance.bytes == 0) {
    text += "  gave up nothing that was protected\n";
  } else {
    text += fmt::format("  gave up {} before the newest protected point, {}{}\n",
                        format_duration(outcome.distance.behind), storage::to_string(outcome.distance.newest),
                        outcome.commands_lost ? fmt::format(": {} commands", *outcome.commands_lost) : std::string());
  }
  for (const RestoreCheck& check : outcome.checks) text += fmt::format("  checked {}: {}\n", check.name, check.result);
  for (const std::string& warning : outcome.warnings) text += fmt::format("  warning: {}\n", warning);
  if (!outcome.safety_source.empty())
    text += fmt::format("  what it held before is kept for 30 days as {}\n    {}\n", outcome.safety_source,
                        outcome.safety_command);
  return text;
}

std::string to_json(const RestoreOutcome& outcome) {
  nlohmann::json checks = nlohmann::json::array();
  for (const RestoreCheck& check : outcome.checks) checks.push_back({{"name", check.name}, {"result", check.result}});
  nlohmann::json json = {
      {"target", outcome.target},
      {"position", storage::to_string(outcome.point.position)},
      {"time", format_rfc3339(outcome.point.time)},
      {"seconds", seconds(outcome.took)},
      {"rpo_seconds", seconds(outcome.distance.behind)},
      {"rpo_bytes", outcome.distance.bytes},
      {"newest_position", storage::to_string(outcome.distance.newest)},
      {"base_bytes", outcome.base_bytes},
      {"commands", outcome.commands},
      {"keys", outcome.keys},
      {"checks", checks},
      {"warnings", outcome.warnings},
  };
  json["rpo_commands"] = outcome.commands_lost ? nlohmann::json(*outcome.commands_lost) : nlohmann::json();
  json["safety_source"] = outcome.safety_source.empty() ? nlohmann::json() : nlohmann::json(outcome.safety_source);
  json["safety_command"] = outcome.safety_command.empty() ? nlohmann::json() : nlohmann::json(outcome.safety_command);
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<std::uint64_t> count_commands_lost(const SourceView& source, const RestorePlan& plan) {
  std::uint64_t lost = 0;
  if (!plan.distance.same_timeline || plan.distance.bytes == 0) return lost;
  const Position point = plan.point.position;
  const Offset newest = plan.distance.newest.offset;
  std::vector<StreamStretch> partly;
  const auto visit = [&](const storage::IndexedStretch& indexed) -> Status {
    if (indexed.timeline != point.timeline || indexed.index.entries.empty()) return {};
    const Offset first = indexed.index.entries.front().first;
    const Offset last = indexed.index.entries.back().last;
    if (last <= point.offset || first >= newest) return {};
    if (first < point.offset || last > newest) {
      partly.push_back({point.timeline, std::max(first, point.offset), std::min(last, newest)});
      return {};
    }
    for (const auto& [name, count] : indexed.index.commands)
      if (changes_data(name)) lost += count;
    return {};
  };
  EntryIndexer indexer;
  RETURN_IF_ERROR(
      storage::for_each_index(source.store, source.repository, source.state, point, plan.distance.newest, visit,
                              [&](const storage::LogEntry& entry, const Hash256& hash) -> Result<storage::StreamIndex> {
                                return indexer.index(entry, hash);
                              }));
  std::uint64_t bytes = 0;
  for (const StreamStretch& stretch : partly)
    RETURN_IF_ERROR(scan_commands(source, {stretch.timeline, stretch.from}, stretch.to, bytes,
                                  [&](const storage::CommandView& command) -> Status {
                                    if (changes_data(command.name)) ++lost;
                                    return {};
                                  }));
  return lost;
}

}  // namespace anclora::protect
