#include "protect/find/stream_find.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ranges>
#include <tuple>
#include <utility>

#include "protect/find/entry_indexer.h"
#include "protect/find/stream_scan.h"
#include "protect/restore/recovery_point.h"
#include "protect/restore/restore_route.h"
#include "storage/journal/command_keys.h"
#include "storage/repository/log_reader.h"

namespace anclora::protect {
namespace {

using redis::Offset;
using storage::Danger;
using storage::DangerKind;
using storage::IndexedStretch;
using storage::Position;
using storage::TimelineId;

constexpr std::size_t kShownBytes = 400;  // of one command

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& letter : out)
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
  return out;
}

std::string_view kind_name(DangerKind kind) {
  switch (kind) {
    case DangerKind::kFlushAll:
      return "flushall";
    case DangerKind::kFlushDb:
      return "flushdb";
    case DangerKind::kSwapDb:
      return "swapdb";
    case DangerKind::kMassDeletion:
      return "mass-deletion";
  }
  return "unknown";
}

std::string danger_text(const Danger& danger) {
  switch (danger.kind) {
    case DangerKind::kFlushAll:
      return "FLUSHALL";
    case DangerKind::kFlushDb:
      return "FLUSHDB";
    case DangerKind::kSwapDb:
      return fmt::format("SWAPDB {} {}", danger.database, escape_argument(danger.detail, danger.detail.size()));
    case DangerKind::kMassDeletion:
      break;
  }
  const std::string prefix =
      danger.detail.empty() ? "of mixed names" : "under " + escape_argument(danger.detail, danger.detail.size(), 200);
  return fmt::format("mass deletion: {} keys {}", danger.keys, prefix);
}

std::string command_text(const storage::CommandView& command) {
  std::string text(command.name);
  std::uint64_t shown = 0;
  for (const std::string_view argument : command.arguments) {
    if (text.size() > kShownBytes) break;
    text += ' ' + escape_argument(argument, argument.size());
    ++shown;
  }
  if (shown < command.argument_count) text += fmt::format(" ...(+{} arguments)", command.argument_count - shown);
  return text;
}

struct KeyMatch {
  std::uint64_t keys = 0;
  bool matched = false;
};

KeyMatch match_keys(const storage::CommandView& command, const KeyPattern* pattern) {
  KeyMatch match;
  const auto on_key = [&](std::string_view key) {
    ++match.keys;
    match.matched |= pattern != nullptr && pattern->matches(key);
  };
  const std::size_t place = storage::find_command(command.name);
  const auto rule = place == storage::kUnknownCommand ? storage::KeyRule::kUnknown : storage::command_facts(place).keys;
  const bool told = storage::for_each_key(rule, command, on_key);
  if (!told && pattern != nullptr && !match.matched)  // any argument may be a key
    match.matched =
        std::ranges::any_of(command.arguments, [&](std::string_view each) { return pattern->matches(each); });
  return match;
}

// What an index says may hold something, and where it stands.
struct Candidate {
  StreamStretch stretch;
  std::string object;
};

class Finder {
 public:
  Finder(const SourceView& source, const FindQuery& query, const std::function<Status(const FoundCommand&)>& on_found)
      : source_(source), query_(query), on_found_(on_found) {
    if (query.command) command_ = upper(*query.command);
    summary_.note = scan_note(query);
  }

  Result<FindSummary> run() {
    for (const storage::TimelineState& timeline : source_.state.timelines) {
      const auto stretch = whole_stretch(timeline);
      if (!stretch) continue;
      RETURN_IF_ERROR(search(*stretch));
      if (summary_.cut_off) break;
    }
    return summary_;
  }

 private:
  // All of a timeline's stream that is kept and may hold something of the time asked for.
  std::optional<StreamStretch> whole_stretch(const storage::TimelineState& timeline) const {
    StreamStretch stretch{timeline.id, std::max(timeline.start, timeline.first_kept), {}};
    if (!timeline.packs.empty()) stretch.to = timeline.packs.back().last;
    if (const auto newest = newest_offset(source_.state, timeline.id)) stretch.to = std::max(stretch.to, *newest);
    // From its two ends only: where the clock of capture was set, packs between may bear any time.
    for (const storage::PackInfo& pack : timeline.packs) {
      if (!query_.since || std::max(pack.first_time, pack.last_time) >= *query_.since || pack.first > stretch.from)
        break;
      stretch.from = std::max(stretch.from, pack.last);
    }
    for (const storage::PackInfo& pack : timeline.packs | std::views::reverse) {
      if (!query_.until || std::min(pack.first_time, pack.last_time) <= *query_.until || tail_is_wanted(timeline))
        break;
      stretch.to = std::min(stretch.to, pack.first);
    }
    if (stretch.from >= stretch.to) return std::nullopt;
    return stretch;
  }

  // What no pack holds yet may be older than the newest pack.
  bool tail_is_wanted(const storage::TimelineState& timeline) const {
    const auto& head = source_.state.head;
    return head && head->timeline == timeline.id && !head->entry.marks.empty() &&
           head->entry.marks.back().wall <= *query_.until;
  }

  Status search(const StreamStretch& stretch) {
    const auto visit = [&](const IndexedStretch& indexed) -> Status {
      if (indexed.timeline != stretch.timeline || summary_.cut_off) return {};
      ++summary_.indexes_read;
      return query_.dangerous ? take_dangers(indexed) : note_candidate(indexed);
    };
    EntryIndexer indexer;
    const auto index_entry = [&](const storage::LogEntry& entry, const Hash256& hash) -> Result<storage::StreamIndex> {
      return indexer.index(entry, hash);
    };
    RETURN_IF_ERROR(storage::for_each_index(
        source_.store, source_.repository, source_.state, Position{stretch.timeline, stretch.from},
        Position{stretch.timeline, stretch.to}, visit, index_entry,
        [&](const std::string& object, const Error& why) { note_unread(object, why.message()); }));
    if (query_.dangerous) return tell_dangers();
    return scan_candidates();
  }

  bool in_time(WallTime time) const {
    return (!query_.since || *query_.since <= time) && (!query_.until || time <= *query_.until);
  }

  // A mass deletion that goes on is in several indexes: the last of them is right.
  Status take_dangers(const IndexedStretch& indexed) {
    for (const Danger& danger : indexed.index.dangers) {
      if (!in_time(danger.time)) continue;
      dangers_.insert_or_assign({danger.before, danger.kind, danger.database, danger.detail},
                                std::pair(indexed.timeline, danger));
      if (dangers_.size() > query_.limit + 1) dangers_.erase(std::prev(dangers_.end()));
    }
    return {};
  }

  Status tell_dangers() {
    for (const auto& [key, value] : dangers_) {
      const auto& [timeline, danger] = value;
      FoundCommand found;
      found.position = found.restore_before = Position{timeline, danger.before + 1};
      found.time = danger.time;
      found.database = danger.database;
      found.kind = kind_name(danger.kind);
      found.command = danger_text(danger);
      found.keys = danger.keys;
      RETURN_IF_ERROR(tell(std::move(found)));
    }
    dangers_.clear();
    return {};
  }

  bool may_hold(const IndexedStretch& indexed) const {
    const storage::StreamIndex& index = indexed.index;
    if (!index.marks.empty()) {
      if (query_.until && index.marks.front().wall > *query_.until) return false;
      if (query_.since && index.marks.back().wall < *query_.since) return false;
    }
    if (!command_.empty() && !index.commands.contains(command_)) return false;
    const bool asks_for_a_key = query_.key && query_.key->indexed();
    return !asks_for_a_key || !index.all_keys_known || storage::may_contain_key(index, *query_.key->indexed());
  }

  // Stretches that follow on each other are scanned as one.
  Status note_candidate(const IndexedStretch& indexed) {
    if (indexed.index.entries.empty() || !may_hold(indexed)) return {};
    const storage::IndexedEntry& first = indexed.index.entries.front();
    if (!candidates_.empty()) {
      const bool follows = candidates_.back().stretch.to == first.first;
      if (!follows || candidates_.back().stretch.to - candidates_.front().stretch.from >= 64 * kMiB)
        RETURN_IF_ERROR(scan_candidates());
    }
    std::string object = indexed.pack_object;
    if (object.empty()) object = storage::layout::log_entry(source_.state.source, indexed.timeline, first.sequence);
    candidates_.push_back({{indexed.timeline, first.first, indexed.index.entries.back().last}, std::move(object)});
    return {};
  }

  Status scan_candidates() {
    const std::vector<Candidate> parts = std::exchange(candidates_, {});
    for (std::size_t next = 0; next < parts.size() && !summary_.cut_off;) {
      ++summary_.stretches_scanned;
      const StreamStretch& from = parts[next].stretch;
      scanned_up_to_ = from.from;
      const Status scanned =
          scan_commands(source_, Position{from.timeline, from.from}, parts.back().stretch.to, summary_.bytes_scanned,
                        [&](const storage::CommandView& command) { return judge(from.timeline, command); });
      if (scanned.has_value()) return {};
      if (scanned.error().kind() != ErrorKind::kDataLoss) return scanned;
      next = pass_over(parts, next, scanned.error()) + 1;
    }
    return {};
  }

  // The part at whose damage a scan from `first` ended: the one that the error names, or in which the next command is.
  std::size_t pass_over(const std::vector<Candidate>& parts, std::size_t first, const Error& why) {
    const auto begin = parts.begin() + static_cast<std::ptrdiff_t>(first);
    auto bad =
        std::find_if(begin, parts.end(), [&](const Candidate& part) { return why.message().contains(part.object); });
    if (bad == parts.end())
      bad = std::find_if(begin, parts.end(), [&](const Candidate& part) { return part.stretch.to > scanned_up_to_; });
    if (bad == parts.end()) bad = std::prev(parts.end());
    note_unread(bad->object, fmt::format("{}; not searched from {} to {}", why.message(),
                                         storage::to_string(Position{bad->stretch.timeline, scanned_up_to_}),
                                         storage::to_string(Position{bad->stretch.timeline, bad->stretch.to})));
    return static_cast<std::size_t>(bad - parts.begin());
  }

  void note_unread(const std::string& object, std::string problem) {
    summary_.unread.push_back({object, std::move(problem)});
  }

  Status judge(TimelineId timeline, const storage::CommandView& command) {
    scanned_up_to_ = command.last;
    if (summary_.cut_off || (!command_.empty() && command.name != command_) || !in_time(command.time)) return {};
    const KeyMatch match = match_keys(command, query_.key ? &*query_.key : nullptr);
    if (query_.key && !match.matched) return {};
    FoundCommand found;
    found.position = Position{timeline, command.first};
    found.restore_before = Position{timeline, command.transaction.value_or(command.first)};
    found.time = command.time;
    found.database = command.database;
    found.kind = "command";
    found.command = command_text(command);
    found.keys = match.keys;
    return tell(std::move(found));
  }

  Status tell(FoundCommand found) {
    if (summary_.found >= query_.limit) {
      summary_.cut_off = true;
      return {};
    }
    if (summary_.found++ == 0) name_words_ = name_words(source_.store, source_.state.source);
    found.restore = restore_command(name_words_, "before:" + storage::to_string(found.restore_before));
    return on_found_(found);
  }

  const SourceView& source_;
  const FindQuery& query_;
  const std::function<Status(const FoundCommand&)>& on_found_;
  std::string command_;  // in upper case
  std::string name_words_;
  FindSummary summary_;
  std::vector<Candidate> candidates_;
  Offset scanned_up_to_;
  std::map<std::tuple<Offset, DangerKind, std::uint32_t, std::string>, std::pair<TimelineId, Danger>> dangers_;
};

}  // namespace

std::string scan_note(const FindQuery& query) {
  if (!query.key || query.key->indexed()) return {};
  return fmt::format("{} has no literal prefix up to ':': every command in the time asked for is read",
                     escape_argument(query.key->text(), query.key->text().size()));
}

Result<FindSummary> find_commands(const SourceView& source, const FindQuery& query,
                                  const std::function<Status(const FoundCommand&)>& on_found) {
  if (query.dangerous && (query.command || query.key))
    return Error(ErrorKind::kInvalidArgument, "--dangerous looks for commands of its own",
                 "leave out --command and --key, or leave out --dangerous");
  if (!query.dangerous && !query.command && !query.key)
    return Error(ErrorKind::kInvalidArgument, "nothing to look for", "add --dangerous, --command NAME or --key GLOB");
  return Finder(source, query, on_found).run();
}

}  // namespace anclora::protect
