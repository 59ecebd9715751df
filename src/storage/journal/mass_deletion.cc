#include "storage/journal/mass_deletion.h"

#include <algorithm>

#include "storage/journal/key_prefix.h"

namespace anclora::storage {
namespace {

constexpr std::size_t kDatabaseBytes = 4;

void set_name(std::string& name, std::uint32_t database, std::string_view prefix) {
  name.clear();
  for (unsigned shift = 0; shift < 32; shift += 8) name.push_back(static_cast<char>((database >> shift) & 0xff));
  name.append(prefix);
}

}  // namespace

void MassDeletionDetector::on_deletion(const CommandView& command) {
  if (command.arguments.empty()) return;
  const std::int64_t second = std::chrono::floor<std::chrono::seconds>(command.time).time_since_epoch().count();
  if (second + skew_ < now_) skew_ = now_ - second;  // the clock was set back: our time stands still, then goes on
  now_ = second + skew_;
  // Neighbours mostly share their prefix: counted together, one look-up serves them all.
  std::string_view prefix = key_prefix(command.arguments[0]);
  std::uint64_t keys = 0;
  for (const std::string_view key : command.arguments) {
    const std::string_view own = key_prefix(key);
    if (own != prefix) {
      count(prefix, keys, command);
      prefix = own;
      keys = 0;
    }
    ++keys;
  }
  count(prefix, keys + (command.argument_count - command.arguments.size()), command);
}

void MassDeletionDetector::on_write(std::uint32_t database, std::string_view key) {
  if (groups_.empty()) return;
  set_name(written_, database, key_prefix(key));
  auto found = groups_.find(written_);
  if (found == groups_.end() && groups_.size() >= kMaxGroups) {  // its deletion would be counted among the mixed ones
    set_name(written_, database, {});
    found = groups_.find(written_);
  }
  if (found != groups_.end() && found->second.in_window > 0) make_up(found->second);
}

// The oldest deletion is the one that was made up for: what remains is the newest burst.
void MassDeletionDetector::make_up(Group& group) {
  Bucket* oldest = nullptr;
  for (Bucket& bucket : group.buckets)
    if (bucket.keys > 0 && (oldest == nullptr || bucket.second < oldest->second)) oldest = &bucket;
  --oldest->keys;
  --group.in_window;
  if (group.active && group.danger.keys > 0) --group.danger.keys;
  if (!group.active && group.uncounted > 0) --group.uncounted;
}

void MassDeletionDetector::count(std::string_view prefix, std::uint64_t keys, const CommandView& command) {
  Group& counted = group(prefix, command);
  drop_old(counted, now_);
  Bucket& bucket = counted.buckets[static_cast<std::size_t>(now_) % kBuckets];
  if (bucket.second != now_ || bucket.keys == 0) bucket = {now_, 0, point_before(command), command.time};
  bucket.keys += keys;
  counted.in_window += keys;
  if (counted.active && counted.in_window < kMassDeletionKeys) counted.active = false;
  if (counted.active) {
    counted.danger.keys += keys;
    counted.danger.last = command.last;
    counted.changed = true;
    counted.active_second = now_;
    return;
  }
  counted.uncounted += keys;
  if (counted.in_window >= kMassDeletionKeys) activate(counted, name_, command);
}

// A deletion crosses the threshold: a new one, or the one before goes on after less than a window.
void MassDeletionDetector::activate(Group& group, const std::string& name, const CommandView& command) {
  const Bucket* oldest = nullptr;
  for (const Bucket& bucket : group.buckets) {
    if (bucket.keys > 0 && (oldest == nullptr || bucket.second < oldest->second)) oldest = &bucket;
  }
  if (group.danger.keys > 0 && now_ - group.active_second < static_cast<std::int64_t>(kBuckets)) {
    group.danger.keys += group.uncounted;
  } else {
    if (group.changed) done_.push_back(group.danger);
    group.danger = {DangerKind::kMassDeletion,  oldest->before, {}, oldest->time, command.database, group.in_window,
                    name.substr(kDatabaseBytes)};
  }
  group.danger.last = command.last;
  group.uncounted = 0;
  group.active = true;
  group.active_second = now_;
  group.changed = true;
}

void MassDeletionDetector::drop_old(Group& group, std::int64_t second) {
  if (group.second == second) return;
  for (Bucket& bucket : group.buckets) {
    if (bucket.keys > 0 && second - bucket.second >= static_cast<std::int64_t>(kBuckets)) {
      group.in_window -= bucket.keys;
      bucket.keys = 0;
    }
  }
  group.second = second;
}

MassDeletionDetector::Group& MassDeletionDetector::group(std::string_view prefix, const CommandView& command) {
  if (newest_group_ != nullptr && name_.size() == kDatabaseBytes + prefix.size() &&
      newest_group_->danger.database == command.database && std::string_view(name_).substr(kDatabaseBytes) == prefix)
    return *newest_group_;
  set_name(name_, command.database, prefix);
  auto found = groups_.find(name_);
  if (found == groups_.end() && groups_.size() >= kMaxGroups) {
    make_room(now_);
    if (groups_.size() >= kMaxGroups) set_name(name_, command.database, {});
    found = groups_.find(name_);
  }
  if (found == groups_.end()) {
    found = groups_.try_emplace(name_).first;
    found->second.danger.database = command.database;
  }
  newest_group_ = &found->second;
  return *newest_group_;
}

// Forgets groups without a deletion in the window; at most once a second, because it looks at all of them.
void MassDeletionDetector::make_room(std::int64_t second) {
  if (swept_ == second) return;
  swept_ = second;
  newest_group_ = nullptr;
  std::erase_if(groups_, [&](const auto& item) {
    const Group& group = item.second;
    if (second - group.second < static_cast<std::int64_t>(kBuckets)) return false;
    if (group.changed) done_.push_back(group.danger);
    return true;
  });
}

std::vector<Danger> MassDeletionDetector::take() {
  std::vector<Danger> dangers = std::move(done_);
  done_.clear();
  for (auto& [name, group] : groups_) {
    if (group.changed) dangers.push_back(group.danger);
    group.changed = false;
  }
  return dangers;
}

}  // namespace anclora::storage
