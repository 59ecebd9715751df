#include "storage/journal/stream_index_builder.h"

#include <algorithm>
#include <charconv>

#include "storage/journal/command_keys.h"

namespace anclora::storage {
namespace {

constexpr auto kMarkEvery = std::chrono::milliseconds(100);
constexpr std::string_view kOtherCommands = "(others)";

enum Place : std::size_t { kFlushAll, kFlushDb, kSwapDb, kDel, kUnlink };

// The places in the table of the commands that are looked at more closely.
const std::array<std::size_t, 5>& places() {
  static const std::array<std::size_t, 5> kPlaces = {find_command("FLUSHALL"), find_command("FLUSHDB"),
                                                     find_command("SWAPDB"), find_command("DEL"),
                                                     find_command("UNLINK")};
  return kPlaces;
}

}  // namespace

StreamIndexBuilder::StreamIndexBuilder() : counts_(command_table_size()) {}

void StreamIndexBuilder::on_command(const CommandView& command) {
  if (command.name != newest_name_) {
    newest_name_ = command.name;
    newest_place_ = find_command(command.name);
  }
  const std::size_t place = newest_place_;
  if (place == kUnknownCommand) return on_unknown(command.name);
  ++counts_[place];
  const bool deletes = place == places()[kDel] || place == places()[kUnlink];
  const auto on_key = [&](std::string_view key) {
    if (fragments_) {
      hashes_.add(key);
    } else {
      filter_.add(key);
    }
    if (!deletes) deletions_.on_write(command.database, key);
  };
  if (!for_each_key(command_facts(place).keys, command, on_key)) index_.all_keys_known = false;
  if (deletes) {
    deletions_.on_deletion(command);
  } else if (place == places()[kFlushAll]) {
    on_flush(DangerKind::kFlushAll, command);
  } else if (place == places()[kFlushDb]) {
    on_flush(DangerKind::kFlushDb, command);
  } else if (place == places()[kSwapDb]) {
    on_swap(command);
  }
}

void StreamIndexBuilder::on_unknown(std::string_view name) {
  index_.all_keys_known = false;
  count(name, 1);
}

void StreamIndexBuilder::count(std::string_view name, std::uint64_t times) {
  const std::size_t place = find_command(name);
  if (place != kUnknownCommand) {
    counts_[place] += times;
    return;
  }
  name = name.substr(0, kMaxIndexTextBytes);
  // Leaves room for the whole table and for what is counted together.
  const bool full = index_.commands.size() + counts_.size() + 1 >= kMaxIndexCommands;
  index_.commands[full && !index_.commands.contains(std::string(name)) ? std::string(kOtherCommands)
                                                                       : std::string(name)] += times;
}

void StreamIndexBuilder::on_flush(DangerKind kind, const CommandView& command) {
  add_danger({kind, point_before(command), command.last, command.time, command.database, 0, {}});
}

void StreamIndexBuilder::on_swap(const CommandView& command) {
  Danger danger{DangerKind::kSwapDb, point_before(command), command.last, command.time, 0, 0, {}};
  if (command.arguments.size() >= 2) {
    const std::string_view first = command.arguments[0];
    std::from_chars(first.data(), first.data() + first.size(), danger.database);
    danger.detail = command.arguments[1].substr(0, kMaxIndexTextBytes);
  }
  add_danger(std::move(danger));
}

void StreamIndexBuilder::add_danger(Danger danger) {
  if (index_.dangers.size() >= kMaxIndexDangers) {
    index_.all_dangers_kept = false;
    return;
  }
  index_.dangers.push_back(std::move(danger));
}

void StreamIndexBuilder::on_entry(const LogEntry& entry, const Hash256& content_hash) {
  const WallTime time = entry.marks.empty() ? newest_mark_ : entry.marks.front().wall;
  index_.entries.push_back({entry.sequence, entry.first, entry.last, entry.boundary, time, content_hash});
  add_marks(entry.marks);
}

void StreamIndexBuilder::add_marks(const std::vector<TimeMark>& marks) {
  for (const TimeMark& mark : marks) {
    newest_mark_ = mark.wall;
    if (!index_.marks.empty()) {
      const TimeMark& last = index_.marks.back();
      const bool soon = mark.mono >= last.mono && mark.mono - last.mono < kMarkEvery && mark.wall >= last.wall &&
                        mark.wall - last.wall < kMarkEvery;
      if (soon || mark.offset < last.offset || index_.marks.size() >= kMaxIndexMarks) continue;
    }
    index_.marks.push_back(mark);
  }
}

void StreamIndexBuilder::collect() {
  for (Danger& danger : deletions_.take()) {
    danger.detail.resize(std::min(danger.detail.size(), kMaxIndexTextBytes));
    add_danger(std::move(danger));
  }
  for (std::size_t place = 1; place < counts_.size(); ++place) {
    if (counts_[place] > 0) index_.commands[std::string(command_facts(place).name)] = counts_[place];
    counts_[place] = 0;
  }
}

StreamIndex StreamIndexBuilder::take() {
  collect();
  std::stable_sort(index_.dangers.begin(), index_.dangers.end(),
                   [](const Danger& a, const Danger& b) { return a.before < b.before; });
  index_.key_filter = filter_.take();
  return std::exchange(index_, StreamIndex());
}

StreamIndexFragment StreamIndexBuilder::take_fragment() {
  collect();
  return {std::exchange(index_, StreamIndex()), hashes_.take()};
}

void StreamIndexBuilder::add_fragment(const StreamIndexFragment& fragment) {
  for (const std::uint64_t hash : fragment.key_hashes) filter_.add_hash(hash);
  for (const auto& [name, times] : fragment.index.commands) count(name, times);
  index_.all_keys_known = index_.all_keys_known && fragment.index.all_keys_known;
  index_.all_dangers_kept = index_.all_dangers_kept && fragment.index.all_dangers_kept;
  for (const Danger& danger : fragment.index.dangers) {
    const auto earlier = std::ranges::find_if(index_.dangers, [&](const Danger& known) {
      return danger.kind == DangerKind::kMassDeletion && known.kind == danger.kind && known.before == danger.before &&
             known.database == danger.database && known.detail == danger.detail;
    });
    if (earlier == index_.dangers.end()) {
      add_danger(danger);
    } else {
      *earlier = danger;
    }
  }
}

}  // namespace anclora::storage
