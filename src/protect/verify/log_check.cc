#include "protect/verify/log_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/journal/pack.h"

namespace anclora::protect {
namespace {

using storage::LogEntry;
using storage::PackInfo;

constexpr std::uint64_t kReadBytes = 4 * kMiB;
constexpr std::string_view kEntryAdvice =
    "copy it from a mirror if there is one; else points after it need a newer base: capture --base-from source "
    "--base-every 1m, or "
    "verify --restore --publish-base on a point before it";

std::string entry_name(const storage::SourceState& state, storage::TimelineId timeline, std::uint64_t sequence) {
  return storage::layout::log_entry(state.source, timeline, sequence);
}

}  // namespace

Status judge_read(VerifyReport& report, const std::string& object, const Status& status, const std::string& advice) {
  if (status.has_value()) return {};
  switch (status.error().kind()) {
    case ErrorKind::kUnavailable:
    case ErrorKind::kDeadlineExceeded:
    case ErrorKind::kPermissionDenied:
    case ErrorKind::kCancelled:
      return Error(status.error());
    case ErrorKind::kNotFound:
      return {};
    default:
      report.add_bad(object, status.error().message(), advice);
      return {};
  }
}

LogCheck::LogCheck(storage::ReadStore& store, const storage::Repository& repository, const storage::SourceState& state,
                   const storage::TimelineState& timeline, VerifyReport& report)
    : store_(store), repository_(repository), state_(state), timeline_(timeline), report_(report) {}

void LogCheck::note_pack(std::uint64_t first, std::uint64_t last) {
  packs_.insert(first);
  std::uint64_t& known = present_.emplace(first, last).first->second;
  known = std::max(known, last);
}

void LogCheck::remember(const std::string& object, std::uint64_t sequence, const ChainLink& link) {
  const auto [known, fresh] = links_.emplace(sequence, link);
  if (!fresh && known->second.hash != link.hash)
    report_.add_bad(object, fmt::format("entry {} differs between its own object and a pack", sequence),
                    "one of the two was replaced: compare both with a mirror before anything is expired");
}

Status LogCheck::check_entry(const std::string& object, std::uint64_t sequence) {
  const auto check = [&]() -> Status {
    ASSIGN_OR_RETURN(const Bytes sealed, store_.get(object));
    ++report_.counts.objects_read;
    report_.counts.bytes_read += sealed.size();
    ASSIGN_OR_RETURN(const auto opened, storage::open_entry_object(repository_.key(), object, sealed));
    ASSIGN_OR_RETURN(const LogEntry entry, storage::decode_log_entry(opened.content));
    if (entry.timeline != timeline_.id || entry.sequence != sequence)
      return Error(ErrorKind::kDataLoss,
                   fmt::format("it says that it is entry {} of timeline {}", entry.sequence, entry.timeline.value));
    remember(object, sequence, {opened.hash, entry.predecessor});
    return {};
  };
  ++report_.counts.entries;
  return judge_read(report_, object, check(), std::string(kEntryAdvice));
}

Status LogCheck::read_pack(const std::string& object, std::uint64_t object_bytes,
                           std::map<std::uint64_t, ChainLink>& links) {
  if (object_bytes < storage::kPackTrailerBytes) return Error(ErrorKind::kDataLoss, "it is too short to be a pack");
  ASSIGN_OR_RETURN(const Bytes end,
                   store_.get_range(object, object_bytes - storage::kPackTrailerBytes, storage::kPackTrailerBytes));
  ASSIGN_OR_RETURN(const storage::PackTrailer trailer, storage::decode_pack_trailer(end, object_bytes));
  ASSIGN_OR_RETURN(const Bytes sealed_index, store_.get_range(object, trailer.index_offset, trailer.index_bytes));
  ASSIGN_OR_RETURN(const storage::StreamIndex index, storage::open_pack_index(repository_.key(), object, sealed_index));
  storage::PackReader reader(repository_.key(), object, [&](ByteView content, const Hash256& hash) -> Status {
    ASSIGN_OR_RETURN(const LogEntry entry, storage::decode_log_entry(content));
    if (entry.timeline != timeline_.id)
      return Error(ErrorKind::kDataLoss, fmt::format("it holds an entry of timeline {}", entry.timeline.value));
    links.emplace(entry.sequence, ChainLink{hash, entry.predecessor});
    return {};
  });
  for (std::uint64_t at = 0; at < trailer.index_offset;) {
    const std::uint64_t size = std::min(kReadBytes, trailer.index_offset - at);
    ASSIGN_OR_RETURN(const Bytes sealed, store_.get_range(object, at, size));
    RETURN_IF_ERROR(reader.feed(sealed));
    at += size;
  }
  RETURN_IF_ERROR(reader.finish());
  report_.counts.bytes_read += object_bytes;
  for (const storage::IndexedEntry& indexed : index.entries) {
    const auto link = links.find(indexed.sequence);
    if (link == links.end() || link->second.hash != indexed.hash)
      return Error(ErrorKind::kDataLoss, fmt::format("its index does not fit entry {}", indexed.sequence));
  }
  return {};
}

void LogCheck::judge_pack(const std::string& object, bool recent, std::uint64_t first, std::uint64_t last,
                          const std::map<std::uint64_t, ChainLink>& links) {
  const std::string advice = "keep the single entries it was made of if they still stand; else copy it from a mirror";
  if (links.size() != last - first + 1 || links.begin()->first != first || links.rbegin()->first != last)
    return report_.add_bad(
        object, fmt::format("it holds {} entries, not those from {} to {}", links.size(), first, last), advice);
  const auto info = std::ranges::find_if(timeline_.packs, [&](const PackInfo& each) {
    return each.first_sequence == first && each.last_sequence == last;
  });
  if (info == timeline_.packs.end()) {
    if (!recent) report_.add_uncounted(object);
    return;
  }
  if (info->predecessor != links.begin()->second.predecessor || info->last_hash != links.rbegin()->second.hash)
    report_.add_bad(object, "it is not the pack that the checkpoint names", advice);
}

Status LogCheck::check_pack(const storage::ObjectInfo& object, bool recent, std::uint64_t first, std::uint64_t last) {
  ++report_.counts.packs;
  ++report_.counts.objects_read;
  std::map<std::uint64_t, ChainLink> links;
  const Status status = read_pack(object.name, object.size_bytes, links);
  if (!status.has_value()) return judge_read(report_, object.name, status, std::string(kEntryAdvice));
  judge_pack(object.name, recent, first, last, links);
  for (const auto& [sequence, link] : links) remember(object.name, sequence, link);
  return {};
}

void LogCheck::check_holes() {
  std::uint64_t next = timeline_.first_kept_sequence;
  std::optional<std::uint64_t> end;
  if (state_.head && state_.head->timeline == timeline_.id) end = state_.head->sequence;
  const auto hole = [&](std::uint64_t from, std::uint64_t before) {
    report_.add_bad(entry_name(state_, timeline_.id, from),
                    before - from == 1 ? std::string("it is missing")
                                       : fmt::format("{} entries from here on are missing", before - from),
                    std::string(kEntryAdvice));
  };
  for (const auto& [first, last] : present_) {
    if (last < next) continue;
    if (first > next) hole(next, first);
    next = std::max(next, last + 1);
  }
  if (end && next <= *end) hole(next, *end + 1);
}

// Its entries may still stand, but not for long.
void LogCheck::check_packs() {
  for (const PackInfo& pack : timeline_.packs)
    if (!packs_.contains(pack.first_sequence))
      report_.add_bad(
          storage::layout::pack(state_.source, timeline_.id, pack.first_sequence, pack.last_sequence),
          "the pack is missing",
          "copy it from a mirror; until then run no expire, which takes away the single entries that it stands for");
}

void LogCheck::finish() {
  check_holes();
  check_packs();
  for (auto link = links_.begin(); link != links_.end(); ++link) {
    const auto next = std::next(link);
    if (next == links_.end() || next->first != link->first + 1) continue;
    if (next->second.predecessor != link->second.hash)
      report_.add_bad(entry_name(state_, timeline_.id, next->first),
                      fmt::format("it does not follow on entry {}: the chain is broken", link->first),
                      std::string(kEntryAdvice));
  }
  if (state_.head && state_.head->timeline == timeline_.id) {
    const auto head = links_.find(state_.head->sequence);
    if (head != links_.end() && head->second.hash != state_.head->hash)
      report_.add_bad(entry_name(state_, timeline_.id, head->first), "it is not what it was a moment ago",
                      std::string(kEntryAdvice));
  }
}

}  // namespace anclora::protect
